/* NULL, wrong lengths and wrong values are answered with INVALID or CONFIG and a last error that names them; what
 * could not be done leaves the out-parameters alone. */
#include "check.h"

#define INVALID WSGATE_STATUS_INVALID
#define CONFIG WSGATE_STATUS_CONFIG
#define UNTOUCHED 0xabababab

static void no_server(void) {
  wsgate_batch *batch = wsgate_batch_new();
  uint32_t endpoint = UNTOUCHED;
  uint64_t gateway = UNTOUCHED;
  wsgate_server_counters server_counters;
  wsgate_client_counters client_counters;
  client_counters.size = UNTOUCHED;
  server_counters.size = UNTOUCHED;

  CHECK_ERROR(INVALID, "server", wsgate_server_listen(NULL, "127.0.0.1:0", 11));
  CHECK_ERROR(INVALID, "server", wsgate_server_set_workers(NULL, 1));
  CHECK_ERROR(INVALID, "server", wsgate_server_set_log_level(NULL, 1));
  CHECK_ERROR(INVALID, "server", wsgate_server_set_queue_limit(NULL, 1 << 20));
  CHECK_ERROR(INVALID, "server", wsgate_server_set_directory(NULL, "/", 1));
  CHECK_ERROR(INVALID, "server", wsgate_server_add_endpoint(NULL, "/", 1, &endpoint));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_add_origin(NULL, 0, "http://a.example", 16));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_gateway(NULL, 0, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_max_message_size(NULL, 0, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_max_frame_size(NULL, 0, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_max_fragments(NULL, 0, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_close_period(NULL, 0, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_outbox_limit(NULL, 0, 1, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_slow_consumer(NULL, 0, 0));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_frame_split(NULL, 0, 0));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_text_only(NULL, 0, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_receive_window(NULL, 0, 1, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_explicit_grants(NULL, 0, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_heartbeat(NULL, 0, 0, 1));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_rate_limit(NULL, 0, 0, 0));
  CHECK_ERROR(INVALID, "server", wsgate_endpoint_set_rate_policy(NULL, 0, 0));
  CHECK_ERROR(INVALID, "server", wsgate_server_info(NULL, &server_counters, sizeof server_counters));
  CHECK_ERROR(INVALID, "server", wsgate_client_info(NULL, 1, &client_counters, sizeof client_counters));
  CHECK_ERROR(INVALID, "server", wsgate_client_grant(NULL, 1, 1, 1));
  CHECK_ERROR(INVALID, "server", wsgate_client_pause(NULL, 1));
  CHECK_ERROR(INVALID, "server", wsgate_client_resume(NULL, 1));
  CHECK_ERROR(INVALID, "server", wsgate_server_start(NULL));
  CHECK_ERROR(INVALID, "server", wsgate_server_port(NULL, 0));
  CHECK_ERROR(INVALID, "server", wsgate_server_stop(NULL, 0));
  CHECK_ERROR(INVALID, "server", wsgate_server_on_accept(NULL, on_tally, NULL, NULL));
  CHECK_ERROR(INVALID, "server", wsgate_server_on_message(NULL, on_tally, NULL, NULL));
  CHECK_ERROR(INVALID, "server", wsgate_server_on_close(NULL, on_tally, NULL, NULL));
  CHECK_ERROR(INVALID, "server", wsgate_server_on_log(NULL, on_tally, NULL, NULL));
  CHECK_ERROR(INVALID, "server", wsgate_server_on_event(NULL, on_tally, NULL, NULL));
  CHECK_ERROR(INVALID, "server", wsgate_server_take(NULL, batch, 0, 0));
  CHECK_ERROR(INVALID, "server", wsgate_server_fd(NULL));
  CHECK_ERROR(INVALID, "server", wsgate_submit(NULL, NULL, 0, NULL, 0));
  CHECK_ERROR(INVALID, "server", wsgate_client_send_text(NULL, 1, "x", 1));
  CHECK_ERROR(INVALID, "server", wsgate_client_send_binary(NULL, 1, "x", 1));
  CHECK_ERROR(INVALID, "server", wsgate_client_ping(NULL, 1, 1));
  CHECK_ERROR(INVALID, "server", wsgate_client_close(NULL, 1, 1000, NULL, 0));
  CHECK_ERROR(INVALID, "server", wsgate_client_set_user_data(NULL, 1, 1));
  CHECK_ERROR(INVALID, "server", wsgate_gateway_new(NULL, &gateway));
  CHECK_ERROR(INVALID, "server", wsgate_gateway_free(NULL, 1));
  CHECK_ERROR(INVALID, "server", wsgate_gateway_add(NULL, 1, 1));
  CHECK_ERROR(INVALID, "server", wsgate_gateway_remove(NULL, 1, 1));
  CHECK_ERROR(INVALID, "server", wsgate_gateway_broadcast_text(NULL, 1, "x", 1, NULL, 0));
  CHECK_ERROR(INVALID, "server", wsgate_gateway_broadcast_binary(NULL, 1, "x", 1, NULL, 0));

  CHECK(endpoint == UNTOUCHED && gateway == UNTOUCHED);
  CHECK(server_counters.size == UNTOUCHED && client_counters.size == UNTOUCHED);
  wsgate_batch_free(batch);
}

static void strings_and_out_parameters(void) {
  wsgate_server *server = wsgate_server_new();
  uint32_t endpoint = UNTOUCHED;

  CHECK_ERROR(INVALID, "address", wsgate_server_listen(server, NULL, 11));
  CHECK_ERROR(CONFIG, "address", wsgate_server_listen(server, "127.0.0.1:0", 9)); /* the length counts, not a NUL */
  CHECK_ERROR(CONFIG, "address", wsgate_server_listen(server, "", 0));
  CHECK_ERROR(INVALID, "address", wsgate_server_listen(server, "\xff\xfe:80", 5)); /* not UTF-8 */
  CHECK_ERROR(INVALID, "address", wsgate_server_listen(server, "127.0.0.1:0", SIZE_MAX));
  CHECK_ERROR(INVALID, "path", wsgate_server_set_directory(server, NULL, 1));
  CHECK_ERROR(CONFIG, "directory", wsgate_server_set_directory(server, "/no/such/directory", 18));
  CHECK_ERROR(INVALID, "path", wsgate_server_add_endpoint(server, NULL, 1, &endpoint));
  CHECK_ERROR(CONFIG, "chat", wsgate_server_add_endpoint(server, "chat", 4, &endpoint));
  CHECK_ERROR(INVALID, "endpoint", wsgate_server_add_endpoint(server, "/", 1, NULL));
  CHECK(endpoint == UNTOUCHED);
  CHECK_OK(wsgate_server_add_endpoint(server, "/", 1, &endpoint));
  CHECK_ERROR(CONFIG, "there already", wsgate_server_add_endpoint(server, "/", 1, &endpoint));
  CHECK_ERROR(INVALID, "origin", wsgate_endpoint_add_origin(server, endpoint, NULL, 1));
  CHECK_ERROR(CONFIG, "a.example", wsgate_endpoint_add_origin(server, endpoint, "a.example", 9));
  CHECK_ERROR(INVALID, "endpoint 7", wsgate_endpoint_add_origin(server, 7, "http://a.example", 16));
  CHECK_ERROR(INVALID, "endpoint 7", wsgate_endpoint_set_max_message_size(server, 7, 1));
  CHECK_ERROR(WSGATE_STATUS_CLOSED, "gateway", wsgate_endpoint_set_gateway(server, endpoint, 12345));
  CHECK_ERROR(INVALID, "gateway", wsgate_gateway_new(server, NULL));
  CHECK_ERROR(INVALID, "fn", wsgate_server_on_message(server, NULL, NULL, NULL));
  CHECK_OK(wsgate_server_free(server));
}

static void sends(void) {
  uint32_t endpoint;
  uint64_t gateway;
  char long_reason[124];
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  int client = open_client(start(server));
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  memset(long_reason, 'x', sizeof long_reason);

  CHECK_ERROR(INVALID, "out", wsgate_client_info(server, id, NULL, sizeof(wsgate_client_counters)));
  CHECK_ERROR(INVALID, "size", wsgate_client_info(server, id, (wsgate_client_counters *)long_reason, 7));
  CHECK_ERROR(INVALID, "out", wsgate_server_info(server, NULL, 8));
  CHECK_ERROR(INVALID, "grants", wsgate_client_grant(server, id, 1, 1));
  CHECK_ERROR(INVALID, "batch", wsgate_server_take(server, NULL, 0, 0));
  CHECK_ERROR(INVALID, "buffer", wsgate_submit(server, NULL, 8, NULL, 0));
  CHECK_ERROR(INVALID, "data", wsgate_client_send_text(server, id, NULL, 1));
  CHECK_ERROR(INVALID, "data", wsgate_client_send_binary(server, id, NULL, 1));
  CHECK_ERROR(INVALID, "data", wsgate_client_send_binary(server, id, "x", SIZE_MAX));
  CHECK_ERROR(INVALID, "UTF-8", wsgate_client_send_text(server, id, "a\xc3", 2));
  CHECK_ERROR(INVALID, "UTF-8", wsgate_gateway_broadcast_text(server, gateway, "a\xc3", 2, NULL, 0));
  CHECK_ERROR(INVALID, "data", wsgate_gateway_broadcast_text(server, gateway, NULL, 1, NULL, 0));
  CHECK_ERROR(INVALID, "exclude", wsgate_gateway_broadcast_text(server, gateway, "x", 1, NULL, 1));
  CHECK_ERROR(INVALID, "exclude", wsgate_gateway_broadcast_binary(server, gateway, "x", 1, &id, SIZE_MAX));
  CHECK_ERROR(INVALID, "reason", wsgate_client_close(server, id, 1000, NULL, 1));
  CHECK_ERROR(INVALID, "reason", wsgate_client_close(server, id, 1000, long_reason, sizeof long_reason));
  CHECK_ERROR(INVALID, "UTF-8", wsgate_client_close(server, id, 1000, "\xff", 1));
  const uint32_t not_to_be_sent[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 66536};
  for (size_t i = 0; i < sizeof not_to_be_sent / sizeof *not_to_be_sent; i++)
    CHECK_ERROR(INVALID, "close code", wsgate_client_close(server, id, not_to_be_sent[i], NULL, 0));

  /* None of it reached the client; nothing at all is a message too. */
  CHECK_OK(wsgate_client_send_text(server, id, NULL, 0));
  EXPECT_TEXT(client, "");
  CHECK_OK(wsgate_client_close(server, id, 1014, long_reason, 123));
  EXPECT_CLOSE(client, 1014);

  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
}

static void *other_thread(void *nothing) {
  CHECK(strcmp(wsgate_last_error(), "") == 0);
  return nothing;
}

/* The last error is the calling thread's own; every status has a text. */
static void errors(void) {
  pthread_t thread;
  CHECK_ERROR(INVALID, "server", wsgate_server_start(NULL));
  CHECK(pthread_create(&thread, NULL, other_thread, NULL) == 0);
  pthread_join(thread, NULL);
  for (int32_t status = 1; status >= -13; status--)
    CHECK(wsgate_status_text(status) != NULL && wsgate_status_text(status)[0] != '\0');
  CHECK(wsgate_status_text(INT32_MIN) != NULL);
}

int main(void) {
  CHECK(strcmp(wsgate_last_error(), "") == 0);
  no_server();
  strings_and_out_parameters();
  sends();
  errors();
  return 0;
}
