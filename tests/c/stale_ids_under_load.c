/* A million sends from two threads to clients that come and go: never a crash, and CLOSED each time once the CLOSE
 * event was taken. WSGATE_SENDS [500000]: how many each thread makes. */
#include "check.h"

#define KEPT 256

static unsigned sends_per_thread = 500000;

static wsgate_server *server;
static uint64_t closed[KEPT]; /* the latest, overwritten in turn */
static uint64_t open_id;      /* may close at any moment */
static unsigned closed_count, senders;

static void *send_to_everybody(void *nothing) {
  for (unsigned i = 0; i < sends_per_thread; i++) {
    unsigned known = __atomic_load_n(&closed_count, __ATOMIC_ACQUIRE);
    uint64_t stale = __atomic_load_n(&closed[i % (known < KEPT ? known : KEPT)], __ATOMIC_RELAXED);
    CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(server, stale, "stale", 5));
    if (i % 16 == 0) {
      int status = wsgate_client_send_text(server, __atomic_load_n(&open_id, __ATOMIC_RELAXED), "open", 4);
      CHECK(status == WSGATE_STATUS_OK || status == WSGATE_STATUS_CLOSED || status == WSGATE_STATUS_FULL);
    }
  }
  __atomic_sub_fetch(&senders, 1, __ATOMIC_RELEASE);
  return nothing;
}

static void come_and_go(wsgate_batch *batch, int port, unsigned turn) {
  int client = open_client(port);
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  __atomic_store_n(&open_id, id, __ATOMIC_RELAXED);
  if (turn % 2)
    reset_client(client);
  else
    send_close(client, 1000, "");
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).client == id);
  if (turn % 2 == 0)
    close(client);
  __atomic_store_n(&closed[turn % KEPT], id, __ATOMIC_RELAXED);
  __atomic_store_n(&closed_count, turn + 1, __ATOMIC_RELEASE);
}

int main(void) {
  uint32_t endpoint;
  pthread_t threads[2];
  unsigned turn = 0;
  server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int port = start(server);
  const char *sends = getenv("WSGATE_SENDS");
  if (sends)
    sends_per_thread = (unsigned)strtoul(sends, NULL, 10);

  come_and_go(batch, port, turn++);
  senders = 2;
  for (int i = 0; i < 2; i++)
    CHECK(pthread_create(&threads[i], NULL, send_to_everybody, NULL) == 0);
  while (__atomic_load_n(&senders, __ATOMIC_ACQUIRE) > 0 || turn < 2 * KEPT)
    come_and_go(batch, port, turn++);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);

  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
