/* Handlers of atexit() run when the thread's own storage is gone already: calls there still answer. */
#include "check.h"

static wsgate_server *server;
static uint64_t live;

static void at_exit(void) {
  if (wsgate_client_send_text(server, live, "bye", 3) != WSGATE_STATUS_OK ||
      wsgate_client_send_text(server, live ^ 1, "nobody", 6) != WSGATE_STATUS_CLOSED || wsgate_last_error() == NULL ||
      wsgate_server_free(server) != WSGATE_STATUS_OK)
    _exit(1); /* what else could tell it now */
}

int main(void) {
  uint32_t endpoint;
  server = new_server(&endpoint);
  CHECK(atexit(at_exit) == 0);
  wsgate_batch *batch = wsgate_batch_new();
  int client = open_client(start(server));
  live = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  /* Both use this thread's storage, so that there is some to be gone. */
  CHECK_OK(wsgate_client_send_text(server, live, "hello", 5));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(server, live ^ 1, "nobody", 6));
  EXPECT_TEXT(client, "hello");
  wsgate_batch_free(batch);
  return 0; /* with the client still connected */
}
