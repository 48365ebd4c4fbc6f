/* A client of which nothing is read is pinged; one that answers stays, and its round trip is known; one that does not is
 * closed with 1008. The pings raise no event, and a client that is not read is not pinged. */
#include "check.h"

#define PERIOD_MS 60
#define LIMIT 2

int main(void) {
  static struct frame frame;
  uint32_t endpoint, other;
  uint64_t ids[3];
  int clients[3];
  wsgate_client_counters counters;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_heartbeat(server, endpoint, PERIOD_MS, LIMIT));
  CHECK_OK(wsgate_server_add_endpoint(server, "/never", 6, &other));
  CHECK_OK(wsgate_endpoint_set_heartbeat(server, other, 0, LIMIT));
  int port = start(server);
  for (int i = 0; i < 3; i++) {
    clients[i] = connect_to(port, 0);
    upgrade(clients[i], i == 2 ? "/never" : "/");
    ids[i] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  }
  int silent = clients[0], answering = open_client(port);
  uint64_t answers = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_OK(wsgate_client_pause(server, ids[1]));

  /* Of every number there is one ping; the one more than may stay unanswered is the last. */
  for (int pings = 0; pings <= LIMIT; pings++) {
    read_frame(silent, &frame);
    CHECK(frame.opcode == PING);
    /* An answer to the latest acknowledges them all. */
    read_frame(answering, &frame);
    CHECK(frame.opcode == PING);
    if (pings == LIMIT)
      send_frame(answering, PONG, frame.data, frame.length);
  }
  read_frame(silent, &frame);
  CHECK(frame.opcode == CLOSE && memcmp(frame.data, "\x03\xf0" "Exceeded unanswered PING limit", 32) == 0);
  send_frame(silent, CLOSE, frame.data, 2);
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CLOSE); /* and no PONG before it */
  CHECK(event.client == ids[0] && event.code == 1008 && event.value == WSGATE_CLOSE_CAUSE_HEARTBEAT);
  memcpy(&counters, event.data, sizeof counters);
  CHECK(counters.pings_out == LIMIT + 1 && counters.unanswered_pings == LIMIT + 1 && counters.pongs_in == 0);

  CHECK_OK(wsgate_client_info(server, answers, &counters, sizeof counters));
  CHECK(counters.pings_out > LIMIT && counters.round_trip_ns > 0 && counters.last_heartbeat_ns > counters.connected_ns);
  CHECK_OK(wsgate_client_info(server, ids[1], &counters, sizeof counters));
  CHECK(counters.pings_out == 0);
  CHECK_OK(wsgate_client_info(server, ids[2], &counters, sizeof counters));
  CHECK(counters.pings_out == 0);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  for (int i = 0; i < 3; i++)
    close(clients[i]);
  close(answering);
  return 0;
}
