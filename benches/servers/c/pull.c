/* pull MODE PORT: takes events in batches, and submits all replies to a batch at once. */
#define _POSIX_C_SOURCE 200809L
#include "modes.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The records of the next submit. */
static struct {
  char *records;
  size_t length, capacity;
} replies;

static void add_record(wsgate_record head, uint64_t id, const void *data) {
  size_t ids_size = 8 * (size_t)head.ids;
  size_t size = (sizeof head + ids_size + head.length + 7) & ~(size_t)7;

  if (replies.capacity - replies.length < size) {
    replies.capacity = 2 * replies.capacity + size;
    replies.records = realloc(replies.records, replies.capacity);
    if (replies.records == NULL)
      abort();
  }
  char *record = replies.records + replies.length;
  head.size = (uint32_t)size;
  memcpy(record, &head, sizeof head);
  memcpy(record + sizeof head, &id, ids_size);
  if (head.length > 0)
    memcpy(record + sizeof head + ids_size, data, head.length);
  replies.length += size;
}

void reply_send(wsgate_server *server, uint64_t client, int binary, const void *data, uint64_t length) {
  (void)server;
  wsgate_record head = {.op = binary ? WSGATE_OP_SEND_BINARY : WSGATE_OP_SEND_TEXT, .target = client,
                        .length = (uint32_t)length};
  add_record(head, 0, data);
}

void reply_ping(wsgate_server *server, uint64_t client, uint64_t ticket) {
  (void)server;
  wsgate_record head = {.op = WSGATE_OP_PING, .target = client, .ticket = ticket};
  add_record(head, 0, NULL);
}

void reply_close(wsgate_server *server, uint64_t client, uint32_t code, const char *reason, uint64_t length) {
  (void)server;
  if (code > UINT16_MAX)
    return;
  wsgate_record head = {.op = WSGATE_OP_CLOSE, .flags = (uint16_t)code, .target = client, .length = (uint32_t)length};
  add_record(head, 0, reason);
}

void reply_broadcast(wsgate_server *server, uint64_t gateway, int binary, const void *data, uint64_t length,
                     uint64_t except) {
  (void)server;
  wsgate_record head = {.op = binary ? WSGATE_OP_BROADCAST_BINARY : WSGATE_OP_BROADCAST_TEXT, .target = gateway,
                        .ids = except != 0, .length = (uint32_t)length};
  add_record(head, except, data);
}

void reply_add(wsgate_server *server, uint64_t gateway, uint64_t client) {
  (void)server;
  wsgate_record head = {.op = WSGATE_OP_GATEWAY_ADD, .target = gateway, .ids = 1};
  add_record(head, client, NULL);
}

void reply_remove(wsgate_server *server, uint64_t gateway, uint64_t client) {
  (void)server;
  wsgate_record head = {.op = WSGATE_OP_GATEWAY_REMOVE, .target = gateway, .ids = 1};
  add_record(head, client, NULL);
}

/* A thread of its own, because take() may be about to wait when the signal comes. */
static void *stop_on_signal(void *server) {
  sigset_t signals;
  int signal_number;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigwait(&signals, &signal_number);
  modes_require(wsgate_server_stop(server, 3000), "stop");
  return NULL;
}

int main(int argc, char **argv) {
  sigset_t signals;
  pthread_t stopper;
  int32_t count;

  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);

  wsgate_server *server = modes_server(argc, argv);
  modes_start(server);
  if (pthread_create(&stopper, NULL, stop_on_signal, server) != 0)
    abort();

  wsgate_batch *batch = wsgate_batch_new();
  while ((count = wsgate_server_take(server, batch, 0, -1)) >= 0) {
    const char *at = (const char *)batch->events;
    for (int32_t i = 0; i < count; i++, at += batch->event_size)
      modes_event(server, (const wsgate_event *)at);
    if (replies.length > 0)
      wsgate_submit(server, replies.records, replies.length, NULL, 0);
    replies.length = 0;
  }
  if (count != WSGATE_STATUS_CLOSED) /* which comes after STOPPED */
    modes_require(count, "take");

  pthread_join(stopper, NULL);
  wsgate_batch_free(batch);
  modes_require(wsgate_server_free(server), "free");
  free(replies.records);
  return 0;
}
