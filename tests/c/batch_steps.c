/* A batch is read by its event_size; every event's data lies in the one payload block, in order and without gaps; a
 * take of a few leaves the rest, in order, and says how many they are. */
#include "check.h"

#define MESSAGES 50

static wsgate_batch *batch;

/* Checks the batch's form, and that its messages go on from `next`; returns the number after its last. */
static unsigned read_batch(unsigned next) {
  const char *payload = batch->payload;
  CHECK(batch->event_size >= sizeof(wsgate_event) && batch->event_size % 8 == 0);
  for (uint64_t i = 0; i < batch->count; i++) {
    const wsgate_event *event = (const wsgate_event *)(const void *)((const char *)batch->events + i * batch->event_size);
    CHECK(event->length == 0 || event->data == payload);
    payload += event->length;
    if (event->kind == WSGATE_EVENT_KIND_MESSAGE) {
      CHECK(event->length == next % 7);
      next++;
    }
  }
  CHECK((uint64_t)(payload - (const char *)batch->payload) == batch->payload_length);
  return next;
}

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  batch = wsgate_batch_new();
  CHECK(batch->count == 0 && batch->payload_length == 0); /* readable before it was taken into */
  int client = open_client(start(server));
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  for (unsigned i = 0; i < MESSAGES; i++)
    send_frame(client, BINARY, "payload", i % 7);
  send_close(client, 1000, "");

  unsigned next = 0;
  while (next < MESSAGES) {
    int32_t count = wsgate_server_take(server, batch, 3, 1000 * PATIENCE_S);
    CHECK(count >= 1 && count <= 3 && (uint64_t)count == batch->count);
    next = read_batch(next);
  }
  CHECK(next == MESSAGES);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK(batch->pending == 0);

  /* Nothing waits: the batch is empty, not what it was. */
  CHECK(wsgate_server_take(server, batch, 0, 0) == 0);
  CHECK(batch->count == 0 && batch->pending == 0);

  /* What waits is counted: three clients' ACCEPT, of which one is taken. */
  int port = wsgate_server_port(server, 0), others[3];
  for (int i = 0; i < 3; i++)
    others[i] = open_client(port);
  uint64_t waiting = 0;
  for (int taken = 0; taken < 3; taken++) {
    take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
    CHECK(taken == 0 || waiting == 0 || batch->pending < waiting);
    waiting = batch->pending;
  }
  CHECK(waiting == 0);

  /* All that waits at the end, in batches of any size: STOPPED is the last event, and CLOSED follows. */
  CHECK_OK(wsgate_server_stop(server, 0));
  unsigned closes = 0, stopped = 0;
  int32_t count;
  while ((count = wsgate_server_take(server, batch, 2, 1000 * PATIENCE_S)) > 0)
    for (int32_t i = 0; i < count; i++) {
      const wsgate_event *event = (const wsgate_event *)(const void *)((const char *)batch->events + (size_t)i * batch->event_size);
      CHECK(!stopped);
      closes += event->kind == WSGATE_EVENT_KIND_CLOSE;
      stopped = event->kind == WSGATE_EVENT_KIND_STOPPED;
    }
  CHECK(closes == 3 && stopped && count == WSGATE_STATUS_CLOSED);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_server_take(server, batch, 2, 0));

  CHECK_OK(wsgate_server_free(server));
  /* A batch outlives its server. */
  CHECK(batch->event_size >= sizeof(wsgate_event));
  wsgate_batch_free(batch);
  for (int i = 0; i < 3; i++)
    close(others[i]);
  close(client);
  return 0;
}
