/* A child that was forked off holds the listening socket too; when the parent's server ends, the address is free. */
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

int main(void) {
  uint32_t endpoint;
  char address[32];
  wsgate_server *server = new_server(&endpoint);
  int port = start(server);
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  CHECK(child > 0);
  CHECK_OK(wsgate_server_free(server));
  int length = snprintf(address, sizeof address, "127.0.0.1:%d", port);
  wsgate_server *next = wsgate_server_new();
  CHECK_OK(wsgate_server_listen(next, address, (size_t)length));
  CHECK_OK(wsgate_server_start(next));
  CHECK_OK(wsgate_server_free(next));
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return 0;
}
