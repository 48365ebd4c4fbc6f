/* While one thread takes into a batch, a second one that wants the same batch is told BUSY, and disturbs nothing. */
#include "check.h"

static wsgate_server *server;
static wsgate_batch *batch;

static void *wait_for_event(void *nothing) {
  int count;
  do /* main's own takes may be in the way */
    count = wsgate_server_take(server, batch, 1, -1);
  while (count == WSGATE_STATUS_BUSY);
  CHECK(count == 1 && batch->events->kind == WSGATE_EVENT_KIND_ACCEPT);
  return nothing;
}

int main(void) {
  uint32_t endpoint;
  pthread_t waiter;
  server = new_server(&endpoint);
  batch = wsgate_batch_new();
  int port = start(server), count = 0;
  CHECK(pthread_create(&waiter, NULL, wait_for_event, NULL) == 0);
  for (int i = 0; i < 1000 * PATIENCE_S && count != WSGATE_STATUS_BUSY; i++) {
    count = wsgate_server_take(server, batch, 0, 0);
    CHECK(count == 0 || count == WSGATE_STATUS_BUSY);
    poll(NULL, 0, 1);
  }
  CHECK(count == WSGATE_STATUS_BUSY);
  int client = open_client(port);
  pthread_join(waiter, NULL);
  send_text(client, "now it is mine");
  take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
  return 0;
}
