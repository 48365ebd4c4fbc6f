/* A send over the outbox limit is FULL and not queued; DRAIN tells when there is room again, and what was queued
 * arrives whole and in order. */
#include "check.h"

#define LIMIT (64 * 1024)
#define BLOCK 16384

static wsgate_status send_block(wsgate_server *server, uint64_t id, unsigned number) {
  static char block[BLOCK];
  memcpy(block, &number, sizeof number);
  return wsgate_client_send_binary(server, id, block, sizeof block);
}

static void read_block(int client, unsigned number) {
  static struct frame frame;
  read_frame(client, &frame);
  CHECK(frame.opcode == BINARY && frame.length == BLOCK && memcmp(frame.data, &number, sizeof number) == 0);
}

int main(void) {
  uint32_t endpoint;
  unsigned sent = 0;
  int status;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_outbox_limit(server, endpoint, LIMIT, 1000));
  int client = connect_to(start(server), 4096);
  upgrade(client, "/");
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;

  /* The kernel's buffers fill too, and while they do the outbox may have room again. */
  do {
    while ((status = send_block(server, id, sent)) == WSGATE_STATUS_OK)
      CHECK(++sent < 10000);
    CHECK_ERROR(WSGATE_STATUS_FULL, "outbox", status);
  } while (wsgate_server_take(server, batch, 1, 100) == 1 && batch->events->kind == WSGATE_EVENT_KIND_DRAIN);
  CHECK(batch->count == 0);

  for (unsigned i = 0; i < sent; i++)
    read_block(client, i);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_DRAIN).client == id);
  CHECK_OK(send_block(server, id, sent));
  read_block(client, sent);

  close_client(client);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE); /* and no second DRAIN before it */
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
