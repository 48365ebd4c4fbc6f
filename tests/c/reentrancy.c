/* Inside a callback, what would wait for the callback itself is REENTRANT; all else works. */
#include "check.h"

static struct tally tally = TALLY;
static wsgate_batch *batch;
static uint64_t gateway;
static int freed;

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  uint64_t temporary, id = event->client;
  (void)user_data;
  CHECK_ERROR(WSGATE_STATUS_REENTRANT, "callback", wsgate_server_free(server));
  CHECK_STATUS(WSGATE_STATUS_REENTRANT, wsgate_server_take(server, batch, 0, 0));

  CHECK_OK(wsgate_client_send_text(server, id, "direct", 6));
  CHECK_OK(wsgate_gateway_new(server, &temporary));
  CHECK_OK(wsgate_gateway_add(server, temporary, id));
  CHECK_OK(wsgate_gateway_remove(server, temporary, id));
  CHECK_OK(wsgate_gateway_free(server, temporary));
  CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, "to all", 6, NULL, 0));
  CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, "to others", 9, &id, 1));
  CHECK_OK(wsgate_client_ping(server, id, 5));
  CHECK_OK(wsgate_client_set_user_data(server, id, 42));
  CHECK(wsgate_server_port(server, 0) > 0);
  CHECK_OK(wsgate_client_close(server, id, 4000, "done", 4));
  tally_event(&tally, event);
}

/* Stopping works as well, and the CLOSE of this very client comes after this callback. */
static void on_close(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  CHECK(event->user_data == 42);
  CHECK_OK(wsgate_server_stop(server, 1000));
  tally_event(&tally, event);
}

/* Nor may the callback that is called last of all free its server. */
static void on_stopped(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_STOPPED)
    CHECK_STATUS(WSGATE_STATUS_REENTRANT, wsgate_server_free(server));
  tally_event(&tally, event);
}

static void on_freed(void *user_data) {
  (void)user_data;
  freed++;
}

int main(void) {
  static struct frame frame;
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  CHECK_OK(wsgate_server_on_message(server, on_message, NULL, on_freed));
  CHECK_OK(wsgate_server_on_close(server, on_close, NULL, NULL));
  CHECK_OK(wsgate_server_on_event(server, on_stopped, NULL, NULL));
  int port = start(server), client = open_client(port);
  tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, 1);

  send_text(client, "go");
  EXPECT_TEXT(client, "direct");
  EXPECT_TEXT(client, "to all");
  read_frame(client, &frame);
  CHECK(frame.opcode == PING);
  EXPECT_CLOSE(client, 4000);
  send_close(client, 4000, "done");
  close(client);
  tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, 1);
  tally_wait(&tally, WSGATE_EVENT_KIND_STOPPED, 1);
  CHECK(freed == 0);
  CHECK_OK(wsgate_server_free(server));
  CHECK(freed == 1);
  wsgate_batch_free(batch);
  return 0;
}
