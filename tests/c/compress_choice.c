/* Each message may say whether it is compressed: never, or whatever its length and kind; by every call that sends. Who
 * did not agree upon compression is sent it as it is. */
#include "records.h"

#define NEVER WSGATE_SEND_FLAG_COMPRESS_NEVER
#define ALWAYS WSGATE_SEND_FLAG_COMPRESS_ALWAYS

static const char LONG[] = "a message that is long enough, long enough, long enough to be compressed";
static const char SHORT[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static wsgate_server *server;
static uint64_t gateway, ids[2];
/* One that has agreed upon compression, and one that has not. */
static int able, plain;

static int open_offering(int port) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
  char answer[1024] = {0};
  int socket = connect_to(port, 0);
  write_all(socket, request, sizeof request - 1);
  read_answer_head(socket, answer, sizeof answer);
  CHECK(strstr(answer, "permessage-deflate") != NULL);
  return socket;
}

/* The next frame's first byte and length. */
static void expect_frame(int line, int socket, unsigned opcode, const char *message, int compressed) {
  unsigned char head[2], payload[125];
  read_all(socket, head, 2);
  CHECK(head[1] < 126);
  read_all(socket, payload, head[1]);
  int as_it_is = head[1] == strlen(message) && memcmp(payload, message, head[1]) == 0;
  if (head[0] != (0x80 | opcode | (compressed ? 0x40 : 0)) || as_it_is == compressed) {
    fprintf(stderr, "line %d: first byte %#x, %u bytes\n", line, head[0], head[1]);
    CHECK(!"another frame was expected");
  }
}
#define EXPECT(socket, opcode, message, compressed) expect_frame(__LINE__, socket, opcode, message, compressed)

struct choice {
  uint32_t flags;
  const char *message;
  int compressed;
};
/* The endpoint compresses text of 40 bytes and more. */
static const struct choice CHOICES[] = {
  {0, LONG, 1},
  {0, SHORT, 0},
  {WSGATE_SEND_FLAG_BINARY, LONG, 0},
  {NEVER, LONG, 0},
  {NEVER | WSGATE_SEND_FLAG_BINARY, LONG, 0},
  {ALWAYS, LONG, 1},
  {ALWAYS, SHORT, 1},
  {ALWAYS | WSGATE_SEND_FLAG_BINARY, LONG, 1},
  {ALWAYS, "x", 0}, /* would not get smaller */
  {ALWAYS, "", 0},
};
static const uint32_t WRONG[] = {NEVER | ALWAYS, 2, 0x80000000};

static wsgate_record *add(struct records *records, uint16_t text, uint16_t binary, uint64_t target, uint32_t flags,
                          const uint64_t *to, uint32_t count, const char *message) {
  wsgate_record *record =
    add_record(records, flags & WSGATE_SEND_FLAG_BINARY ? binary : text, target, to, count, message);
  record->flags = (uint16_t)(flags & (NEVER | ALWAYS));
  return record;
}

static void each_call(const struct choice *choice) {
  static struct records records;
  uint32_t flags = choice->flags;
  const char *message = choice->message;
  size_t length = strlen(message);
  unsigned opcode = flags & WSGATE_SEND_FLAG_BINARY ? BINARY : TEXT;
  unsigned sends = 0, casts = 0;

  for (int i = 0; i < 2; i++)
    CHECK_OK(wsgate_client_send(server, ids[i], flags, message, length));
  for (int i = 0; i < 2; i++)
    add(&records, WSGATE_OP_SEND_TEXT, WSGATE_OP_SEND_BINARY, ids[i], flags, NULL, 0, message);
  CHECK(submit(server, &records, NULL, 0) == 2);
  sends = 2;

  CHECK_OK(wsgate_gateway_broadcast(server, gateway, flags, message, length, NULL, 0));
  CHECK_OK(wsgate_gateway_multicast(server, gateway, flags, message, length, ids, 2));
  CHECK_OK(wsgate_gateway_broadcast_with_outcome(server, gateway, flags, message, length, NULL, 0, 1));
  CHECK_OK(wsgate_gateway_multicast_with_outcome(server, gateway, flags, message, length, ids, 2, 2));
  add(&records, WSGATE_OP_BROADCAST_TEXT, WSGATE_OP_BROADCAST_BINARY, gateway, flags, NULL, 0, message);
  add(&records, WSGATE_OP_MULTICAST_TEXT, WSGATE_OP_MULTICAST_BINARY, gateway, flags, ids, 2, message);
  add(&records, WSGATE_OP_MULTICAST_TEXT, WSGATE_OP_MULTICAST_BINARY, gateway, flags, ids, 2, message)->flags |=
    WSGATE_RECORD_FLAG_OUTCOME;
  CHECK(submit(server, &records, NULL, 0) == 3);
  casts = 7;

  for (unsigned i = 0; i < sends + casts; i++) {
    EXPECT(able, opcode, message, choice->compressed);
    EXPECT(plain, opcode, message, 0);
  }
}

static void wrong_flags(uint32_t flags) {
  static struct records records;
  int32_t statuses[2];
  CHECK_ERROR(WSGATE_STATUS_INVALID, "flags", wsgate_client_send(server, ids[0], flags, "x", 1));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "flags", wsgate_gateway_broadcast(server, gateway, flags, "x", 1, NULL, 0));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "flags", wsgate_gateway_multicast(server, gateway, flags, "x", 1, ids, 2));
  CHECK_ERROR(WSGATE_STATUS_INVALID, "flags",
              wsgate_gateway_broadcast_with_outcome(server, gateway, flags, "x", 1, NULL, 0, 1));
  if (flags > UINT16_MAX)
    return;
  add_record(&records, WSGATE_OP_SEND_TEXT, ids[0], NULL, 0, "x")->flags = (uint16_t)flags;
  add_record(&records, WSGATE_OP_BROADCAST_TEXT, gateway, NULL, 0, "x")->flags = (uint16_t)flags;
  CHECK(submit(server, &records, statuses, 2) == 0);
  CHECK(statuses[0] == WSGATE_STATUS_INVALID && statuses[1] == WSGATE_STATUS_INVALID);
}

/* With one worker and with two; with and without a context that is taken over. */
static void serve(uint32_t workers, uint32_t takeover) {
  uint32_t endpoint;
  wsgate_batch *batch = wsgate_batch_new();
  server = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_workers(server, workers));
  CHECK_OK(wsgate_endpoint_set_compression(server, endpoint, 6));
  CHECK_OK(wsgate_endpoint_set_compression_takeover(server, endpoint, takeover, 0));
  CHECK_OK(wsgate_endpoint_set_compression_of(server, endpoint, 40, 1, 0));
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  int port = start(server);
  able = open_offering(port);
  ids[0] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  plain = open_client(port);
  ids[1] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  for (size_t i = 0; i < sizeof CHOICES / sizeof *CHOICES; i++)
    each_call(&CHOICES[i]);
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
    wrong_flags(WRONG[i]);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(able);
  close(plain);
}

int main(void) {
  for (uint32_t takeover = 0; takeover < 2; takeover++)
    for (uint32_t workers = 1; workers < 3; workers++)
      serve(workers, takeover);
  return 0;
}
