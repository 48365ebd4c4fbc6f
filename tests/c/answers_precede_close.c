/* A pull host that polls the descriptor answers what a client said before it closed, or failed, in time: the answer
 * goes out first, then the Close frame. */
#include "records.h"

static struct records records;

/* A host's loop until the client's end: it takes only when the descriptor says so. */
static void serve(wsgate_server *server, wsgate_batch *batch) {
  struct pollfd readable = {wsgate_server_fd(server), POLLIN, 0};
  for (;;) {
    CHECK(poll(&readable, 1, 1000 * PATIENCE_S) == 1);
    CHECK(wsgate_server_take(server, batch, 0, 0) >= 0);
    const char *at = (const char *)batch->events;
    for (uint64_t i = 0; i < batch->count; i++, at += batch->event_size) {
      const wsgate_event *event = (const void *)at;
      if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
        add_text(&records, event->client, "answer");
      if (event->kind == WSGATE_EVENT_KIND_CLOSE)
        return;
    }
    if (records.length > 0)
      CHECK(submit(server, &records, NULL, 0) == 1);
  }
}

int main(void) {
  static const char closes[] = "\x81\x84\0\0\0\0text\x88\x82\0\0\0\0\x03\xe8"; /* 1000 */
  static const char fails[] = "\x81\x84\0\0\0\0text\xf1\x80\0\0\0\0";          /* reserved bits */
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_close_period(server, endpoint, 3600000)); /* no help from a timeout */
  int port = start(server);
  for (int i = 0; i < 20; i++) {
    int client = open_client(port);
    write_all(client, i % 2 ? fails : closes, i % 2 ? sizeof fails - 1 : sizeof closes - 1);
    serve(server, batch);
    EXPECT_TEXT(client, "answer");
    EXPECT_CLOSE(client, i % 2 ? 1002u : 1000u);
    close(client);
  }
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
