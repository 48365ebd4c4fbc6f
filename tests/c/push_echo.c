/* Push delivery: accept, messages and close come to their callbacks in order, with the right fields, and what a
 * callback sends reaches the client. */
#include "check.h"

static struct tally accepts = TALLY, messages = TALLY, closes = TALLY, others = TALLY;

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  int binary = event->flags & WSGATE_EVENT_FLAG_BINARY;
  CHECK(user_data == &messages && event->kind == WSGATE_EVENT_KIND_MESSAGE);
  CHECK_OK(binary ? wsgate_client_send_binary(server, event->client, event->data, event->length)
                  : wsgate_client_send_text(server, event->client, event->data, event->length));
  tally_event(&messages, event);
}

static void echoes(int client, unsigned opcode, const void *data, size_t length) {
  static struct frame frame;
  send_frame(client, opcode, data, length);
  read_frame(client, &frame);
  CHECK(frame.opcode == opcode && frame.length == length && memcmp(frame.data, data, length) == 0);
}

int main(void) {
  static char large[1 << 16];
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_accept(server, on_tally, &accepts, NULL));
  CHECK_OK(wsgate_server_on_message(server, on_message, &messages, NULL));
  CHECK_OK(wsgate_server_on_close(server, on_tally, &closes, NULL));
  CHECK_OK(wsgate_server_on_event(server, on_tally, &others, NULL));
  int client = open_client(start(server));
  memset(large, 'l', sizeof large);

  wsgate_event accepted = tally_wait(&accepts, WSGATE_EVENT_KIND_ACCEPT, 1);
  CHECK(accepted.client != 0 && accepted.endpoint == endpoint && accepted.time_ns > 1600000000000000000u);

  echoes(client, TEXT, "text", 4);
  echoes(client, BINARY, "\0\xff\x80", 3);
  echoes(client, TEXT, "", 0);
  echoes(client, BINARY, "", 0);
  echoes(client, TEXT, "\xf0\x9f\x8c\x8d \xc3\xa9", 7);
  for (size_t length = 120; length < 130; length++)
    echoes(client, TEXT, large, length);
  echoes(client, BINARY, large, 65535);
  echoes(client, BINARY, large, 65536);
  CHECK(tally_wait(&messages, WSGATE_EVENT_KIND_MESSAGE, 17).client == accepted.client);

  close_client(client);
  CHECK(tally_wait(&closes, WSGATE_EVENT_KIND_CLOSE, 1).client == accepted.client);
  CHECK_OK(wsgate_server_stop(server, 0));
  tally_wait(&others, WSGATE_EVENT_KIND_STOPPED, 1);
  CHECK_OK(wsgate_server_free(server));
  CHECK(accepts.count[WSGATE_EVENT_KIND_ACCEPT] == 1 && closes.count[WSGATE_EVENT_KIND_CLOSE] == 1);
  CHECK(messages.count[WSGATE_EVENT_KIND_MESSAGE] == 17 && others.count[WSGATE_EVENT_KIND_MESSAGE] == 0);
  return 0;
}
