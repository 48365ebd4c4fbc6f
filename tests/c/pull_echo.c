/* Pull delivery: events come in batches with one block of payloads, at most as many as asked for, and a submit
 * answers each of its records with a status. */
#include "records.h"

#define MESSAGES 100

static struct records records;

static void takes_at_most(wsgate_server *server, wsgate_batch *batch, int client) {
  send_text(client, "one");
  send_text(client, "two");
  send_text(client, "three");
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event_is(&event, "one"));
  event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event_is(&event, "two"));
  event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event_is(&event, "three") && batch->pending == 0);
  CHECK(wsgate_server_take(server, batch, 1, 0) == 0 && batch->count == 0);
  CHECK(wsgate_server_take(server, batch, 0, 1) == 0 && batch->count == 0); /* waits a millisecond in vain */
}

/* Echoes whole batches until all is echoed. */
static void echoes_batches(wsgate_server *server, wsgate_batch *batch, int client) {
  char text[32];
  int32_t statuses[MESSAGES];
  unsigned echoed = 0;
  for (unsigned i = 0; i < MESSAGES; i++) {
    snprintf(text, sizeof text, "message %u", i);
    send_text(client, text);
  }
  while (echoed < MESSAGES) {
    int count = wsgate_server_take(server, batch, 0, 1000 * PATIENCE_S);
    CHECK(count > 0 && (uint64_t)count == batch->count && batch->event_size >= sizeof(wsgate_event));
    const char *block = batch->payload;
    for (int i = 0; i < count; i++) {
      const wsgate_event *event = (const void *)((const char *)batch->events + (size_t)i * batch->event_size);
      const char *data = event->data;
      CHECK(event->kind == WSGATE_EVENT_KIND_MESSAGE);
      CHECK(data >= block && data + event->length <= block + batch->payload_length);
      snprintf(text, sizeof text, "message %u", echoed + (unsigned)i);
      CHECK(event_is(event, text));
      add_text(&records, event->client, text);
    }
    memset(statuses, 0x7f, sizeof statuses);
    CHECK(submit(server, &records, statuses, MESSAGES) == count);
    for (int i = 0; i < MESSAGES; i++)
      CHECK(statuses[i] == (i < count ? WSGATE_STATUS_OK : 0x7f7f7f7f));
    echoed += (unsigned)count;
  }
  for (unsigned i = 0; i < MESSAGES; i++) {
    snprintf(text, sizeof text, "message %u", i);
    EXPECT_TEXT(client, text);
  }
}

/* One of each op, and for each a stale target. */
static void every_op(wsgate_server *server, wsgate_batch *batch, uint64_t id, int client) {
  static struct frame frame;
  uint64_t gateway, stale = id + 1;
  int32_t statuses[10];
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  add_record(&records, WSGATE_OP_GATEWAY_ADD, gateway, &id, 1, NULL);
  add_record(&records, WSGATE_OP_SEND_BINARY, id, NULL, 0, "bytes");
  add_record(&records, WSGATE_OP_BROADCAST_TEXT, gateway, NULL, 0, "to all");
  add_record(&records, WSGATE_OP_BROADCAST_BINARY, gateway, &id, 1, "to none");
  add_record(&records, WSGATE_OP_PING, id, NULL, 0, NULL)->ticket = 77;
  add_record(&records, WSGATE_OP_SEND_TEXT, stale, NULL, 0, "to nobody");
  add_record(&records, WSGATE_OP_GATEWAY_REMOVE, gateway, &id, 1, NULL);
  add_record(&records, WSGATE_OP_BROADCAST_TEXT, gateway, NULL, 0, "after it left");
  add_record(&records, WSGATE_OP_BROADCAST_TEXT, stale, NULL, 0, "nowhere");
  add_record(&records, WSGATE_OP_CLOSE, id, NULL, 0, "bye")->flags = 4001;
  CHECK(submit(server, &records, statuses, 10) == 8);
  for (int i = 0; i < 10; i++)
    CHECK(statuses[i] == (i == 5 || i == 8 ? WSGATE_STATUS_CLOSED : WSGATE_STATUS_OK));

  read_frame(client, &frame);
  CHECK(frame.opcode == BINARY && strcmp(frame.data, "bytes") == 0);
  EXPECT_TEXT(client, "to all");
  read_frame(client, &frame);
  CHECK(frame.opcode == PING);
  send_frame(client, PONG, frame.data, frame.length);
  EXPECT_CLOSE(client, 4001);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_PONG).value == 77);
  send_close(client, 4001, "bye");
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == 4001);
}

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int client = open_client(start(server));
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  takes_at_most(server, batch, client);
  echoes_batches(server, batch, client);
  CHECK(submit(server, &records, NULL, 0) == 0); /* an empty one */
  every_op(server, batch, id, client);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
  return 0;
}
