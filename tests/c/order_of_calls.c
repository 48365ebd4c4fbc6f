/* A call in the wrong order is answered with INVALID and changes nothing. */
#include "check.h"

#define INVALID WSGATE_STATUS_INVALID

static struct tally tally = TALLY;

static void before_start(wsgate_server *server, wsgate_batch *batch) {
  CHECK_STATUS(INVALID, wsgate_server_port(server, 0));
  CHECK_STATUS(INVALID, wsgate_server_fd(server));
  CHECK_STATUS(INVALID, wsgate_server_take(server, batch, 0, 0));
  CHECK_STATUS(INVALID, wsgate_server_stop(server, 0));
  CHECK_STATUS(INVALID, wsgate_client_pause(server, 1));
  wsgate_server_counters counters;
  CHECK_STATUS(INVALID, wsgate_server_info(server, &counters, sizeof counters));
}

static void after_start(wsgate_server *server, uint32_t endpoint, uint64_t gateway) {
  uint32_t another;
  CHECK_ERROR(INVALID, "start", wsgate_server_start(server));
  CHECK_ERROR(INVALID, "start", wsgate_server_listen(server, "127.0.0.1:0", 11));
  CHECK_ERROR(INVALID, "start", wsgate_server_set_workers(server, 1));
  CHECK_ERROR(INVALID, "start", wsgate_server_set_log_level(server, 1));
  CHECK_ERROR(INVALID, "start", wsgate_server_set_queue_limit(server, 1 << 20));
  CHECK_ERROR(INVALID, "start", wsgate_server_set_directory(server, "/", 1));
  CHECK_ERROR(INVALID, "start", wsgate_server_add_endpoint(server, "/late", 5, &another));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_add_origin(server, endpoint, "http://a.example", 16));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_gateway(server, endpoint, gateway));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_max_message_size(server, endpoint, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_max_frame_size(server, endpoint, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_max_fragments(server, endpoint, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_close_period(server, endpoint, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_outbox_limit(server, endpoint, 1, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_slow_consumer(server, endpoint, 0));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_frame_split(server, endpoint, 0));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_text_only(server, endpoint, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_receive_window(server, endpoint, 1, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_explicit_grants(server, endpoint, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_heartbeat(server, endpoint, 0, 1));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_rate_limit(server, endpoint, 0, 0));
  CHECK_ERROR(INVALID, "start", wsgate_endpoint_set_rate_policy(server, endpoint, 0));
  CHECK_ERROR(INVALID, "start", wsgate_server_on_message(server, on_tally, &tally, NULL));
  CHECK_ERROR(INVALID, "start", wsgate_server_on_event(server, on_tally, &tally, NULL));
}

static void pull(void) {
  uint32_t endpoint;
  uint64_t gateway;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  before_start(server, batch);

  int port = start(server);
  after_start(server, endpoint, gateway);
  int client = open_client(port);
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  send_text(client, "larger than the limit that was refused");
  take(server, batch, WSGATE_EVENT_KIND_MESSAGE);

  CHECK_OK(wsgate_server_stop(server, 0));
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_server_take(server, batch, 0, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(server, id, "x", 1));
  CHECK(wsgate_server_start(server) < 0);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
}

/* What a push server is told, it is not asked for. */
static void push(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_on_event(server, on_tally, &tally, NULL));
  start(server);
  CHECK_ERROR(INVALID, "callbacks", wsgate_server_take(server, batch, 0, 0));
  CHECK_ERROR(INVALID, "callbacks", wsgate_server_fd(server));
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
}

/* Nowhere to listen. */
static void empty(void) {
  wsgate_server *server = wsgate_server_new();
  CHECK_ERROR(INVALID, "listen", wsgate_server_start(server));
  CHECK_OK(wsgate_server_free(server));
}

int main(void) {
  pull();
  push();
  empty();
  return 0;
}
