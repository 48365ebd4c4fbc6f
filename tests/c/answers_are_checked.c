/* No decision or response takes a header, status or argument that could spoil what goes out; what it was for still
 * waits then. */
#include "records.h"

#include "http.h"

#define HEADERS(text) text, sizeof(text)

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  char value[4];
  uint64_t length = 5;
  CHECK_OK(wsgate_endpoint_set_acceptor(server, endpoint, 1));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "handshake timeout", wsgate_endpoint_set_handshake_timeout(server, endpoint, 0));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "subprotocol", wsgate_endpoint_add_subprotocol(server, endpoint, "a b", 3));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_endpoint_set_acceptor(server, 9, 1));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_endpoint_set_same_host(server, 9, 1));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "request timeout", wsgate_server_set_request_timeout(server, 0));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "error page timeout", wsgate_server_set_error_pages(server, 60001));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "max body size", wsgate_server_set_max_body_size(server, (uint64_t)2 << 30));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "not a directory", wsgate_server_add_directory(server, "/a", 2, "/no", 3));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_accept(server, 1, NULL, 0, NULL, 0, 0, 0)); /* not started */
  int port = start(server), client = connect_to(port, 0);
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_endpoint_set_acceptor(server, endpoint, 1));
  ask_upgrade(client, "/", "");
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE).client;

  CHECK_ERROR(WSGATE_STATUS_INVALID, "Location",
              wsgate_accept(server, id, NULL, 0, HEADERS("Location\0/x\r\nSet-Cookie: a"), 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "token", wsgate_accept(server, id, NULL, 0, HEADERS("A B\0x"), 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "Upgrade", wsgate_accept(server, id, NULL, 0, HEADERS("Upgrade\0h2c"), 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "server alone",
              wsgate_accept(server, id, NULL, 0, HEADERS("Sec-WebSocket-Protocol\0x"), 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "NUL", wsgate_accept(server, id, NULL, 0, "A\0b", 3, 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "value", wsgate_accept(server, id, NULL, 0, "A", 2, 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "flags", wsgate_accept(server, id, NULL, 0, NULL, 0, 1, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "headers is NULL", wsgate_accept(server, id, NULL, 0, NULL, 1, 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "subprotocol", wsgate_accept(server, id, NULL, 1, NULL, 0, 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "UTF-8", wsgate_accept(server, id, "\xff", 1, NULL, 0, 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "server is NULL", wsgate_accept(NULL, id, NULL, 0, NULL, 0, 0, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "status is 200", wsgate_reject(server, id, 200, NULL, 0, NULL, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "status is 600", wsgate_reject(server, id, 600, NULL, 0, NULL, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "Content-Length",
              wsgate_reject(server, id, 400, HEADERS("Content-Length\0" "9"), NULL, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "body is NULL", wsgate_reject(server, id, 400, NULL, 0, NULL, 3));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_respond(server, id, 200, NULL, 0, NULL, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "token",
              wsgate_handshake_header(server, id, "a b", 3, value, sizeof value, &length));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "value",
              wsgate_handshake_header(server, id, "host", 4, NULL, sizeof value, &length));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "length", wsgate_handshake_header(server, id, "host", 4, value, 4, NULL));
  CHECK(length == 5);
  CHECK_OK(wsgate_handshake_header(server, id, "host", 4, NULL, 0, &length));
  CHECK(length == 9);

  struct records records = {0};
  int32_t statuses[3];
  add_record(&records, WSGATE_OP_ACCEPT, id, NULL, 0, NULL)->flags = 1;
  add_record(&records, WSGATE_OP_ACCEPT, id, NULL, 0, "v9");
  add_record(&records, WSGATE_OP_REJECT, id, NULL, 0, "body")->flags = 200;
  CHECK(submit(server, &records, statuses, 3) == 0);
  for (int i = 0; i < 3; i++)
    CHECK(statuses[i] == WSGATE_STATUS_INVALID);

  /* It still waits. */
  CHECK_OK(wsgate_reject(server, id, 403, NULL, 0, "no", 2));
  expect_answer(client, 403, "no");
  close(client);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
