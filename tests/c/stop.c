/* Stop returns at once, sends 1001 to every client, gives one CLOSE for each and then STOPPED, the last event of all;
 * clients that do not answer within the grace are cut. */
#include "check.h"

#define CLIENTS 12

static struct tally tally = TALLY;

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)server;
  (void)user_data;
  CHECK(tally_count(&tally, WSGATE_EVENT_KIND_STOPPED) == 0);
  if (event->kind == WSGATE_EVENT_KIND_STOPPED)
    CHECK(tally_count(&tally, WSGATE_EVENT_KIND_CLOSE) == CLIENTS);
  if (event->kind == WSGATE_EVENT_KIND_CLOSE)
    CHECK(event->value == WSGATE_CLOSE_CAUSE_SHUTDOWN);
  tally_event(&tally, event);
}

static void push(void) {
  uint32_t endpoint;
  char byte;
  int clients[CLIENTS];
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_endpoint_set_close_period(server, endpoint, 3600000)); /* so that it is the grace that ends it */
  CHECK_OK(wsgate_server_on_event(server, on_event, NULL, NULL));
  int port = start(server);
  for (int c = 0; c < CLIENTS; c++)
    clients[c] = open_client(port);
  wsgate_event accepted = tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, CLIENTS);

  CHECK_OK(wsgate_server_stop(server, 500));
  for (int c = 0; c < CLIENTS; c++) {
    EXPECT_CLOSE(clients[c], 1001);
    if (c % 2)
      send_close(clients[c], 1001, "");
  }
  tally_wait(&tally, WSGATE_EVENT_KIND_STOPPED, 1);
  for (int c = 0; c < CLIENTS; c++)
    CHECK(recv(clients[c], &byte, 1, 0) <= 0);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(server, accepted.client, "x", 1));
  CHECK_OK(wsgate_server_free(server));
  CHECK(tally_count(&tally, WSGATE_EVENT_KIND_STOPPED) == 1);
  for (int c = 0; c < CLIENTS; c++)
    close(clients[c]);
}

/* Events that the host has not taken yet are not lost by stopping, and there is no connecting any more. */
static void pull(void) {
  uint32_t endpoint;
  struct frame frame;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int port = start(server), client = open_client(port);
  send_text(client, "before the stop");
  send_frame(client, PING, "", 0);
  read_frame(client, &frame); /* its pong: the text was read as well */
  CHECK_OK(wsgate_server_stop(server, 1000 * PATIENCE_S));
  CHECK_OK(wsgate_server_stop(server, 1000 * PATIENCE_S)); /* is under way */
  EXPECT_CLOSE(client, 1001);
  send_close(client, 1001, "");
  close(client);

  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event_is(&event, "before the stop"));
  event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK(event.code == 1001 && event.flags & WSGATE_EVENT_FLAG_CLEAN);
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK(batch->pending == 0);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_server_take(server, batch, 0, -1));

  int late = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(late, (struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(late);
}

int main(void) {
  push();
  pull();
  return 0;
}
