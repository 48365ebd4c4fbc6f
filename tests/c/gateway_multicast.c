/* A multicast reaches the chosen clients that are in the gateway, each once, and nobody else; so does a send through the
 * gateway. Unknown ids are skipped. */
#include "records.h"

#define CLIENTS 6

static wsgate_server *server;
static uint64_t gateway, ids[CLIENTS];
static int clients[CLIENTS];

static void multicast(const char *text, const uint64_t *to, size_t count) {
  CHECK_OK(wsgate_gateway_multicast_text(server, gateway, text, strlen(text), to, count));
}

/* Nobody else got anything before this. */
static void mark(void) {
  for (int i = 0; i < CLIENTS; i++) {
    CHECK_OK(wsgate_client_send_text(server, ids[i], "mark", 4));
    EXPECT_TEXT(clients[i], "mark");
  }
}

int main(void) {
  static struct records records;
  static struct frame frame;
  uint32_t endpoint;
  int32_t statuses[5];
  server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  int port = start(server);
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = open_client(port);
    ids[i] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
    if (i != 5)
      CHECK_OK(wsgate_gateway_add(server, gateway, ids[i]));
  }

  /* Two on each worker; one of them is there twice, the last is no member, one never was. */
  uint64_t to[] = {ids[3], ids[0], ids[3], ids[5], 12345, ids[1]};
  multicast("to three", to, 6);
  EXPECT_TEXT(clients[0], "to three");
  EXPECT_TEXT(clients[1], "to three");
  EXPECT_TEXT(clients[3], "to three");
  multicast("to nobody", NULL, 0);
  multicast("to a stranger", &ids[5], 1);
  mark();

  CHECK_OK(wsgate_gateway_multicast_binary(server, gateway, "\xff\0", 2, to, 1));
  read_frame(clients[3], &frame);
  CHECK(frame.opcode == BINARY && frame.length == 2 && memcmp(frame.data, "\xff\0", 2) == 0);
  CHECK_OK(wsgate_gateway_send_text(server, gateway, ids[4], "one", 3));
  EXPECT_TEXT(clients[4], "one");
  CHECK_OK(wsgate_gateway_send_binary(server, gateway, ids[4], "\xff", 1));
  read_frame(clients[4], &frame);
  CHECK(frame.opcode == BINARY && frame.length == 1);
  CHECK_OK(wsgate_gateway_send_text(server, gateway, ids[5], "no member", 9));
  CHECK_OK(wsgate_gateway_send_text(server, gateway, 12345, "nobody", 6));
  mark();

  /* Frames that are not copied for each worker; and in one submit, in order with everything else. */
  static char large[65536];
  memset(large, 'x', sizeof large);
  CHECK_OK(wsgate_gateway_multicast_binary(server, gateway, large, sizeof large, ids, 2));
  add_record(&records, WSGATE_OP_BROADCAST_TEXT, gateway, NULL, 0, "all");
  add_record(&records, WSGATE_OP_MULTICAST_TEXT, gateway, to, 2, "some");
  add_text(&records, ids[0], "direct");
  add_record(&records, WSGATE_OP_MULTICAST_BINARY, gateway, ids, 1, "binary");
  add_record(&records, WSGATE_OP_MULTICAST_TEXT, gateway, ids, 1, "?")->flags = 2;
  CHECK(submit(server, &records, statuses, 5) == 4 && statuses[4] == WSGATE_STATUS_INVALID);
  for (int i = 0; i < CLIENTS - 1; i++) {
    if (i < 2) {
      read_frame(clients[i], &frame);
      CHECK(frame.length == sizeof large && memcmp(frame.data, large, sizeof large) == 0);
    }
    EXPECT_TEXT(clients[i], "all");
    if (i == 0 || i == 3)
      EXPECT_TEXT(clients[i], "some");
    if (i == 0) {
      EXPECT_TEXT(clients[0], "direct");
      read_frame(clients[0], &frame);
      CHECK(frame.opcode == BINARY && strcmp(frame.data, "binary") == 0);
    }
  }
  mark();

  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_gateway_multicast_text(server, gateway, "\xff", 1, ids, 1));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_gateway_multicast_text(server, gateway, "x", 1, NULL, 1));
  add_record(&records, WSGATE_OP_GATEWAY_FREE, gateway, NULL, 0, NULL);
  CHECK(submit(server, &records, NULL, 0) == 1);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_multicast_text(server, gateway, "x", 1, ids, 1));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_send_text(server, gateway, ids[0], "x", 1));

  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  for (int i = 0; i < CLIENTS; i++)
    close(clients[i]);
  return 0;
}
