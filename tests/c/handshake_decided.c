/* A handshake that waits is decided by a call: its id becomes the client's, what the application sets stands in the
 * response, and a second or late decision is CLOSED. */
#include "http.h"

static int find(wsgate_server *server, uint64_t handshake, const char *name, char *value, size_t size) {
  uint64_t length = 0;
  memset(value, '#', size);
  CHECK_OK(wsgate_handshake_header(server, handshake, name, strlen(name), value, size, &length));
  return length == UINT64_MAX ? -1 : (int)length;
}

int main(void) {
  static const char headers[] = "Set-Cookie\0a=1\0Set-Cookie\0b=2";
  uint32_t endpoint;
  struct answer answer;
  char value[8];
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_add_endpoint(server, "/rooms/:room", 12, &endpoint));
  CHECK_OK(wsgate_endpoint_set_acceptor(server, endpoint, 1));
  CHECK_OK(wsgate_endpoint_add_subprotocol(server, endpoint, "v1", 2));
  int port = start(server), client = connect_to(port, 0);

  ask_upgrade(client, "/rooms/caf%C3%A9?x", "Cookie: a=1\r\nCookie: b=2\r\nSec-WebSocket-Protocol: v2, v1\r\n");
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE);
  uint64_t id = event.client;
  CHECK(id != 0 && event.endpoint == endpoint);
  CHECK(find(server, id, "COOKIE", value, sizeof value) == 8 && memcmp(value, "a=1; b=2", 8) == 0);
  CHECK(find(server, id, "cookie", value, 3) == 8 && memcmp(value, "a=1", 3) == 0);
  CHECK(find(server, id, "authorization", value, sizeof value) == -1);

  /* Until it is accepted it is no client. */
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(server, id, "x", 1));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_ping(server, id, 1));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_close(server, id, 1000, "", 0));

  CHECK_ERROR(WSGATE_STATUS_INVALID, "v3", wsgate_accept(server, id, "v3", 2, NULL, 0, 0, 0));
  CHECK_OK(wsgate_accept(server, id, "v2", 2, headers, sizeof headers, 0, 77));
  read_answer(client, &answer);
  CHECK(answer.status == 101 && strstr(answer.head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != NULL);
  CHECK(strstr(answer.head, "set-cookie: a=1\r\n") && strstr(answer.head, "set-cookie: b=2\r\n"));
  CHECK(strstr(answer.head, "sec-websocket-protocol: v2\r\n") != NULL);

  event = take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  CHECK(event.client == id && event.user_data == 77 && event.endpoint == endpoint);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_accept(server, id, NULL, 0, NULL, 0, 0, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_reject(server, id, 400, NULL, 0, NULL, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_respond(server, id, 200, NULL, 0, NULL, 0));
  send_text(client, "hello");
  event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event.client == id && event.user_data == 77 && event_is(&event, "hello"));
  CHECK_OK(wsgate_client_close(server, id, 1000, "", 0));
  EXPECT_CLOSE(client, 1000);
  send_close(client, 1000, "");
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).client == id);
  close(client);

  /* Rejected: the application's own response, and the connection may ask again. */
  client = connect_to(port, 0);
  for (int turn = 0; turn < 2; turn++) {
    static const char json[] = "Content-Type\0application/json\0WWW-Authenticate\0Bearer";
    ask_upgrade(client, "/rooms/x", "");
    id = take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE).client;
    CHECK_OK(wsgate_reject(server, id, 401, json, sizeof json, "{\"error\":\"no\"}", 14));
    CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_accept(server, id, NULL, 0, NULL, 0, 0, 0));
    read_answer(client, &answer);
    CHECK(answer.status == 401 && strcmp(answer.body, "{\"error\":\"no\"}") == 0);
    CHECK(strstr(answer.head, "www-authenticate: Bearer\r\n") && strstr(answer.head, "application/json"));
  }
  close(client);

  /* An endpoint without the setting decides by itself. */
  client = open_client(port);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_ACCEPT).endpoint != endpoint);
  close(client);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
