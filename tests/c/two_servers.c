/* Two servers in one process, one of them pulled and one pushed, know nothing of each other: neither's ids mean
 * anything to the other, and the end of one leaves the other alone. */
#include "check.h"

static struct tally tally = TALLY;

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  CHECK_OK(wsgate_client_send_text(server, event->client, event->data, event->length));
  tally_event(&tally, event);
}

int main(void) {
  uint32_t endpoint;
  uint64_t pulled_gateway, pushed_gateway;
  wsgate_server *pulled = new_server(&endpoint), *pushed = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_on_event(pushed, on_tally, &tally, NULL));
  CHECK_OK(wsgate_server_on_message(pushed, on_message, NULL, NULL));
  CHECK_OK(wsgate_gateway_new(pulled, &pulled_gateway));
  CHECK_OK(wsgate_gateway_new(pushed, &pushed_gateway));
  CHECK(pulled_gateway != pushed_gateway);
  int pulled_client = open_client(start(pulled)), pushed_client = open_client(start(pushed));
  CHECK(wsgate_server_port(pulled, 0) != wsgate_server_port(pushed, 0));
  uint64_t pulled_id = take(pulled, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  uint64_t pushed_id = tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, 1).client;
  CHECK(pulled_id != pushed_id);

  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(pulled, pushed_id, "x", 1));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_close(pushed, pulled_id, 1000, NULL, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_set_user_data(pushed, pulled_id, 1));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_add(pulled, pushed_gateway, pulled_id));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_add(pulled, pulled_gateway, pushed_id));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_broadcast_text(pushed, pulled_gateway, "x", 1, NULL, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_free(pushed, pulled_gateway));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_take(pushed, batch, 0, 0));

  CHECK_OK(wsgate_gateway_add(pulled, pulled_gateway, pulled_id));
  CHECK_OK(wsgate_gateway_add(pushed, pushed_gateway, pushed_id));
  CHECK_OK(wsgate_gateway_broadcast_text(pulled, pulled_gateway, "pulled", 6, NULL, 0));
  CHECK_OK(wsgate_gateway_broadcast_text(pushed, pushed_gateway, "pushed", 6, NULL, 0));
  EXPECT_TEXT(pulled_client, "pulled");
  EXPECT_TEXT(pushed_client, "pushed");

  CHECK_OK(wsgate_server_free(pulled));
  EXPECT_CLOSE(pulled_client, 1001);
  send_text(pushed_client, "still there");
  EXPECT_TEXT(pushed_client, "still there");
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(pushed, pulled_id, "x", 1));

  CHECK_OK(wsgate_server_free(pushed));
  wsgate_batch_free(batch);
  close(pulled_client);
  close(pushed_client);
  return 0;
}
