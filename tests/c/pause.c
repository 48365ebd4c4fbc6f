/* A paused client is not read: in push from the message on whose callback pauses it, in pull with those that wait still
 * coming. Resumed, it loses nothing. */
#include "check.h"
#include "records.h"

static struct tally tally = TALLY;
static uint64_t seen;

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE && event->length == 5) /* "pause" */
    CHECK_OK(wsgate_client_pause(server, event->client));
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    seen++;
  tally_event(user_data, event);
}

static void push(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_workers(server, 1));
  CHECK_OK(wsgate_server_on_event(server, on_event, &tally, NULL));
  int port = start(server), client = open_client(port), other = open_client(port);
  tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, 2);
  send_text(client, "1");
  send_text(client, "pause");
  send_text(client, "2");
  uint64_t id = tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 2).client;
  send_text(other, "other");
  tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 3);
  CHECK(tally_count(&tally, WSGATE_EVENT_KIND_MESSAGE) == 3 && seen == 3);
  CHECK_OK(wsgate_client_resume(server, id));
  CHECK(tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 4).client == id);
  CHECK_OK(wsgate_server_free(server));
  close(client);
  close(other);
}

static void pull(void) {
  static struct records records;
  int32_t statuses[2];
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_set_workers(server, 1));
  int port = start(server), client = open_client(port);
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  int other = open_client(port);
  uint64_t other_id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_OK(wsgate_client_pause(server, id));
  CHECK_OK(wsgate_client_pause(server, id));
  send_text(client, "1");
  send_text(other, "2");
  CHECK(take(server, batch, WSGATE_EVENT_KIND_MESSAGE).client == other_id);
  add_record(&records, WSGATE_OP_CLIENT_RESUME, id, NULL, 0, NULL);
  add_record(&records, WSGATE_OP_CLIENT_PAUSE, other_id, NULL, 0, NULL);
  CHECK(submit(server, &records, statuses, 2) == 2);
  send_text(other, "3");
  CHECK(take(server, batch, WSGATE_EVENT_KIND_MESSAGE).client == id);
  CHECK_OK(wsgate_client_resume(server, id));
  CHECK_OK(wsgate_client_resume(server, other_id));
  CHECK(take(server, batch, WSGATE_EVENT_KIND_MESSAGE).client == other_id);
  close_client(client);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_pause(server, id));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_resume(server, id));
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(other);
}

int main(void) {
  push();
  pull();
  return 0;
}
