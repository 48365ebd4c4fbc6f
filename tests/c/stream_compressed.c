/* Messages in parts that are compressed, both ways, with takeover and without. What the server makes is sent back to it as
 * it came, so that each of its contexts stands for the other's peer. */
#include "parts.h"

#define RSV1 0x40
#define KIB 1024
#define WINDOW (100 * KIB)
#define LONG (300 * KIB)
#define LIMIT (LONG + KIB) /* what is stored takes some bytes more */
#define PART (40 * KIB)
#define MAX_FRAGMENTS 64

static char content[LONG];

/* The fragments of a message, as they came. */
struct message {
  size_t count, length;
  struct {
    unsigned first;
    size_t length;
  } fragments[MAX_FRAGMENTS];
  char data[2 * LONG];
};

static struct message message, behind;

static int open_compressed(int port, const char *path) {
  char text[1024];
  int client = connect_to(port, 0);
  size_t length = (size_t)snprintf(text, sizeof text,
                                   "GET %s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", path);
  write_all(client, text, length);
  read_answer_head(client, text, sizeof text);
  CHECK(strstr(text, "permessage-deflate") != NULL);
  return client;
}

/* Sends a part in blocks that are not compressed (RFC 7692 section 7.2.3.3): with RSV1, the first of its message, with FIN
 * the last. */
static void send_stored(int client, unsigned first, const char *data, size_t length) {
  unsigned char *blocks = malloc(length + 5 * (length / 65535 + 2));
  size_t size = 0;
  CHECK(blocks != NULL);
  do {
    size_t part = length < 65535 ? length : 65535;
    const unsigned char head[5] = {0, part & 0xff, (unsigned char)(part >> 8), ~part & 0xff, (unsigned char)(~part >> 8)};
    memcpy(blocks + size, head, 5);
    memcpy(blocks + size + 5, data, part);
    size += 5 + part;
    data += part;
    length -= part;
  } while (length > 0);
  if (first & FIN)
    blocks[size++] = 0; /* an empty one, whose last four bytes are left out */
  send_fragment(client, first, blocks, size);
  free(blocks);
}

/* Reads a compressed message from the server: RSV1 on its first frame, and on no other. */
static void read_message(int client, unsigned opcode, struct message *message) {
  static struct frame frame;
  unsigned first;
  message->count = message->length = 0;
  do {
    CHECK(message->count < MAX_FRAGMENTS);
    first = read_fragment(client, &frame);
    CHECK((first & 0x7f) == (message->count == 0 ? RSV1 | opcode : GOES_ON));
    CHECK(message->length + frame.length <= sizeof message->data);
    memcpy(message->data + message->length, frame.data, frame.length);
    message->fragments[message->count].first = first;
    message->fragments[message->count].length = frame.length;
    message->length += frame.length;
    message->count++;
  } while ((first & FIN) == 0);
}

/* Sends it back; with `waits` a ping in the midst sees to it that its beginning comes before its end. */
static void return_message(int client, const struct message *message, int waits) {
  const char *at = message->data;
  for (size_t i = 0; i < message->count; i++) {
    if (waits && i == 1) {
      send_fragment(client, FIN | PING, "between", 7);
      EXPECT_FRAGMENT(client, FIN | PONG, "between");
    }
    send_fragment(client, message->fragments[i].first, at, message->fragments[i].length);
    at += message->fragments[i].length;
  }
}

/* What is to come of a message: `grants` of it are given back as they come. */
static void take_content(wsgate_server *server, wsgate_batch *batch, uint64_t client, const char *data, size_t length,
                         int grants) {
  wsgate_event event;
  size_t got = 0;
  CHECK(take(server, batch, WSGATE_EVENT_KIND_BEGIN).client == client);
  while (got < length) {
    event = take(server, batch, WSGATE_EVENT_KIND_CHUNK);
    CHECK(event.length > 0 && event.length <= 64 * KIB && event.length <= length - got);
    CHECK(memcmp(event.data, data + got, event.length) == 0);
    got += event.length;
    if (grants)
      CHECK_OK(wsgate_client_grant(server, client, event.length, 0));
  }
  take(server, batch, WSGATE_EVENT_KIND_END);
  if (grants)
    CHECK_OK(wsgate_client_grant(server, client, 0, 1));
}

static void send_content(wsgate_server *server, uint64_t client) {
  CHECK_OK(wsgate_client_begin(server, client, WSGATE_SEND_FLAG_BINARY | WSGATE_SEND_FLAG_COMPRESS_ALWAYS));
  for (size_t at = 0; at < LONG; at += PART)
    CHECK_OK(wsgate_client_chunk(server, client, content + at, LONG - at < PART ? LONG - at : PART));
  CHECK_OK(wsgate_client_end(server, client, NULL, 0));
}

/* Sent in parts, and received in parts. The second message may refer to the first where contexts are taken over. */
static void both_ways(wsgate_server *server, wsgate_batch *batch, int client, uint64_t id, int takeover, int grants) {
  size_t lengths[2];
  for (int turn = 0; turn < 2; turn++) {
    /* Text, cut within a character; another message waits until it has ended. */
    static const char text[] = "h\xc3\xa9llo h\xc3\xa9llo h\xc3\xa9llo h\xc3\xa9llo h\xc3\xa9llo h\xc3\xa9llo";
    CHECK_OK(wsgate_client_begin(server, id, WSGATE_SEND_FLAG_COMPRESS_ALWAYS));
    CHECK_STATUS(WSGATE_STATUS_BUSY, wsgate_client_begin_text(server, id));
    CHECK_OK(wsgate_client_chunk(server, id, text, 2));
    CHECK_OK(wsgate_client_send(server, id, WSGATE_SEND_FLAG_COMPRESS_ALWAYS, text, sizeof text - 1));
    CHECK_OK(wsgate_client_chunk(server, id, text + 2, 10));
    CHECK_OK(wsgate_client_end(server, id, text + 12, sizeof text - 1 - 12));
    read_message(client, TEXT, &message);
    CHECK(message.count == 3);
    lengths[turn] = message.length;
    read_message(client, TEXT, &behind);
    CHECK(behind.count == 1);
    return_message(client, &message, 1);
    take_content(server, batch, id, text, sizeof text - 1, grants);
    return_message(client, &behind, 1);
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
    CHECK(event_is(&event, text));
    if (grants)
      CHECK_OK(wsgate_client_grant(server, id, event.length, 1));

    send_content(server, id);
    read_message(client, BINARY, &message);
    CHECK(message.count > LONG / PART && message.length < LONG / 4);
    return_message(client, &message, 1);
    take_content(server, batch, id, content, LONG, grants);

    /* Without a part, and with an empty one. */
    CHECK_OK(wsgate_client_begin(server, id, WSGATE_SEND_FLAG_COMPRESS_ALWAYS));
    CHECK_OK(wsgate_client_chunk(server, id, "", 0));
    CHECK_OK(wsgate_client_end(server, id, NULL, 0));
    read_message(client, TEXT, &message);
    CHECK(message.count == 1);
    return_message(client, &message, 1);
    CHECK(take(server, batch, WSGATE_EVENT_KIND_MESSAGE).length == 0);
    if (grants)
      CHECK_OK(wsgate_client_grant(server, id, 0, 1));
  }
  CHECK(takeover ? lengths[1] < lengths[0] : lengths[1] == lengths[0]);
}

/* Of what inflates to more than the window, no more is told than that lets through. Nothing else comes, since another client
 * is served meanwhile. */
static void window(wsgate_server *server, wsgate_batch *batch, int client, uint64_t id, int other) {
  send_content(server, id);
  read_message(client, BINARY, &message);
  return_message(client, &message, 1);
  take(server, batch, WSGATE_EVENT_KIND_BEGIN);
  for (size_t got = 0; got < LONG;) {
    for (size_t until = got + (got == 0 ? WINDOW : WINDOW / 2); got < until && got < LONG;) {
      wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CHUNK);
      CHECK(event.client == id && event.length <= until - got);
      CHECK(memcmp(event.data, content + got, event.length) == 0);
      got += event.length;
    }
    if (got < LONG) {
      send_text(other, "and I?");
      CHECK(take(server, batch, WSGATE_EVENT_KIND_MESSAGE).client != id);
    }
    CHECK_OK(wsgate_client_grant(server, id, WINDOW / 2, 0));
  }
  take(server, batch, WSGATE_EVENT_KIND_END);
  CHECK_OK(wsgate_client_grant(server, id, LONG, 1));
}

/* What is not wanted is inflated all the same: the next message may refer to it. */
static void discarded(wsgate_server *server, wsgate_batch *batch, int client, uint64_t id) {
  send_content(server, id);
  read_message(client, BINARY, &message);
  return_message(client, &message, 1);
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_BEGIN);
  CHECK_OK(wsgate_client_discard(server, id, event.value));
  /* Some chunks may have been raised before. */
  uint64_t got = 0;
  for (;;) {
    CHECK(wsgate_server_take(server, batch, 1, 1000 * PATIENCE_S) == 1);
    if (batch->events->kind == WSGATE_EVENT_KIND_END)
      break;
    CHECK(batch->events->kind == WSGATE_EVENT_KIND_CHUNK);
    got += batch->events->length;
    CHECK_OK(wsgate_client_grant(server, id, batch->events->length, 0));
  }
  CHECK(batch->events->flags == (WSGATE_EVENT_FLAG_BINARY | WSGATE_EVENT_FLAG_DISCARDED) && got <= WINDOW);
  CHECK_OK(wsgate_client_grant(server, id, 0, 1));
  send_content(server, id);
  read_message(client, BINARY, &message);
  return_message(client, &message, 1);
  take_content(server, batch, id, content, LONG, 1);
}

/* Opens a client that has begun a text, in the midst of a character. */
static int open_in_text(wsgate_server *server, wsgate_batch *batch, int port, const char *path) {
  int client = open_compressed(port, path);
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  send_stored(client, RSV1 | TEXT, "\xf0\x9f", 2);
  take(server, batch, WSGATE_EVENT_KIND_BEGIN);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CHUNK).length == 2);
  return client;
}

/* No END, but the client's. */
static void broken(wsgate_server *server, wsgate_batch *batch, int port, const char *path) {
  int client = open_in_text(server, batch, port, path);
  send_stored(client, GOES_ON, "x", 1); /* not UTF-8, as a whole */
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == 1007);
  EXPECT_CLOSE(client, 1007);
  close(client);
  client = open_in_text(server, batch, port, path);
  send_fragment(client, GOES_ON, "\xff\xff\xff", 3); /* not DEFLATE */
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == 1007);
  EXPECT_CLOSE(client, 1007);
  close(client);
  client = open_in_text(server, batch, port, path);
  close(client);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == 1006);
}

/* It is told up to the limit, and no further. */
static void too_long(wsgate_server *server, wsgate_batch *batch, int port, const char *path, int grants) {
  static char text[60 * KIB];
  int client = open_in_text(server, batch, port, path);
  size_t told = 0;
  memset(text, 'x', sizeof text);
  memcpy(text, "\x98\x80", 2);
  for (size_t sent = 2; sent <= LIMIT; sent += sizeof text) {
    send_stored(client, GOES_ON, text, sizeof text);
    memset(text, 'x', 2);
  }
  for (;;) {
    CHECK(wsgate_server_take(server, batch, 1, 1000 * PATIENCE_S) == 1);
    if (batch->events->kind != WSGATE_EVENT_KIND_CHUNK)
      break;
    told += batch->events->length;
    if (grants)
      CHECK_OK(wsgate_client_grant(server, batch->events->client, batch->events->length, 0));
  }
  CHECK(batch->events->kind == WSGATE_EVENT_KIND_CLOSE && batch->events->code == 1009 && told <= LIMIT);
  EXPECT_CLOSE(client, 1009);
  close(client);
}

static void abandoned(wsgate_server *server, wsgate_batch *batch, int port, const char *path) {
  static struct frame frame;
  int client = open_compressed(port, path);
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_OK(wsgate_client_begin(server, id, WSGATE_SEND_FLAG_COMPRESS_ALWAYS));
  CHECK_OK(wsgate_client_chunk(server, id, "half", 4));
  CHECK_OK(wsgate_client_send(server, id, WSGATE_SEND_FLAG_COMPRESS_ALWAYS, "never", 5));
  CHECK_OK(wsgate_client_abort(server, id));
  CHECK(read_fragment(client, &frame) == (RSV1 | TEXT));
  EXPECT_CLOSE(client, 1011);
  send_close(client, 1011, "");
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == 1011);
  close(client);
}

static uint32_t add_compressing(wsgate_server *server, const char *path, int takeover) {
  uint32_t endpoint;
  CHECK_OK(wsgate_server_add_endpoint(server, path, strlen(path), &endpoint));
  CHECK_OK(wsgate_endpoint_set_rate_limit(server, endpoint, 0, 0));
  CHECK_OK(wsgate_endpoint_set_heartbeat(server, endpoint, 0, 1));
  CHECK_OK(wsgate_endpoint_set_streaming(server, endpoint, 1));
  CHECK_OK(wsgate_endpoint_set_max_message_size(server, endpoint, LIMIT));
  CHECK_OK(wsgate_endpoint_set_compression(server, endpoint, 6));
  CHECK_OK(wsgate_endpoint_set_compression_takeover(server, endpoint, (uint32_t)takeover, (uint32_t)takeover));
  CHECK_OK(wsgate_endpoint_set_compression_window(server, endpoint, 15, 15));
  return endpoint;
}

static void pull(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_set_workers(server, 1));
  add_compressing(server, "/0", 0);
  add_compressing(server, "/1", 1);
  for (int takeover = 0; takeover < 2; takeover++) {
    uint32_t granted = add_compressing(server, takeover ? "/granted/1" : "/granted/0", takeover);
    CHECK_OK(wsgate_endpoint_set_receive_window(server, granted, WINDOW, 1));
    CHECK_OK(wsgate_endpoint_set_explicit_grants(server, granted, 1));
  }
  int port = start(server), other = open_client(port);
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  for (int takeover = 0; takeover < 2; takeover++) {
    for (int grants = 0; grants < 2; grants++) {
      const char *path = grants ? takeover ? "/granted/1" : "/granted/0" : takeover ? "/1" : "/0";
      int client = open_compressed(port, path);
      uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
      both_ways(server, batch, client, id, takeover, grants);
      if (grants) {
        window(server, batch, client, id, other);
        discarded(server, batch, client, id);
      }
      send_close(client, 1000, "");
      take(server, batch, WSGATE_EVENT_KIND_CLOSE);
      EXPECT_CLOSE(client, 1000);
      close(client);
      broken(server, batch, port, path);
      too_long(server, batch, port, path, grants);
      abandoned(server, batch, port, path);
    }
  }
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(other);
}

static struct tally tally = TALLY;
static size_t received;

/* Sends each message back as it comes. */
static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  uint64_t client = event->client;
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_BEGIN) {
    received = 0;
    CHECK_OK(wsgate_client_begin(server, client, WSGATE_SEND_FLAG_BINARY | WSGATE_SEND_FLAG_COMPRESS_ALWAYS));
  } else if (event->kind == WSGATE_EVENT_KIND_CHUNK) {
    CHECK(event->length <= LONG - received && memcmp(event->data, content + received, event->length) == 0);
    received += event->length;
    CHECK_OK(wsgate_client_chunk(server, client, event->data, event->length));
  } else if (event->kind == WSGATE_EVENT_KIND_END) {
    CHECK(received == LONG);
    CHECK_OK(wsgate_client_end(server, client, NULL, 0));
  }
  tally_event(&tally, event);
}

static void push(void) {
  uint32_t endpoint;
  unsigned ends = 0;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_workers(server, 1));
  CHECK_OK(wsgate_server_on_message(server, on_message, NULL, NULL));
  add_compressing(server, "/0", 0);
  add_compressing(server, "/1", 1);
  int port = start(server);
  for (int takeover = 0; takeover < 2; takeover++) {
    int client = open_compressed(port, takeover ? "/1" : "/0");
    send_stored(client, RSV1 | BINARY, content, LONG / 2);
    send_fragment(client, GOES_ON, "", 0);
    send_stored(client, FIN | GOES_ON, content + LONG / 2, LONG - LONG / 2);
    tally_wait(&tally, WSGATE_EVENT_KIND_END, ++ends);
    for (int turn = 0; turn < 3; turn++) {
      read_message(client, BINARY, &message);
      CHECK(message.length < LONG / 4);
      return_message(client, &message, 0); /* what is sent back comes before a pong, or behind */
      tally_wait(&tally, WSGATE_EVENT_KIND_END, ++ends);
    }
    read_message(client, BINARY, &message);
    close_client(client);
  }
  CHECK_OK(wsgate_server_free(server));
}

int main(void) {
  for (size_t i = 0; i < LONG; i++)
    content[i] = (char)((i * 31 + i / 257) % 101);
  pull();
  push();
  return 0;
}
