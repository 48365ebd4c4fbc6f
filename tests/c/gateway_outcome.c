/* A call that asks for its outcome gets one OUTCOME, which says who got the message and who did not: also when clients
 * close with items queued, when the gateway is freed, and at the stop, before STOPPED. */
#include "records.h"

#define CLIENTS 4

static wsgate_server *server;
static wsgate_batch *batch;
static uint64_t gateway, ids[CLIENTS];
static int clients[CLIENTS];
static char large[1 << 25]; /* more than the system's buffers take */

static uint32_t expect_outcome(uint64_t ticket, uint64_t delivered, const uint64_t *failed, size_t count) {
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_OUTCOME);
  wsgate_outcome outcome;
  uint64_t id;
  CHECK(event.length == sizeof outcome + 8 * count && event.client == 0);
  memcpy(&outcome, event.data, sizeof outcome);
  CHECK(event.value == ticket && outcome.gateway == gateway);
  CHECK(outcome.delivered == delivered && outcome.failed == count);
  for (size_t i = 0; i < count; i++) {
    size_t at = 0;
    memcpy(&id, (const char *)event.data + sizeof outcome + 8 * i, 8);
    while (at < count && failed[at] != id)
      at++;
    CHECK(at < count);
  }
  return event.flags;
}

static void everybody_gets_it(void) {
  CHECK_OK(wsgate_gateway_broadcast_with_outcome(server, gateway, 0, "all", 3, NULL, 0, UINT64_MAX));
  CHECK(expect_outcome(UINT64_MAX, CLIENTS, NULL, 0) == 0);
  CHECK_OK(wsgate_gateway_broadcast_with_outcome(server, gateway, 1, "most", 4, ids, 1, 0));
  expect_outcome(0, CLIENTS - 1, NULL, 0);
  for (int i = 0; i < CLIENTS; i++) {
    struct frame frame;
    EXPECT_TEXT(clients[i], "all");
    if (i > 0) {
      read_frame(clients[i], &frame);
      CHECK(frame.opcode == BINARY);
    }
  }
}

static void some_do_not(void) {
  uint64_t to[] = {ids[1], 12345, ids[2], 12345, ids[1], 54321}, strangers[] = {12345, 54321};
  CHECK_OK(wsgate_gateway_multicast_with_outcome(server, gateway, 0, "some", 4, to, 6, 7));
  expect_outcome(7, 2, strangers, 2);
  EXPECT_TEXT(clients[1], "some");
  EXPECT_TEXT(clients[2], "some");
  CHECK_OK(wsgate_gateway_multicast_with_outcome(server, gateway, 0, "none", 4, strangers, 2, 8));
  expect_outcome(8, 0, strangers, 2);
  CHECK_OK(wsgate_gateway_multicast_with_outcome(server, gateway, 0, "none", 4, NULL, 0, 9));
  expect_outcome(9, 0, NULL, 0);
  CHECK_OK(wsgate_gateway_remove(server, gateway, ids[1])); /* no member: skipped, so it has failed */
  CHECK_OK(wsgate_gateway_multicast_with_outcome(server, gateway, 0, "no member", 9, &ids[1], 1, 10));
  expect_outcome(10, 0, &ids[1], 1);
  CHECK_OK(wsgate_gateway_add(server, gateway, ids[1]));
}

static void by_submit(void) {
  static struct records records;
  wsgate_record *record = add_record(&records, WSGATE_OP_BROADCAST_TEXT, gateway, ids, 3, "all");
  record->flags = WSGATE_RECORD_FLAG_OUTCOME;
  record->ticket = 11;
  record = add_record(&records, WSGATE_OP_MULTICAST_BINARY, gateway, ids, 1, "one");
  record->ticket = 12; /* without the flag it asks for nothing */
  record = add_record(&records, WSGATE_OP_GATEWAY_FREE, 12345, NULL, 0, NULL);
  CHECK(submit(server, &records, NULL, 0) == 2);
  expect_outcome(11, 1, NULL, 0);
}

/* The message waits in the outbox of a client that does not read when it vanishes, and the gateway is gone as well. */
static void stuck_and_gone(int port) {
  int stuck = connect_to(port, 4096);
  upgrade(stuck, "/");
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_OK(wsgate_gateway_send_binary(server, gateway, id, large, sizeof large));
  CHECK_OK(wsgate_gateway_multicast_with_outcome(server, gateway, 0, "never", 5, &id, 1, 13));
  CHECK_OK(wsgate_gateway_free(server, gateway));
  CHECK(wsgate_server_take(server, batch, 0, 50) == 0); /* it still may be delivered */
  reset_client(stuck);
  int closed = 0, told = 0;
  while (!closed || !told) {
    CHECK(wsgate_server_take(server, batch, 1, 1000 * PATIENCE_S) == 1);
    if (batch->events->kind == WSGATE_EVENT_KIND_CLOSE)
      closed++;
    if (batch->events->kind == WSGATE_EVENT_KIND_OUTCOME) {
      wsgate_outcome outcome;
      memcpy(&outcome, batch->events->data, sizeof outcome);
      CHECK(batch->events->value == 13 && outcome.delivered == 0 && outcome.failed == 1);
      told++;
    }
  }
}

/* Calls right before the stop, to a client that does not read: each is told before STOPPED. */
static void at_the_stop(int port) {
  int stuck = connect_to(port, 4096), told = 0, closed = 0;
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  upgrade(stuck, "/");
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_OK(wsgate_gateway_add(server, gateway, id));
  CHECK_OK(wsgate_gateway_send_binary(server, gateway, id, large, sizeof large));
  for (uint64_t ticket = 0; ticket < 3; ticket++)
    CHECK_OK(wsgate_gateway_broadcast_with_outcome(server, gateway, 0, "x", 1, NULL, 0, ticket));
  CHECK_OK(wsgate_server_stop(server, 100));
  for (int stopped = 0; !stopped;) {
    CHECK(wsgate_server_take(server, batch, 1, 1000 * PATIENCE_S) == 1);
    told += batch->events->kind == WSGATE_EVENT_KIND_OUTCOME;
    closed += batch->events->kind == WSGATE_EVENT_KIND_CLOSE;
    stopped = batch->events->kind == WSGATE_EVENT_KIND_STOPPED;
  }
  CHECK(told == 3 && closed == CLIENTS + 1);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_broadcast_with_outcome(server, gateway, 0, "x", 1, NULL, 0, 1));
  close(stuck);
}

/* Outcomes that nobody takes are bounded by the queue limit. */
static void space_is_reserved(void) {
  uint32_t endpoint;
  uint64_t asked = 0, taken = 0;
  int status;
  wsgate_server *small = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_queue_limit(small, 65536));
  CHECK_OK(wsgate_gateway_new(small, &gateway));
  start(small);
  while ((status = wsgate_gateway_broadcast_with_outcome(small, gateway, 0, "x", 1, NULL, 0, asked)) == 0) {
    asked++;
    CHECK(asked < 65536);
  }
  CHECK_ERROR(WSGATE_STATUS_FULL, "outcome", status);
  while (taken < asked) {
    take(small, batch, WSGATE_EVENT_KIND_OUTCOME);
    taken++;
  }
  CHECK_OK(wsgate_gateway_broadcast_with_outcome(small, gateway, 0, "x", 1, NULL, 0, 1));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "flags", wsgate_gateway_multicast_with_outcome(small, gateway, 2, "x", 1, NULL, 0, 1));
  CHECK_OK(wsgate_server_free(small));
}

int main(void) {
  uint32_t endpoint;
  server = new_server(&endpoint);
  batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  CHECK_OK(wsgate_endpoint_set_outbox_limit(server, endpoint, 2 * sizeof large, 100));
  int port = start(server);
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = open_client(port);
    ids[i] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  }
  everybody_gets_it();
  some_do_not();
  by_submit();
  stuck_and_gone(port);
  at_the_stop(port);
  CHECK_OK(wsgate_server_free(server));
  space_is_reserved();
  wsgate_batch_free(batch);
  for (int i = 0; i < CLIENTS; i++)
    close(clients[i]);
  return 0;
}
