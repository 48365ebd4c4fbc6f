/* A broadcast for a client that does not read stays within its outbox limit, by each policy: closed, or without the newest,
 * or without the oldest; what was sent to it alone is never dropped, what has begun arrives whole, and the others get
 * everything. */
#include "check.h"

#define LIMIT (64 * 1024)
#define BLOCK 3000 /* goes out in frames of 1000 */
#define MOST 20000

static char block[BLOCK];

static uint32_t read_number(int client) {
  static struct frame frame;
  uint32_t number;
  do
    read_frame(client, &frame);
  while (frame.opcode == PING);
  CHECK(frame.opcode == BINARY && frame.length == BLOCK);
  memcpy(&number, frame.data, sizeof number);
  for (size_t i = sizeof number; i < BLOCK; i++)
    CHECK(frame.data[i] == 'x');
  return number;
}

int main(void) {
  static const char *const paths[] = {"/close", "/newest", "/oldest", "/"};
  uint32_t endpoints[4];
  uint64_t gateway, ids[4];
  int clients[4];
  uint32_t alone = UINT32_MAX, sent = 0;
  wsgate_client_counters counters[4];
  wsgate_server *server = new_server(&endpoints[3]);
  wsgate_batch *batch = wsgate_batch_new();
  /* With one, what a message did to everybody is counted when somebody has it. */
  CHECK_OK(wsgate_server_set_workers(server, 1));
  memset(block, 'x', sizeof block);
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  for (uint32_t i = 0; i < 4; i++) {
    if (i < 3)
      CHECK_OK(wsgate_server_add_endpoint(server, paths[i], strlen(paths[i]), &endpoints[i]));
    CHECK_OK(wsgate_endpoint_set_outbox_limit(server, endpoints[i], LIMIT, 10000));
    CHECK_OK(wsgate_endpoint_set_slow_consumer(server, endpoints[i], i % 3));
    CHECK_OK(wsgate_endpoint_set_frame_split(server, endpoints[i], 1000));
    CHECK_OK(wsgate_endpoint_set_close_period(server, endpoints[i], 100));
    /* On a busy machine they are stuck for so long that they would be closed for that. */
    CHECK_OK(wsgate_endpoint_set_heartbeat(server, endpoints[i], 0, 3));
    CHECK_OK(wsgate_endpoint_set_gateway(server, endpoints[i], gateway));
  }
  int port = start(server);
  for (int i = 0; i < 4; i++) {
    clients[i] = connect_to(port, i < 3 ? 4096 : 0);
    upgrade(clients[i], paths[i]);
    ids[i] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  }

  /* Until each has shown what becomes of it, and then as much again as the queue holds. */
  uint32_t enough = MOST;
  int closed = 0;
  while (sent < enough) {
    memcpy(block, &sent, sizeof sent);
    CHECK_OK(wsgate_gateway_broadcast_binary(server, gateway, block, sizeof block, NULL, 0));
    if (sent == 0) {
      memcpy(block, &alone, sizeof alone);
      for (int i = 1; i < 3; i++)
        CHECK_OK(wsgate_client_send_binary(server, ids[i], block, sizeof block));
    }
    CHECK(read_number(clients[3]) == sent++);
    while (wsgate_server_take(server, batch, 1, 0) > 0) {
      if (batch->events->kind == WSGATE_EVENT_KIND_LOG)
        continue;
      CHECK(batch->events->kind == WSGATE_EVENT_KIND_CLOSE && batch->events->client == ids[0]);
      CHECK(batch->events->code == 1013 && batch->events->value == WSGATE_CLOSE_CAUSE_SLOW);
      memcpy(&counters[0], batch->events->data, sizeof counters[0]);
      CHECK(counters[0].queued_bytes <= LIMIT + 200 && counters[0].dropped == 0);
      closed++;
    }
    for (int i = 1; i < 3; i++) {
      CHECK_OK(wsgate_client_info(server, ids[i], &counters[i], sizeof counters[i]));
      CHECK(counters[i].queued_bytes <= LIMIT);
    }
    if (enough == MOST && closed && counters[1].dropped > 0 && counters[2].dropped > 0)
      enough = sent + 2 * LIMIT / BLOCK;
  }
  CHECK(closed == 1 && enough < MOST);

  /* Both get what was not dropped, in order, and what was sent to them alone; the second the newest of all. */
  for (int i = 1; i < 3; i++) {
    uint64_t expected = sent + 1 - counters[i].dropped;
    uint32_t last = 0;
    int got_alone = 0;
    for (uint64_t count = 0; count < expected; count++) {
      uint32_t number = read_number(clients[i]);
      if (number == alone) {
        got_alone++;
        continue;
      }
      CHECK(count == 0 || number > last);
      last = number;
    }
    CHECK(got_alone == 1);
    CHECK((last == sent - 1) == (i == 2));
    memcpy(block, &sent, sizeof sent);
    CHECK_OK(wsgate_client_send_binary(server, ids[i], block, sizeof block));
    CHECK(read_number(clients[i]) == sent);
  }
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  for (int i = 0; i < 4; i++)
    close(clients[i]);
  return 0;
}
