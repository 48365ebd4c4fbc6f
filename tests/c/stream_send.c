/* Messages that are sent in parts: their frames, what passes between them, what waits behind them, and how they end when
 * they are not ended. */
#include "parts.h"
#include "records.h"

static struct tally tally = TALLY;

/* On the client's own thread, where nothing need wait: "go" is answered in parts, with another message between. */
static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  uint64_t client = event->client;
  if (event_is(event, "go")) {
    CHECK_OK(wsgate_client_begin_text(server, client));
    CHECK_STATUS(WSGATE_STATUS_BUSY, wsgate_client_begin_binary(server, client));
    CHECK_OK(wsgate_client_chunk(server, client, "one ", 4));
    CHECK_OK(wsgate_client_send_text(server, client, "behind", 6));
  } else if (event_is(event, "on")) {
    CHECK_OK(wsgate_client_chunk(server, client, "two ", 4));
    CHECK_OK(wsgate_client_chunk(server, client, "", 0));
    CHECK_OK(wsgate_client_end(server, client, "three", 5));
    CHECK_OK(wsgate_client_send_text(server, client, "after", 5));
    CHECK_ERROR(WSGATE_STATUS_INVALID, "begin", wsgate_client_chunk(server, client, "x", 1));
    CHECK_ERROR(WSGATE_STATUS_INVALID, "begin", wsgate_client_end(server, client, NULL, 0));
    CHECK_ERROR(WSGATE_STATUS_INVALID, "begin", wsgate_client_abort(server, client));
  } else if (event_is(event, "bad")) {
    CHECK_OK(wsgate_client_begin_text(server, client));
    CHECK_OK(wsgate_client_chunk(server, client, "\xc3", 1));
  } else if (event_is(event, "worse")) {
    CHECK_ERROR(WSGATE_STATUS_INVALID, "UTF-8", wsgate_client_chunk(server, client, "\xc3", 1));
    CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_end(server, client, NULL, 0));
  }
}

static void push(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_workers(server, 1));
  CHECK_OK(wsgate_server_on_message(server, on_message, NULL, NULL));
  CHECK_OK(wsgate_server_on_event(server, on_tally, &tally, NULL));
  int client = open_client(start(server));
  send_text(client, "go");
  EXPECT_FRAGMENT(client, TEXT, "one ");
  send_frame(client, PING, "?", 1);
  EXPECT_FRAGMENT(client, FIN | PONG, "?");
  send_text(client, "on");
  EXPECT_FRAGMENT(client, GOES_ON, "two ");
  EXPECT_FRAGMENT(client, FIN | GOES_ON, "three");
  EXPECT_TEXT(client, "behind");
  EXPECT_TEXT(client, "after");
  send_text(client, "bad");
  EXPECT_FRAGMENT(client, TEXT, "\xc3");
  send_text(client, "worse");
  EXPECT_CLOSE(client, 1011);
  send_close(client, 1011, "");
  CHECK(tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, 1).code == 1011);
  CHECK_OK(wsgate_server_free(server));
  close(client);
}

static int32_t submit_one(wsgate_server *server, uint16_t op, uint64_t client, const char *payload) {
  static struct records records;
  int32_t status = 1;
  add_record(&records, op, client, NULL, 0, payload);
  submit(server, &records, &status, 1);
  return status;
}

/* Opens a client, and tells its id. */
static int new_client(wsgate_server *server, wsgate_batch *batch, int port, uint64_t *id) {
  int client = open_client(port);
  *id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  return client;
}

/* The client is told 1011, and its CLOSE says the same. */
static void expect_abandoned(wsgate_server *server, wsgate_batch *batch, int client, uint64_t id) {
  EXPECT_CLOSE(client, 1011);
  send_close(client, 1011, "");
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK(event.code == 1011 && event.value == WSGATE_CLOSE_CAUSE_APPLICATION);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_chunk(server, id, "x", 1));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_begin_text(server, id));
  close(client);
}

/* Other sends of every kind wait, in order; a Close frame does not. */
static void order(wsgate_server *server, wsgate_batch *batch, int port, uint64_t gateway) {
  static struct records records;
  int32_t statuses[4];
  uint64_t id;
  int client = new_client(server, batch, port, &id);
  CHECK_OK(wsgate_gateway_add(server, gateway, id));
  CHECK_OK(wsgate_client_send_text(server, id, "before", 6));
  CHECK(submit_one(server, WSGATE_OP_BEGIN_BINARY, id, NULL) == WSGATE_STATUS_OK);
  CHECK(submit_one(server, WSGATE_OP_BEGIN_TEXT, id, NULL) == WSGATE_STATUS_BUSY);
  CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, "broadcast", 9, NULL, 0));
  CHECK(submit_one(server, WSGATE_OP_CHUNK, id, "a") == WSGATE_STATUS_OK);
  CHECK_OK(wsgate_client_send_text(server, id, "direct", 6));
  CHECK_OK(wsgate_client_ping(server, id, 5));
  CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, "again", 5, NULL, 0));
  EXPECT_TEXT(client, "before");
  EXPECT_FRAGMENT(client, BINARY, "a");
  struct frame frame;
  CHECK(read_fragment(client, &frame) == (FIN | PING));
  send_frame(client, PONG, frame.data, frame.length);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_PONG).value == 5);
  CHECK(submit_one(server, WSGATE_OP_END, id, NULL) == WSGATE_STATUS_OK);
  EXPECT_FRAGMENT(client, FIN | GOES_ON, "");
  EXPECT_TEXT(client, "broadcast");
  EXPECT_TEXT(client, "direct");
  EXPECT_TEXT(client, "again");

  /* All at once; a message without a part is an empty one. */
  add_record(&records, WSGATE_OP_BEGIN_TEXT, id, NULL, 0, NULL);
  add_record(&records, WSGATE_OP_END, id, NULL, 0, NULL);
  add_record(&records, WSGATE_OP_BEGIN_TEXT, id, NULL, 0, NULL);
  add_record(&records, WSGATE_OP_END, id, NULL, 0, "end");
  CHECK(submit(server, &records, statuses, 4) == 4);
  EXPECT_FRAGMENT(client, FIN | TEXT, "");
  EXPECT_FRAGMENT(client, FIN | TEXT, "end");

  CHECK_OK(wsgate_client_begin_text(server, id));
  CHECK_OK(wsgate_client_chunk(server, id, "half", 4));
  CHECK_OK(wsgate_client_send_text(server, id, "never", 5));
  CHECK_OK(wsgate_client_close(server, id, 1000, NULL, 0));
  EXPECT_FRAGMENT(client, TEXT, "half");
  expect_abandoned(server, batch, client, id);
}

static void abandoned(wsgate_server *server, wsgate_batch *batch, int port) {
  uint64_t id;
  int client = new_client(server, batch, port, &id);
  CHECK_OK(wsgate_client_begin_text(server, id));
  CHECK(submit_one(server, WSGATE_OP_ABORT, id, NULL) == WSGATE_STATUS_OK);
  expect_abandoned(server, batch, client, id);

  client = new_client(server, batch, port, &id);
  CHECK_OK(wsgate_client_begin_text(server, id));
  CHECK_OK(wsgate_client_chunk(server, id, "\xff", 1));
  expect_abandoned(server, batch, client, id);

  /* Forgotten: the endpoint's timeout. */
  client = new_client(server, batch, port, &id);
  CHECK_OK(wsgate_client_begin_text(server, id));
  CHECK_OK(wsgate_client_chunk(server, id, "half", 4));
  EXPECT_FRAGMENT(client, TEXT, "half");
  expect_abandoned(server, batch, client, id);
}

/* A peer that does not read: FULL, then DRAIN, then any part fits; what waits behind leaves half of the room. */
static void full(wsgate_server *server, wsgate_batch *batch, int port) {
  static char part[10000];
  uint64_t id, sent = 0, read = 0;
  int client = connect_to(port, 4096);
  upgrade(client, "/slow");
  id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_OK(wsgate_client_begin_binary(server, id));
  CHECK_STATUS(WSGATE_STATUS_FULL, wsgate_client_send_binary(server, id, part, 60000));
  CHECK_OK(wsgate_client_send_binary(server, id, part, 10000));
  wsgate_status status;
  while ((status = wsgate_client_chunk(server, id, part, sizeof part)) == WSGATE_STATUS_OK)
    sent += sizeof part;
  CHECK(status == WSGATE_STATUS_FULL);
  struct frame frame;
  for (; read < sent; read += frame.length)
    CHECK((read_fragment(client, &frame) & FIN) == 0);
  take(server, batch, WSGATE_EVENT_KIND_DRAIN);
  static char large[200000];
  CHECK_OK(wsgate_client_chunk(server, id, large, sizeof large));
  CHECK_OK(wsgate_client_end(server, id, NULL, 0));
  for (; read < sent + sizeof large; read += frame.length)
    CHECK((read_fragment(client, &frame) & FIN) == 0);
  EXPECT_FRAGMENT(client, FIN | GOES_ON, "");
  CHECK(read_fragment(client, &frame) == (FIN | BINARY) && frame.length == 10000);
  close(client);
}

int main(void) {
  uint32_t endpoint, slow;
  uint64_t gateway;
  push();
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "stream timeout", wsgate_endpoint_set_stream_timeout(server, endpoint, 49));
  CHECK_OK(wsgate_endpoint_set_stream_timeout(server, endpoint, 1000));
  CHECK_OK(wsgate_server_add_endpoint(server, "/slow", 5, &slow));
  CHECK_OK(wsgate_endpoint_set_stream_timeout(server, slow, 0));
  CHECK_OK(wsgate_endpoint_set_outbox_limit(server, slow, 100000, 100));
  int port = start(server);
  order(server, batch, port, gateway);
  abandoned(server, batch, port);
  full(server, batch, port);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
