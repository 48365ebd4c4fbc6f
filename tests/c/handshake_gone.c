/* A handshake ends once: by its decision, or by HANDSHAKE_GONE, when the peer leaves, the time is over, or the server
 * stops. STOPPED comes after that. */
#include "http.h"

static uint64_t ask(wsgate_server *server, wsgate_batch *batch, int client, const char *target) {
  ask_upgrade(client, target, "");
  return take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE).client;
}

static void expect_gone(wsgate_server *server, wsgate_batch *batch, uint64_t id, uint32_t code) {
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE_GONE);
  CHECK(event.client == id && event.code == code);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_accept(server, id, NULL, 0, NULL, 0, 0, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_reject(server, id, 400, NULL, 0, NULL, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(server, id, "x", 1));
}

int main(void) {
  uint32_t slow, quick;
  wsgate_server *server = new_server(&slow);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_add_endpoint(server, "/quick", 6, &quick));
  CHECK_OK(wsgate_endpoint_set_acceptor(server, slow, 1));
  CHECK_OK(wsgate_endpoint_set_acceptor(server, quick, 1));
  CHECK_OK(wsgate_endpoint_set_handshake_timeout(server, quick, 1));
  int port = start(server), client = connect_to(port, 0);

  uint64_t id = ask(server, batch, client, "/");
  close(client);
  expect_gone(server, batch, id, 0);

  client = connect_to(port, 0);
  id = ask(server, batch, client, "/quick");
  expect_gone(server, batch, id, 503);
  expect_answer(client, 503, "The server is not able to answer now");

  id = ask(server, batch, client, "/");
  CHECK_OK(wsgate_server_stop(server, 0));
  expect_gone(server, batch, id, 503);
  expect_answer(client, 503, "The server is not able to answer now");
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_server_take(server, batch, 0, 0));
  close(client);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
