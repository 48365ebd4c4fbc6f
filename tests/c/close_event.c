/* A CLOSE event tells who ended the connection and how: code, cause, clean or not, reason, and the client's final
 * counters. It comes once. */
#include "check.h"

static wsgate_server *server;
static wsgate_batch *batch;
static int port;

static wsgate_client_counters info_of(const wsgate_event *event) {
  wsgate_client_counters info;
  CHECK(event->length >= sizeof info);
  memcpy(&info, event->data, sizeof info);
  CHECK(info.size == sizeof info);
  return info;
}

static wsgate_event take_close(unsigned code, uint64_t cause, int clean, const char *reason) {
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  wsgate_client_counters info = info_of(&event);
  size_t length = event.length - info.size;
  if (event.code != code || event.value != cause || (event.flags & WSGATE_EVENT_FLAG_CLEAN ? 1 : 0) != clean) {
    fprintf(stderr, "code %u, cause %u, flags %u; expected code %u, cause %u\n", event.code, (unsigned)event.value,
            event.flags, code, (unsigned)cause);
    _exit(1);
  }
  CHECK(length == strlen(reason) && memcmp((const char *)event.data + info.size, reason, length) == 0);
  return event;
}

static int open_and_accept(uint64_t *id) {
  int client = open_client(port);
  *id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  return client;
}

static void by_the_peer(void) {
  uint64_t id;
  int client = open_and_accept(&id);
  send_text(client, "one");
  send_frame(client, BINARY, "two", 3);
  take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK_OK(wsgate_client_send_text(server, id, "three", 5));
  EXPECT_TEXT(client, "three");
  send_close(client, 4001, "b\xc3\xa9");
  wsgate_event event = take_close(4001, WSGATE_CLOSE_CAUSE_PEER, 1, "b\xc3\xa9");
  EXPECT_CLOSE(client, 4001);
  wsgate_client_counters info = info_of(&event);
  CHECK(event.client == id && info.messages_in == 2 && info.messages_out == 1);
  CHECK(info.frames_in >= 2 && info.bytes_in >= 18 && info.bytes_out >= 7 && info.unanswered_pings == 0);
  CHECK(info.connected_ns > 0 && info.connected_ns <= info.last_data_read_ns);
  CHECK(info.last_data_read_ns <= info.closed_ns);
  CHECK(info.last_heartbeat_ns == 0 && info.dropped == 0);
  close(client);
}

static void by_the_peer_without_a_code(void) {
  struct frame frame;
  uint64_t id;
  int client = open_and_accept(&id);
  send_frame(client, CLOSE, "", 0);
  read_frame(client, &frame);
  CHECK(frame.opcode == CLOSE);
  take_close(1005, WSGATE_CLOSE_CAUSE_PEER, 1, "");
  close(client);
}

static void by_the_application(void) {
  uint64_t id;
  int client = open_and_accept(&id);
  CHECK_OK(wsgate_client_close(server, id, 4002, "enough", 6));
  EXPECT_CLOSE(client, 4002);
  send_close(client, 4002, "enough");
  take_close(4002, WSGATE_CLOSE_CAUSE_APPLICATION, 1, "enough");
  close(client);
}

static void by_a_lost_connection(void) {
  uint64_t id;
  int client = open_and_accept(&id);
  reset_client(client);
  take_close(1006, WSGATE_CLOSE_CAUSE_LOST, 0, "");
  client = open_and_accept(&id);
  close(client); /* an orderly end of TCP, but no Close frame */
  take_close(1006, WSGATE_CLOSE_CAUSE_LOST, 0, "");
}

/* The peer broke a rule; the text is the library's own. */
static void by_the_library(unsigned code, uint64_t cause, const void *bytes, size_t length) {
  uint64_t id;
  int client = open_and_accept(&id);
  write_all(client, bytes, length);
  EXPECT_CLOSE(client, code);
  send_close(client, code, "");
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK(event.client == id && event.code == code && event.value == cause);
  close(client);
}

int main(void) {
  uint32_t endpoint;
  server = new_server(&endpoint);
  batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_max_message_size(server, endpoint, 10));
  port = start(server);
  by_the_peer();
  by_the_peer_without_a_code();
  by_the_application();
  by_a_lost_connection();
  by_the_library(1002, WSGATE_CLOSE_CAUSE_PROTOCOL, "\x81\x01x", 3);                 /* not masked */
  by_the_library(1007, WSGATE_CLOSE_CAUSE_PROTOCOL, "\x81\x81\0\0\0\0\xff", 7);      /* not UTF-8 */
  by_the_library(1009, WSGATE_CLOSE_CAUSE_LIMIT, "\x81\x8b\0\0\0\0elevenbytes", 17); /* of 10 allowed */
  CHECK(wsgate_server_take(server, batch, 0, 0) == 0);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
