/* A server can be freed in every state, and free() is prompt whatever the clients do. */
#include "check.h"

static void fresh(void) { CHECK_OK(wsgate_server_free(wsgate_server_new())); }

static void configured(void) {
  uint32_t endpoint;
  uint64_t gateway;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  CHECK_OK(wsgate_server_on_event(server, on_tally, NULL, NULL));
  CHECK_OK(wsgate_server_free(server));
}

static void running(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  int client = open_client(start(server));
  CHECK_OK(wsgate_server_free(server));
  struct frame frame;
  while (recv(client, frame.data, sizeof frame.data, 0) > 0) {
  } /* whether or not there was time for a Close, the connection ends */
  close(client);
}

/* An hour of grace for a client that never answers the Close. */
static void stopping(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_endpoint_set_close_period(server, endpoint, 3600000));
  int client = open_client(start(server));
  CHECK_OK(wsgate_server_stop(server, 3600000));
  EXPECT_CLOSE(client, 1001);
  CHECK_OK(wsgate_server_free(server));
  close(client);
}

static void stopped(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  start(server);
  CHECK_OK(wsgate_server_stop(server, 0));
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_server_take(server, batch, 0, -1));
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
}

/* A batch outlives the server that filled it. */
static void batch_outlives_server(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int client = open_client(start(server));
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  send_text(client, "kept");
  take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK_OK(wsgate_server_free(server));
  CHECK(event_is(batch->events, "kept"));
  wsgate_batch_free(batch);
  close(client);
}

static void several_addresses(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_listen(server, "127.0.0.1:0", 11));
  int first = start(server), second = wsgate_server_port(server, 1);
  CHECK(second > 0 && second != first);
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_port(server, 2));
  int clients[2] = {open_client(first), open_client(second)};
  CHECK_OK(wsgate_server_free(server));
  close(clients[0]);
  close(clients[1]);
}

/* Messages wait for a client that does not read, their outcomes are to come, nothing was taken, and it drains. */
static void in_the_midst_of_it(void) {
  static char large[1 << 20];
  uint32_t endpoint;
  uint64_t gateway;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  CHECK_OK(wsgate_endpoint_set_outbox_limit(server, endpoint, 1 << 30, 1000));
  int port = start(server), half = connect_to(port, 0), client = connect_to(port, 4096);
  write_all(half, "GET / HTTP/1.1\r\n", 16);
  upgrade(client, "/");
  for (uint64_t ticket = 0; ticket < 16; ticket++)
    CHECK_OK(wsgate_gateway_broadcast_with_outcome(server, gateway, 1, large, sizeof large, NULL, 0, ticket));
  CHECK_OK(wsgate_server_drain(server, 3600000, 3600000));
  CHECK_OK(wsgate_gateway_broadcast_with_outcome(server, gateway, 1, large, sizeof large, NULL, 0, 16));
  CHECK_OK(wsgate_server_free(server));
  close(half);
  close(client);
}

int main(void) {
  CHECK_OK(wsgate_server_free(NULL));
  wsgate_batch_free(NULL);
  fresh();
  configured();
  running();
  stopping();
  stopped();
  batch_outlives_server();
  several_addresses();
  in_the_midst_of_it();
  return 0;
}
