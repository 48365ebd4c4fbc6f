/* permessage-deflate is agreed upon with who offers it, and its messages pass both ways; who does not is served as
 * ever; a bomb and garbage get their close codes. The compressed bytes are those of RFC 7692 section 7.2.3. */
#include "check.h"

static const unsigned char HELLO[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
/* 64 KiB of the letter a. */
static const unsigned char BOMB[78] = {[0] = 0xec, 0xc1, 0x81, 0, 0, 0, 0, 0x80, 0x20, 0xd6, 0xfd, 0x25, 0x16, 0xa9, 0x0a,
                                       [76] = 0x6a};

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event->flags & WSGATE_EVENT_FLAG_BINARY)
    CHECK_OK(wsgate_client_send_binary(server, event->client, event->data, event->length));
  else
    CHECK_OK(wsgate_client_send_text(server, event->client, event->data, event->length));
}

static void on_accept(wsgate_server *server, const wsgate_event *event, void *compressed) {
  (void)server;
  *(unsigned *)compressed += (event->flags & WSGATE_EVENT_FLAG_COMPRESSED) != 0;
}

/* Opens a handshake that offers `extensions`; what the server answered is written to `answer`. */
static int open_offering(int port, const char *extensions, char answer[1024]) {
  int client = connect_to(port, 0);
  size_t length = (size_t)snprintf(answer, 1024,
                                   "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Extensions: %s\r\n\r\n", extensions);
  write_all(client, answer, length);
  read_answer_head(client, answer, 1024);
  CHECK(strncmp(answer, "HTTP/1.1 101 ", 13) == 0);
  return client;
}

/* One whole frame, with its first byte as it came. */
static unsigned read_first(int client, unsigned char *payload, size_t *length) {
  unsigned char head[2];
  read_all(client, head, 2);
  CHECK(head[1] < 126);
  *length = head[1];
  read_all(client, payload, *length);
  return head[0];
}

int main(void) {
  uint32_t endpoint;
  unsigned compressed = 0;
  char answer[1024];
  unsigned char payload[125];
  size_t length;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_message(server, on_message, NULL, NULL));
  CHECK_OK(wsgate_server_on_accept(server, on_accept, &compressed, NULL));
  CHECK_OK(wsgate_server_set_workers(server, 1));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "compression level", wsgate_endpoint_set_compression(server, endpoint, 10));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "compression window",
              wsgate_endpoint_set_compression_window(server, endpoint, 8, 15));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "compression memory level",
              wsgate_endpoint_set_compression_memory(server, endpoint, 0));
  CHECK_OK(wsgate_endpoint_set_compression(server, endpoint, 6));
  CHECK_OK(wsgate_endpoint_set_compression_takeover(server, endpoint, 1, 0));
  CHECK_OK(wsgate_endpoint_set_compression_memory(server, endpoint, 8));
  CHECK_OK(wsgate_endpoint_set_compression_of(server, endpoint, 5, 1, 0));
  CHECK_OK(wsgate_endpoint_set_compression_ratio(server, endpoint, 0));
  CHECK_OK(wsgate_endpoint_set_max_message_size(server, endpoint, 60000));
  int port = start(server);

  int client = open_offering(port, "x-other, permessage-deflate; server_max_window_bits=10; client_max_window_bits",
                             answer);
  CHECK(strstr(answer, "permessage-deflate; client_no_context_takeover; server_max_window_bits=10\r\n") != NULL);
  /* Twice, and the second time the answer refers to the first. */
  size_t lengths[2];
  for (int turn = 0; turn < 2; turn++) {
    static const unsigned char TEN_TIMES[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0xf7, 0x20, 0x85, 0x00, 0x00};
    send_frame(client, 0x40 | TEXT, TEN_TIMES, sizeof TEN_TIMES);
    CHECK(read_first(client, payload, &length) == (0xc0 | TEXT));
    lengths[turn] = length;
  }
  CHECK(lengths[1] < lengths[0]);
  /* Too short to be compressed, and not of the kind that is. */
  send_frame(client, TEXT, "Hell", 4);
  CHECK(read_first(client, payload, &length) == (0x80 | TEXT) && length == 4);
  send_frame(client, 0x40 | BINARY, HELLO, sizeof HELLO);
  CHECK(read_first(client, payload, &length) == (0x80 | BINARY) && length == 5 && memcmp(payload, "Hello", 5) == 0);
  close_client(client);

  client = open_client(port);
  send_text(client, "Hello, hello, hello, hello");
  EXPECT_TEXT(client, "Hello, hello, hello, hello");
  close_client(client);

  client = open_offering(port, "permessage-deflate; server_max_window_bits=8, permessage-deflate; unknown", answer);
  CHECK(strstr(answer, "xtensions") == NULL);
  send_frame(client, 0x40 | TEXT, HELLO, sizeof HELLO);
  EXPECT_CLOSE(client, 1002);
  close(client);

  client = open_offering(port, "permessage-deflate", answer);
  send_frame(client, 0x40 | TEXT, "\xff\xff\xff", 3);
  EXPECT_CLOSE(client, 1007);
  close(client);

  client = open_offering(port, "permessage-deflate", answer);
  send_frame(client, 0x40 | BINARY, BOMB, sizeof BOMB);
  EXPECT_CLOSE(client, 1009);
  close(client);

  CHECK_OK(wsgate_server_free(server));
  CHECK(compressed == 3);
  return 0;
}
