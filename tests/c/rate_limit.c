/* Who sends more in a second than it may is read on in the next, frame by frame, and loses nothing; where the policy says
 * so it is closed with 1008. */
#include "check.h"

#define SECOND 1000000000u
#define FRAMES 5
#define BYTES 3000

int main(void) {
  static char block[2 * BYTES];
  uint32_t frames, bytes, strict;
  wsgate_server *server = new_server(&frames);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_rate_limit(server, frames, 0, FRAMES));
  CHECK_OK(wsgate_server_add_endpoint(server, "/bytes", 6, &bytes));
  CHECK_OK(wsgate_endpoint_set_rate_limit(server, bytes, BYTES, 0));
  CHECK_OK(wsgate_server_add_endpoint(server, "/strict", 7, &strict));
  CHECK_OK(wsgate_endpoint_set_rate_limit(server, strict, 0, FRAMES));
  CHECK_OK(wsgate_endpoint_set_rate_policy(server, strict, WSGATE_RATE_POLICY_CLOSE));
  int port = start(server);

  /* All in one packet; the fragments of a message count one by one. */
  int client = open_client(port);
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  char burst[64] = "";
  size_t length = 0;
  for (int i = 0; i < 2 * FRAMES + 1; i++) {
    char head[] = {(char)(i == 0 ? 0x01 : i == 1 ? 0x80 : 0x81), (char)0x81, 0, 0, 0, 0, (char)('a' + i)};
    if (length + sizeof head > sizeof burst) {
      write_all(client, burst, length);
      length = 0;
    }
    memcpy(burst + length, head, sizeof head);
    length += sizeof head;
  }
  write_all(client, burst, length);
  uint64_t times[2 * FRAMES];
  for (int i = 0; i < 2 * FRAMES; i++) {
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
    char expected[] = {(char)(i == 0 ? 'a' : 'b' + i), i == 0 ? 'b' : '\0', '\0'};
    CHECK(event_is(&event, expected));
    times[i] = event.time_ns;
  }
  CHECK(times[FRAMES - 1] - times[0] >= SECOND);          /* the 6th frame is the 5th message */
  CHECK(times[2 * FRAMES - 1] - times[0] >= 2u * SECOND); /* and the 11th the 10th */
  close(client);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);

  client = connect_to(port, 0);
  upgrade(client, "/bytes");
  uint64_t connected = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).time_ns;
  send_frame(client, BINARY, block, sizeof block);
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event.length == sizeof block && event.time_ns - connected >= 2u * SECOND);
  close(client);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);

  client = connect_to(port, 0);
  upgrade(client, "/strict");
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  for (int i = 0; i <= FRAMES; i++)
    send_text(client, "x");
  for (int i = 0; i <= FRAMES; i++) {
    CHECK(wsgate_server_take(server, batch, 1, 1000 * PATIENCE_S) == 1);
    if (batch->events->kind == WSGATE_EVENT_KIND_CLOSE)
      break;
    CHECK(batch->events->kind == WSGATE_EVENT_KIND_MESSAGE);
  }
  struct frame frame;
  read_frame(client, &frame);
  CHECK(frame.opcode == CLOSE && memcmp(frame.data, "\x03\xf0" "Rate limit exceeded", 21) == 0);
  if (batch->events->kind != WSGATE_EVENT_KIND_CLOSE)
    take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK(batch->events->code == 1008 && batch->events->value == WSGATE_CLOSE_CAUSE_LIMIT);
  close(client);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
