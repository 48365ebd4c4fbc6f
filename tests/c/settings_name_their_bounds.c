/* A setting out of its bounds is refused at once, with its name, the value and the bound; the bounds are allowed. */
#include "check.h"

#define CONFIG WSGATE_STATUS_CONFIG

static void names(const char *setting, const char *value, const char *bound) {
  const char *error = wsgate_last_error();
  CHECK(strstr(error, setting) && strstr(error, value) && strstr(error, bound));
}

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);

  CHECK_STATUS(CONFIG, wsgate_server_set_workers(server, 1025));
  names("workers", "1025", "1024");
  CHECK_STATUS(CONFIG, wsgate_server_set_log_level(server, 6));
  names("log level", "6", "5");
  CHECK_STATUS(CONFIG, wsgate_server_set_queue_limit(server, 1));
  names("queue limit", "1", "65536");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_max_message_size(server, endpoint, 0));
  names("max message size", "0", "1073741824");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_max_frame_size(server, endpoint, UINT64_MAX));
  names("max frame size", "18446744073709551615", "1073741824");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_max_fragments(server, endpoint, 0));
  names("max fragments", "0", "4294967296");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_close_period(server, endpoint, 3600001));
  names("close period", "3600001", "3600000");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_outbox_limit(server, endpoint, 0, 1));
  names("outbox limit", "0", "bytes");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_outbox_limit(server, endpoint, 1, 100001));
  names("outbox limit", "100000", "messages");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_frame_split(server, endpoint, 127));
  names("frame split threshold", "127", "128");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_receive_window(server, endpoint, 0, 1));
  names("receive window", "0", "bytes");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_receive_window(server, endpoint, 1, 0));
  names("receive window", "0", "messages");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_heartbeat(server, endpoint, 49, 3));
  names("heartbeat period", "49", "nor 0");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_heartbeat(server, endpoint, 0, 0));
  names("heartbeat limit", "0", "1000");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_rate_limit(server, endpoint, UINT64_MAX, 1));
  names("rate limit", "18446744073709551615", "bytes per second");
  CHECK_STATUS(CONFIG, wsgate_endpoint_set_rate_limit(server, endpoint, 0, UINT64_MAX));
  names("rate limit", "18446744073709551615", "frames per second");
  CHECK_STATUS(CONFIG, wsgate_set_outbox_budget(1));
  names("outbox budget", "1", "bytes");
  CHECK_STATUS(CONFIG, wsgate_set_inbox_budget(1));
  names("inbox budget", "1", "bytes");
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_endpoint_set_slow_consumer(server, endpoint, 3));
  names("policy", "3", "wsgate_slow_consumer");
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_endpoint_set_rate_policy(server, endpoint, 2));
  names("policy", "2", "wsgate_rate_policy");

  CHECK_OK(wsgate_server_set_workers(server, 0));
  CHECK_OK(wsgate_server_set_workers(server, 1024));
  CHECK_OK(wsgate_server_set_log_level(server, WSGATE_LOG_LEVEL_OFF));
  CHECK_OK(wsgate_server_set_log_level(server, WSGATE_LOG_LEVEL_TRACE));
  CHECK_OK(wsgate_endpoint_set_max_message_size(server, endpoint, 1));
  CHECK_OK(wsgate_endpoint_set_close_period(server, endpoint, 3600000));
  CHECK_OK(wsgate_endpoint_set_outbox_limit(server, endpoint, 1, 100000));
  CHECK_OK(wsgate_endpoint_set_frame_split(server, endpoint, 0));
  CHECK_OK(wsgate_endpoint_set_receive_window(server, endpoint, 1, 1));
  CHECK_OK(wsgate_endpoint_set_explicit_grants(server, endpoint, 1));
  CHECK_OK(wsgate_endpoint_set_heartbeat(server, endpoint, 0, 1));
  CHECK_OK(wsgate_endpoint_set_rate_limit(server, endpoint, 0, 0));
  CHECK_OK(wsgate_endpoint_set_rate_policy(server, endpoint, WSGATE_RATE_POLICY_CLOSE));
  CHECK_OK(wsgate_endpoint_set_slow_consumer(server, endpoint, WSGATE_SLOW_CONSUMER_DROP_OLDEST));
  CHECK_OK(wsgate_endpoint_set_text_only(server, endpoint, 1));
  CHECK_OK(wsgate_set_outbox_budget(1 << 20));
  CHECK_OK(wsgate_set_inbox_budget(1 << 20));
  CHECK_OK(wsgate_server_free(server));
  return 0;
}
