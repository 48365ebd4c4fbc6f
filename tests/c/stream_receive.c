/* Messages that come in chunks: BEGIN, CHUNK, END as they arrive, whole ones as MESSAGE; a window that holds the peer back;
 * a rest that is not wanted; and what ends a client in the midst of a message. */
#include "parts.h"

#define KIB 1024
#define WINDOW (100 * KIB)
#define LONG (900 * KIB)

static char content[LONG];

static int is_of(const wsgate_event *event, uint64_t client, uint64_t number, uint32_t flags) {
  return event->client == client && event->value == number && event->flags == flags;
}

/* Takes chunks of a message until so many bytes of it have come. */
static size_t take_chunks(wsgate_server *server, wsgate_batch *batch, uint64_t client, uint64_t number, size_t from,
                          size_t until) {
  while (from < until) {
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CHUNK);
    CHECK(is_of(&event, client, number, WSGATE_EVENT_FLAG_BINARY));
    CHECK(event.length > 0 && event.length <= 64 * KIB && event.length <= until - from);
    CHECK(memcmp(event.data, content + from, event.length) == 0);
    from += event.length;
  }
  return from;
}

static void pull(void) {
  uint32_t endpoint, granted, asking;
  wsgate_event event;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_set_workers(server, 1));
  CHECK_OK(wsgate_endpoint_set_streaming(server, endpoint, 1));
  CHECK_OK(wsgate_endpoint_set_max_message_size(server, endpoint, LONG));
  CHECK_OK(wsgate_server_add_endpoint(server, "/granted", 8, &granted));
  CHECK_OK(wsgate_endpoint_set_rate_limit(server, granted, 0, 0));
  CHECK_OK(wsgate_endpoint_set_streaming(server, granted, 1));
  CHECK_OK(wsgate_endpoint_set_receive_window(server, granted, WINDOW, 1));
  CHECK_OK(wsgate_endpoint_set_explicit_grants(server, granted, 1));
  CHECK_OK(wsgate_server_add_endpoint(server, "/asking", 7, &asking));
  CHECK_OK(wsgate_endpoint_set_acceptor(server, asking, 1));
  int port = start(server), client = open_client(port);
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;

  send_text(client, "whole");
  event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event_is(&event, "whole"));

  /* In fragments, with a ping between, cut within a character. */
  send_fragment(client, TEXT, "h\xc3", 2);
  event = take(server, batch, WSGATE_EVENT_KIND_BEGIN);
  CHECK(is_of(&event, id, 1, 0) && event.length == 0);
  event = take(server, batch, WSGATE_EVENT_KIND_CHUNK);
  CHECK(is_of(&event, id, 1, 0) && event_is(&event, "h\xc3"));
  send_fragment(client, FIN | PING, "there?", 6);
  EXPECT_FRAGMENT(client, FIN | PONG, "there?");
  send_fragment(client, GOES_ON, "", 0);
  send_fragment(client, FIN | GOES_ON, "\xa9", 1);
  event = take(server, batch, WSGATE_EVENT_KIND_CHUNK);
  CHECK(is_of(&event, id, 1, 0) && event_is(&event, "\xa9"));
  event = take(server, batch, WSGATE_EVENT_KIND_END);
  CHECK(is_of(&event, id, 1, 0) && event.length == 0);

  /* A frame that is longer than anything we hold, as it arrives. */
  send_fragment(client, FIN | BINARY, content, LONG);
  event = take(server, batch, WSGATE_EVENT_KIND_BEGIN);
  CHECK(is_of(&event, id, 2, WSGATE_EVENT_FLAG_BINARY));
  take_chunks(server, batch, id, 2, 0, LONG);
  event = take(server, batch, WSGATE_EVENT_KIND_END);
  CHECK(is_of(&event, id, 2, WSGATE_EVENT_FLAG_BINARY));

  /* What is not wanted does not come; of a message that is over, nothing happens. */
  CHECK_OK(wsgate_client_discard(server, id, 2));
  send_fragment(client, TEXT, "wanted", 6);
  take(server, batch, WSGATE_EVENT_KIND_BEGIN);
  take(server, batch, WSGATE_EVENT_KIND_CHUNK);
  CHECK_OK(wsgate_client_discard(server, id, 3));
  send_fragment(client, GOES_ON, "not wanted", 10);
  send_fragment(client, FIN | GOES_ON, "neither", 7);
  event = take(server, batch, WSGATE_EVENT_KIND_END);
  CHECK(is_of(&event, id, 3, WSGATE_EVENT_FLAG_DISCARDED));
  send_text(client, "next");
  event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event_is(&event, "next"));

  /* Over the limit, as soon as a header says so. */
  send_fragment(client, BINARY, content, LONG - 1);
  take(server, batch, WSGATE_EVENT_KIND_BEGIN);
  take_chunks(server, batch, id, 4, 0, LONG - 1);
  send_fragment(client, GOES_ON, "ab", 2);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == 1009);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_discard(server, id, 4));
  close(client);

  /* Text that is not, cut before it shows; and a client that leaves in the midst: no END. */
  for (int lost = 0; lost < 2; lost++) {
    client = open_client(port);
    take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
    send_fragment(client, TEXT, "\xf0\x9f", 2);
    take(server, batch, WSGATE_EVENT_KIND_BEGIN);
    take(server, batch, WSGATE_EVENT_KIND_CHUNK);
    if (!lost)
      send_fragment(client, GOES_ON, "x", 1);
    else
      close(client);
    CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == (lost ? 1006 : 1007));
    if (!lost)
      close(client);
  }

  /* No more is handed over than the window lets through, and the second message waits for the grant of the first. */
  client = connect_to(port, 0);
  upgrade(client, "/granted");
  id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  int other = open_client(port);
  uint64_t other_id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  send_fragment(client, FIN | BINARY, content, 3 * WINDOW);
  send_text(client, "second");
  take(server, batch, WSGATE_EVENT_KIND_BEGIN);
  for (size_t got = 0; got < 3 * WINDOW;) {
    size_t more = got == 0 ? WINDOW : WINDOW / 2;
    got = take_chunks(server, batch, id, 1, got, got + more);
    if (got < 3 * WINDOW) {
      send_text(other, "and I?");
      CHECK(take(server, batch, WSGATE_EVENT_KIND_MESSAGE).client == other_id);
    }
    CHECK_OK(wsgate_client_grant(server, id, WINDOW / 2, 0));
  }
  take(server, batch, WSGATE_EVENT_KIND_END);
  send_text(other, "and I?");
  CHECK(take(server, batch, WSGATE_EVENT_KIND_MESSAGE).client == other_id);
  CHECK_OK(wsgate_client_grant(server, id, 0, 1));
  event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event.client == id && event_is(&event, "second"));
  CHECK_OK(wsgate_client_grant(server, id, 6, 1));
  close(client);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  close(other);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);

  /* One client of an endpoint whose others are told whole messages. */
  client = connect_to(port, 0);
  static const char request[] = "GET /asking HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  write_all(client, request, sizeof request - 1);
  id = take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE).client;
  CHECK_ERROR(WSGATE_STATUS_INVALID, "flags", wsgate_accept(server, id, NULL, 0, NULL, 0, 0x8000, 0));
  CHECK_OK(wsgate_accept(server, id, NULL, 0, NULL, 0, WSGATE_ACCEPT_FLAG_STREAMING, 7));
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  send_fragment(client, BINARY, content, 10);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_BEGIN).user_data == 7);

  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
}

static struct tally tally = TALLY;
static size_t received;

/* In push the callback that pauses, or discards, is the last of its message. */
static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  if (event->kind == WSGATE_EVENT_KIND_CHUNK) {
    CHECK(memcmp(event->data, content + received, event->length) == 0);
    received += event->length;
    if (event->value == 2)
      CHECK_OK(wsgate_client_discard(server, event->client, 2));
    if (event->value == 3)
      CHECK_OK(wsgate_client_pause(server, event->client));
  } else {
    received = 0;
  }
  tally_event(user_data, event);
}

static void push(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_workers(server, 1));
  CHECK_OK(wsgate_endpoint_set_streaming(server, endpoint, 1));
  CHECK_OK(wsgate_server_on_message(server, on_message, &tally, NULL));
  CHECK_OK(wsgate_server_on_close(server, on_tally, &tally, NULL));
  int port = start(server), client = open_client(port);
  send_fragment(client, FIN | BINARY, content, LONG);
  tally_wait(&tally, WSGATE_EVENT_KIND_END, 1);
  unsigned chunks = tally_count(&tally, WSGATE_EVENT_KIND_CHUNK);
  CHECK(chunks >= LONG / (64 * KIB));

  send_fragment(client, FIN | BINARY, content, LONG);
  wsgate_event end = tally_wait(&tally, WSGATE_EVENT_KIND_END, 2);
  CHECK(end.flags == (WSGATE_EVENT_FLAG_BINARY | WSGATE_EVENT_FLAG_DISCARDED));
  CHECK(tally_count(&tally, WSGATE_EVENT_KIND_CHUNK) == chunks + 1);

  /* Each chunk pauses: also between the last and END. */
  send_fragment(client, BINARY, content, 100);
  send_fragment(client, FIN | GOES_ON, content + 100, 100);
  uint64_t id = tally_wait(&tally, WSGATE_EVENT_KIND_CHUNK, chunks + 2).client;
  CHECK_OK(wsgate_client_resume(server, id));
  tally_wait(&tally, WSGATE_EVENT_KIND_CHUNK, chunks + 3);
  int other = open_client(port);
  send_text(other, "all is read that may be");
  tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 1);
  CHECK(tally_count(&tally, WSGATE_EVENT_KIND_END) == 2);
  CHECK_OK(wsgate_client_resume(server, id));
  tally_wait(&tally, WSGATE_EVENT_KIND_END, 3);
  close_client(client);
  tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, 1);
  CHECK_OK(wsgate_server_free(server));
  close(other);
}

int main(void) {
  for (size_t i = 0; i < LONG; i++)
    content[i] = (char)(i * 31 + i / 257);
  pull();
  push();
  return 0;
}
