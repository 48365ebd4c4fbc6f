/* Whatever one thread sends, directly, by broadcast or by close, reaches each client in the order of the calls: from
 * the host's thread, from a callback, and from one submit. */
#include "records.h"

#define CLIENTS 4
#define ROUNDS 200

static uint64_t gateway;
static struct tally tally = TALLY;

/* Every client gets "b 0", "b 1" ..., and `favoured` a "d N" before each; then it is closed. */
static void expect_order(const int *clients, int favoured) {
  char text[32];
  for (int c = 0; c < CLIENTS; c++)
    for (int i = 0; i < ROUNDS; i++) {
      snprintf(text, sizeof text, "d %d", i);
      if (c == favoured)
        EXPECT_TEXT(clients[c], text);
      text[0] = 'b';
      EXPECT_TEXT(clients[c], text);
    }
  EXPECT_CLOSE(clients[favoured], 4000);
}

static void send_in_order(wsgate_server *server, uint64_t favoured) {
  char text[32];
  for (int i = 0; i < ROUNDS; i++) {
    int length = snprintf(text, sizeof text, "d %d", i);
    CHECK_OK(wsgate_client_send_text(server, favoured, text, (size_t)length));
    text[0] = 'b';
    CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, text, (size_t)length, NULL, 0));
  }
  CHECK_OK(wsgate_client_close(server, favoured, 4000, NULL, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(server, favoured, "after close", 11));
}

static void submit_in_order(wsgate_server *server, uint64_t favoured) {
  static struct records records;
  char text[32];
  for (int i = 0; i < ROUNDS; i++) {
    snprintf(text, sizeof text, "d %d", i);
    add_text(&records, favoured, text);
    text[0] = 'b';
    add_record(&records, WSGATE_OP_BROADCAST_TEXT, gateway, NULL, 0, text);
  }
  add_record(&records, WSGATE_OP_CLOSE, favoured, NULL, 0, NULL)->flags = 4000;
  CHECK(submit(server, &records, NULL, 0) == 2 * ROUNDS + 1);
}

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    send_in_order(server, event->client);
  tally_event(&tally, event);
}

static wsgate_server *gateway_server(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  return server;
}

static void free_all(wsgate_server *server, int *clients) {
  CHECK_OK(wsgate_server_free(server));
  for (int c = 0; c < CLIENTS; c++)
    close(clients[c]);
}

static void in_pull(void (*send)(wsgate_server *server, uint64_t favoured)) {
  int clients[CLIENTS];
  uint64_t ids[CLIENTS];
  wsgate_server *server = gateway_server();
  wsgate_batch *batch = wsgate_batch_new();
  int port = start(server);
  for (int c = 0; c < CLIENTS; c++) {
    clients[c] = open_client(port);
    ids[c] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  }
  send(server, ids[1]);
  expect_order(clients, 1);
  free_all(server, clients);
  wsgate_batch_free(batch);
}

static void in_a_callback(void) {
  int clients[CLIENTS];
  wsgate_server *server = gateway_server();
  CHECK_OK(wsgate_server_on_event(server, on_event, NULL, NULL));
  int port = start(server);
  for (int c = 0; c < CLIENTS; c++)
    clients[c] = open_client(port);
  tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, CLIENTS);
  send_text(clients[2], "go");
  expect_order(clients, 2);
  free_all(server, clients);
}

int main(void) {
  in_pull(send_in_order);
  in_pull(submit_in_order);
  in_a_callback();
  return 0;
}
