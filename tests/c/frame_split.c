/* A message longer than the threshold goes out in frames of that size, to one and to many; what is as long as it, and
 * every message where the threshold is 0, in one. */
#include "check.h"

#define SPLIT 1000

static size_t read_head(int client, unsigned char *first) {
  unsigned char head[2], size[8];
  size_t length = 0;
  read_all(client, head, 2);
  *first = head[0];
  if (head[1] < 126)
    return head[1];
  int bytes = head[1] == 126 ? 2 : 8;
  read_all(client, size, (size_t)bytes);
  for (int i = 0; i < bytes; i++)
    length = length << 8 | size[i];
  return length;
}

/* Reads one message and checks each frame of it. */
static void expect_frames(int client, unsigned opcode, const char *data, size_t length, size_t split) {
  static char payload[70000];
  size_t at = 0;
  do {
    unsigned char first;
    size_t expected = length - at < split ? length - at : split;
    CHECK(read_head(client, &first) == expected);
    CHECK((first & 0x7f) == (at == 0 ? opcode : 0));
    CHECK(((first & 0x80) != 0) == (at + expected == length));
    read_all(client, payload, expected);
    CHECK(memcmp(payload, data + at, expected) == 0);
    at += expected;
  } while (at < length);
}

int main(void) {
  static char data[70000];
  static const size_t lengths[] = {0, 1, SPLIT - 1, SPLIT, SPLIT + 1, 2 * SPLIT, 2 * SPLIT + 1, 65536, 70000};
  uint32_t endpoint, whole;
  uint64_t gateway, ids[2];
  int clients[2];
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_add_endpoint(server, "/whole", 6, &whole));
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, whole, gateway));
  CHECK_OK(wsgate_endpoint_set_frame_split(server, endpoint, SPLIT));
  CHECK_OK(wsgate_endpoint_set_frame_split(server, whole, 0));
  int port = start(server);
  for (int i = 0; i < 2; i++) {
    clients[i] = connect_to(port, 0);
    upgrade(clients[i], i == 0 ? "/" : "/whole");
    ids[i] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  }
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (char)('a' + i % 23);
  uint64_t frames = 0;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    CHECK_OK(wsgate_client_send_text(server, ids[0], data, lengths[i]));
    CHECK_OK(wsgate_client_send_binary(server, ids[1], data, lengths[i]));
    CHECK_OK(wsgate_gateway_broadcast_binary(server, gateway, data, lengths[i], NULL, 0));
    expect_frames(clients[0], TEXT, data, lengths[i], SPLIT);
    expect_frames(clients[0], BINARY, data, lengths[i], SPLIT);
    for (int twice = 0; twice < 2; twice++)
      expect_frames(clients[1], BINARY, data, lengths[i], sizeof data);
    frames += 2 * (lengths[i] == 0 ? 1 : (lengths[i] + SPLIT - 1) / SPLIT);
  }
  close_client(clients[0]);
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  wsgate_client_counters counters;
  memcpy(&counters, event.data, sizeof counters);
  CHECK(counters.messages_out == 2 * (sizeof lengths / sizeof *lengths));
  CHECK(counters.frames_out == frames + 1); /* and the Close frame's answer is not a message's */
  close(clients[1]);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
