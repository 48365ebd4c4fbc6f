/* Connections in all and requests at once are bounded, what is over the bound is told so, and each is counted. */
#include "http.h"

static wsgate_server_counters counters(wsgate_server *server) {
  wsgate_server_counters info;
  memset(&info, 0xff, sizeof info);
  CHECK_OK(wsgate_server_info(server, &info, sizeof info));
  CHECK(info.size == sizeof info);
  return info;
}

/* Waits until so many connections are left. */
static void await_connections(wsgate_server *server, uint64_t expected) {
  for (int turn = 0; counters(server).connections != expected; turn++) {
    CHECK(turn < 1000 * PATIENCE_S);
    poll(NULL, 0, 1);
  }
}

int main(void) {
  uint32_t endpoint;
  char byte;
  wsgate_server_counters info;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_info(server, &info, sizeof info)); /* not started */
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "max connections", wsgate_server_set_max_connections(server, 1 << 25));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "per address", wsgate_server_set_max_connections_per_address(server, 1 << 25));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "max requests", wsgate_server_set_max_requests(server, 0));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "max header size", wsgate_server_set_max_header_size(server, 255));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "header timeout", wsgate_server_set_header_timeout(server, 0));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "body timeout", wsgate_server_set_body_timeout(server, 0));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "idle timeout", wsgate_server_set_idle_timeout(server, 0));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "write timeout", wsgate_server_set_write_timeout(server, 0));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "cache time", wsgate_server_set_cache_time(server, 31536001));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "unix mode", wsgate_server_set_unix_mode(server, 01000));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "method", wsgate_server_set_methods(server, "GET,", 4));

  CHECK_OK(wsgate_server_set_max_connections(server, 3));
  CHECK_OK(wsgate_server_set_max_requests(server, 1));
  CHECK_OK(wsgate_server_set_requests(server, 1));
  CHECK_OK(wsgate_server_set_log_level(server, WSGATE_LOG_LEVEL_WARN));
  int port = start(server);
  int client = open_client(port), waiting = connect_to(port, 0), idle = connect_to(port, 0);
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  write_all(waiting, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", 28);
  uint64_t request = take(server, batch, WSGATE_EVENT_KIND_REQUEST).client;
  await_connections(server, 3);

  /* One connection more is told why, and closed; the log tells of it. */
  int refused = connect_to(port, 0);
  expect_answer(refused, 503, "There are too many connections");
  CHECK(recv(refused, &byte, 1, 0) == 0);
  close(refused);
  CHECK(wsgate_server_take(server, batch, 1, 1000 * PATIENCE_S) == 1);
  CHECK(batch->events->kind == WSGATE_EVENT_KIND_LOG && batch->events->code == WSGATE_LOG_LEVEL_WARN);

  /* One request more, while the first one waits. */
  write_all(idle, "GET /y HTTP/1.1\r\nHost: x\r\n\r\n", 28);
  expect_answer(idle, 503, "The server is not able to answer now");
  info = counters(server);
  CHECK(info.connections == 3 && info.clients == 1 && info.waiting == 1);
  CHECK(info.connections_total == 4 && info.connections_refused == 1 && info.address_refused == 0);
  CHECK(info.requests_total == 3 && info.requests_refused == 1);
  CHECK_OK(wsgate_respond(server, request, 200, NULL, 0, "x", 1));
  expect_answer(waiting, 200, "x");

  /* Who leaves makes room: a client, too, and only when it has gone. */
  close_client(client);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  close(waiting);
  await_connections(server, 1);
  client = open_client(port);
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  CHECK_OK(wsgate_server_info(server, &info, 16)); /* an older caller's struct */
  CHECK(info.size == 16 && info.clients == 1 && info.connections_total == 4);
  CHECK_ERROR(WSGATE_STATUS_INVALID, "size", wsgate_server_info(server, &info, 7));
  close(client);
  close(idle);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
