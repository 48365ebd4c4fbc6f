/* A client whose messages are not granted is not read beyond its window, and the others are; a grant, by the call or by a
 * record, lets as much through. Without explicit grants, taking again is what grants. */
#include "check.h"
#include "records.h"

#define WINDOW 3
#define MESSAGES 20

static void send_numbers(int client, int count) {
  for (int i = 0; i < count; i++) {
    char text[12];
    snprintf(text, sizeof text, "%d", i);
    send_text(client, text);
  }
}

/* Takes messages of this client until `until` have come; those of others are answered. */
static int take_until(wsgate_server *server, wsgate_batch *batch, uint64_t client, int next, int until) {
  while (next < until) {
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
    char text[12];
    snprintf(text, sizeof text, "%d", next);
    CHECK(event.client == client && event_is(&event, text));
    next++;
  }
  return next;
}

/* Everything that the server has read of this client by now has been taken: another's echo says so. */
static void nothing_more(wsgate_server *server, wsgate_batch *batch, int other, uint64_t other_id) {
  for (int i = 0; i < 3; i++) {
    send_text(other, "and I?");
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
    CHECK(event.client == other_id && event_is(&event, "and I?"));
    CHECK_OK(wsgate_client_grant(server, other_id, event.length, 1));
  }
}

int main(void) {
  static struct records records;
  int32_t status;
  uint32_t endpoint, taking;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_set_workers(server, 1)); /* the other client's is the same worker */
  CHECK_OK(wsgate_endpoint_set_receive_window(server, endpoint, 1 << 20, WINDOW));
  CHECK_OK(wsgate_endpoint_set_explicit_grants(server, endpoint, 1));
  CHECK_OK(wsgate_server_add_endpoint(server, "/taking", 7, &taking));
  CHECK_OK(wsgate_endpoint_set_receive_window(server, taking, 1, WINDOW));
  int port = start(server);
  int client = open_client(port);
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  int other = open_client(port);
  uint64_t other_id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;

  send_numbers(client, MESSAGES);
  int next = take_until(server, batch, id, 0, WINDOW);
  nothing_more(server, batch, other, other_id);
  CHECK_OK(wsgate_client_grant(server, id, 1, 1));
  next = take_until(server, batch, id, next, WINDOW + 1);
  nothing_more(server, batch, other, other_id);
  add_record(&records, WSGATE_OP_CLIENT_GRANT, id, NULL, 0, NULL)->flags = 2;
  CHECK(submit(server, &records, &status, 1) == 1 && status == WSGATE_STATUS_OK);
  next = take_until(server, batch, id, next, WINDOW + 3);
  nothing_more(server, batch, other, other_id);
  /* More than was handed over is no credit. */
  CHECK_OK(wsgate_client_grant(server, id, 1 << 30, 1 << 30));
  next = take_until(server, batch, id, next, 2 * WINDOW + 3);
  nothing_more(server, batch, other, other_id);

  /* A close is heard although the window is full. */
  CHECK_OK(wsgate_client_close(server, id, 1000, NULL, 0));
  EXPECT_CLOSE(client, 1000);
  send_close(client, 1000, "");
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).client == id);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_grant(server, id, 1, 1));
  close(client);

  client = connect_to(port, 0);
  upgrade(client, "/taking");
  id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_ERROR(WSGATE_STATUS_INVALID, "grants", wsgate_client_grant(server, id, 1, 1));
  send_numbers(client, MESSAGES);
  take_until(server, batch, id, 0, MESSAGES);

  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
  close(other);
  return 0;
}
