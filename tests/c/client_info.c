/* A client's figures can be read while it lives, from any thread, and not afterwards: then CLOSE has them. */
#include "check.h"

int main(void) {
  uint32_t endpoint;
  wsgate_client_counters now, last;
  wsgate_server_counters all;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int port = start(server);
  int client = open_client(port);
  wsgate_event accepted = take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  uint64_t id = accepted.client;
  for (int i = 0; i < 3; i++) {
    send_text(client, "12345");
    take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  }
  send_frame(client, PING, "", 0);
  CHECK_OK(wsgate_client_send_text(server, id, "1234567", 7));
  struct frame frame;
  unsigned pongs = 0, texts = 0;
  for (int i = 0; i < 2; i++) {
    read_frame(client, &frame);
    pongs += frame.opcode == PONG;
    texts += frame.opcode == TEXT;
  }
  CHECK(pongs == 1 && texts == 1);
  /* The last to be counted is what was written. */
  do
    CHECK_OK(wsgate_client_info(server, id, &now, sizeof now));
  while (now.bytes_out < 2 + 2 + 7);
  CHECK(now.size == sizeof now && now.bytes_in == 3 * (6 + 5) + 6 && now.frames_in == 4 && now.messages_in == 3);
  CHECK(now.bytes_out == 2 + 2 + 7 && now.frames_out == 2 && now.messages_out == 1);
  CHECK(now.pings_in == 1 && now.pongs_out == 1 && now.pings_out == 0 && now.pongs_in == 0);
  CHECK(now.queued_bytes == 0 && now.dropped == 0 && now.unanswered_pings == 0 && now.closed_ns == 0);
  CHECK(now.connected_ns > 0 && now.connected_ns <= accepted.time_ns);
  CHECK(now.last_read_ns >= now.last_data_read_ns && now.last_data_read_ns > now.connected_ns);
  CHECK(now.last_send_ns > 0 && now.last_data_send_ns > 0 && now.last_heartbeat_ns == 0);

  /* As much of it as the caller knows. */
  memset(&last, 0x55, sizeof last);
  CHECK_OK(wsgate_client_info(server, id, &last, 16));
  CHECK(last.size == 16 && last.bytes_in == now.bytes_in && last.bytes_out == 0x5555555555555555u);

  CHECK_OK(wsgate_server_info(server, &all, sizeof all));
  CHECK(all.size == sizeof all && all.clients == 1 && all.arrivals == 0 && all.events == 0 && all.event_bytes == 0);
  CHECK(all.dropped_logs == 0 && all.evicted == 0 && all.outbox_budget == 512u << 20);
  CHECK_OK(wsgate_set_outbox_budget(1u << 30));
  CHECK_OK(wsgate_server_info(server, &all, sizeof all));
  CHECK(all.outbox_budget == 1u << 30);

  close_client(client);
  wsgate_event closed = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  memcpy(&last, closed.data, sizeof last);
  CHECK(last.messages_in == now.messages_in && last.messages_out == now.messages_out && last.closed_ns > 0);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_info(server, id, &now, sizeof now));
  CHECK_OK(wsgate_server_info(server, &all, sizeof all));
  CHECK(all.clients == 0);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
