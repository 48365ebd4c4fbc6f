/* An address in use is BUSY, and the server can be freed after that; the one that has the address goes on. */
#include "check.h"

int main(void) {
  uint32_t endpoint;
  char address[32];
  wsgate_server *first = new_server(&endpoint);
  int port = start(first);
  snprintf(address, sizeof address, "127.0.0.1:%d", port);

  wsgate_server *second = wsgate_server_new();
  CHECK_OK(wsgate_server_listen(second, address, strlen(address)));
  CHECK_OK(wsgate_server_add_endpoint(second, "/", 1, &endpoint));
  CHECK_ERROR(WSGATE_STATUS_BUSY, address, wsgate_server_start(second));

  /* The failed start was none: once the address is free, it succeeds. */
  close(open_client(port));
  CHECK_OK(wsgate_server_free(first));
  CHECK_OK(wsgate_server_start(second));
  close(open_client(port));
  CHECK_OK(wsgate_server_free(second));
  return 0;
}
