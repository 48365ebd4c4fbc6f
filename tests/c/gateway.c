/* A broadcast reaches each member once, on every worker, and nobody else: not the excluded, not those who left, not
 * those who came later. */
#include "check.h"

#define CLIENTS 6

static wsgate_server *server;
static uint64_t gateway, ids[CLIENTS];
static int clients[CLIENTS];

static void broadcast(const char *text, const uint64_t *exclude, size_t count) {
  CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, text, strlen(text), exclude, count));
}

/* After it, nothing older is on its way to anybody. */
static void mark(const char *text) {
  for (int i = 0; i < CLIENTS; i++)
    CHECK_OK(wsgate_client_send_text(server, ids[i], text, strlen(text)));
}

int main(void) {
  static struct frame frame;
  uint32_t endpoint;
  server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  int port = start(server);
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = open_client(port);
    ids[i] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  }

  broadcast("to an empty gateway", NULL, 0);
  for (int i = 0; i < CLIENTS; i++)
    CHECK_OK(wsgate_gateway_add(server, gateway, ids[i]));
  CHECK_OK(wsgate_gateway_add(server, gateway, ids[0])); /* twice is once */
  broadcast("all", NULL, 0);
  for (int i = 0; i < CLIENTS; i++)
    EXPECT_TEXT(clients[i], "all");

  /* An excluded id may be stale, or no member, or there twice. */
  uint64_t exclude[] = {ids[1], ids[4], ids[1], 12345};
  broadcast("most", exclude, 4);
  broadcast("none", ids, CLIENTS);
  CHECK_OK(wsgate_gateway_broadcast_binary(server, gateway, "\xff\0", 2, exclude, 1));
  mark("mark");
  for (int i = 0; i < CLIENTS; i++) {
    if (i != 1 && i != 4)
      EXPECT_TEXT(clients[i], "most");
    if (i != 1) {
      read_frame(clients[i], &frame);
      CHECK(frame.opcode == BINARY && frame.length == 2 && memcmp(frame.data, "\xff\0", 2) == 0);
    }
    EXPECT_TEXT(clients[i], "mark");
  }

  CHECK_OK(wsgate_gateway_remove(server, gateway, ids[2]));
  CHECK_OK(wsgate_gateway_remove(server, gateway, ids[2])); /* is no member any more */
  broadcast("without 2", NULL, 0);
  CHECK_OK(wsgate_gateway_add(server, gateway, ids[2]));
  broadcast("with 2", NULL, 0);
  for (int i = 0; i < CLIENTS; i++) {
    if (i != 2)
      EXPECT_TEXT(clients[i], "without 2");
    EXPECT_TEXT(clients[i], "with 2");
  }

  close_client(clients[5]); /* leaves by itself */
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  broadcast("without 5", NULL, 0);
  for (int i = 0; i < CLIENTS - 1; i++)
    EXPECT_TEXT(clients[i], "without 5");

  broadcast("last", NULL, 0);
  CHECK_OK(wsgate_gateway_free(server, gateway));
  for (int i = 0; i < CLIENTS - 1; i++)
    EXPECT_TEXT(clients[i], "last");
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_broadcast_text(server, gateway, "x", 1, NULL, 0));
  CHECK_OK(wsgate_client_send_text(server, ids[0], "still here", 10));
  EXPECT_TEXT(clients[0], "still here");

  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  for (int i = 0; i < CLIENTS - 1; i++)
    close(clients[i]);
  return 0;
}
