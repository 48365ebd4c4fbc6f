/* Freeing a gateway does not overtake what the same thread did before: a client that was added and a broadcast that
 * was OK still count. */
#include "check.h"

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  uint64_t gateway;
  (void)user_data;
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_gateway_add(server, gateway, event->client));
  CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, "before", 6, NULL, 0));
  CHECK_OK(wsgate_gateway_free(server, gateway));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_broadcast_text(server, gateway, "after", 5, NULL, 0));
  CHECK_OK(wsgate_client_send_text(server, event->client, "end", 3));
}

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_message(server, on_message, NULL, NULL));
  int client = open_client(start(server));
  send_text(client, "go");
  EXPECT_TEXT(client, "before");
  EXPECT_TEXT(client, "end");
  CHECK_OK(wsgate_server_free(server));
  close(client);
  return 0;
}
