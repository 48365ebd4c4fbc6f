/* What is sent right after wsgate_accept, also by a gateway, reaches the client first and in order: by calls from any
 * thread, inside the callback, and in one submit. */
#include "records.h"

#include "http.h"

#define TURNS 50

static uint64_t gateway;

static void greet(wsgate_server *server, uint64_t id) {
  CHECK_OK(wsgate_accept(server, id, NULL, 0, NULL, 0, 0, 0));
  CHECK_OK(wsgate_client_send_text(server, id, "one", 3));
  CHECK_OK(wsgate_gateway_add(server, gateway, id));
  CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, "two", 3, NULL, 0));
  CHECK_OK(wsgate_client_send_text(server, id, "three", 5));
}

static void expect_greeting(int client) {
  struct answer answer;
  read_answer(client, &answer);
  CHECK(answer.status == 101);
  EXPECT_TEXT(client, "one");
  EXPECT_TEXT(client, "two");
  EXPECT_TEXT(client, "three");
}

static void on_handshake(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_HANDSHAKE)
    greet(server, event->client);
}

/* The client may answer what it was sent, too, before its ACCEPT was taken. */
static void by_calls(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_acceptor(server, endpoint, 1));
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  int port = start(server);
  for (int turn = 0; turn < TURNS; turn++) {
    struct records records = {0};
    int client = connect_to(port, 0);
    ask_upgrade(client, "/", "");
    uint64_t id = take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE).client;
    if (turn % 2) {
      add_record(&records, WSGATE_OP_ACCEPT, id, NULL, 0, NULL)->ticket = 5;
      add_text(&records, id, "one");
      add_record(&records, WSGATE_OP_GATEWAY_ADD, gateway, &id, 1, NULL);
      add_record(&records, WSGATE_OP_BROADCAST_TEXT, gateway, NULL, 0, "two");
      add_text(&records, id, "three");
      CHECK(submit(server, &records, NULL, 0) == 5);
    } else {
      greet(server, id);
    }
    expect_greeting(client);
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
    CHECK(event.client == id && event.user_data == (turn % 2 ? 5u : 0u));
    close_client(client);
    CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).client == id);
  }
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
}

static void in_the_callback(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_endpoint_set_acceptor(server, endpoint, 1));
  CHECK_OK(wsgate_server_on_event(server, on_handshake, NULL, NULL));
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  int port = start(server);
  for (int turn = 0; turn < TURNS; turn++) {
    int client = connect_to(port, 0);
    ask_upgrade(client, "/", "");
    expect_greeting(client);
    close_client(client);
  }
  CHECK_OK(wsgate_server_free(server));
}

/* It need not be there any more: then ACCEPT and CLOSE come all the same. */
static void to_a_peer_that_left(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_acceptor(server, endpoint, 1));
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  int port = start(server), accepted = 0;
  for (int turn = 0; turn < TURNS; turn++) {
    int client = connect_to(port, 0);
    ask_upgrade(client, "/", "");
    uint64_t id = take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE).client;
    reset_client(client);
    if (wsgate_accept(server, id, NULL, 0, NULL, 0, 0, 0) == WSGATE_STATUS_OK) {
      accepted++;
      wsgate_client_send_text(server, id, "one", 3);
      CHECK(take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client == id);
      wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
      CHECK(event.client == id && event.code == 1006);
    } else {
      CHECK(take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE_GONE).client == id);
    }
  }
  fprintf(stderr, "%d of %d were accepted in time\n", accepted, TURNS);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
}

int main(void) {
  by_calls();
  in_the_callback();
  to_a_peer_that_left();
  return 0;
}
