/* A call for a client that vanishes at that very moment never falls on the one that comes after it and takes its
 * place: the newcomer is not closing, and its word is its own. */
#include "check.h"

#define TURNS 1000

static wsgate_server *server;
static uint64_t vanishing;
static int done;

static void *call_for_who_vanishes(void *nothing) {
  while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
    uint64_t id = __atomic_load_n(&vanishing, __ATOMIC_ACQUIRE);
    wsgate_client_set_user_data(server, id, id);
    wsgate_client_close(server, id, 4000, NULL, 0);
  }
  return nothing;
}

int main(void) {
  uint32_t endpoint;
  pthread_t callers[2];
  server = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_workers(server, 1)); /* so that each takes the place of the one before */
  wsgate_batch *batch = wsgate_batch_new();
  int port = start(server);
  for (int i = 0; i < 2; i++)
    CHECK(pthread_create(&callers[i], NULL, call_for_who_vanishes, NULL) == 0);

  for (int turn = 0; turn < TURNS; turn++) {
    int client = open_client(port);
    uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
    CHECK_OK(wsgate_client_send_text(server, id, "mine", 4)); /* nobody was told to close it yet */
    EXPECT_TEXT(client, "mine");
    __atomic_store_n(&vanishing, id, __ATOMIC_RELEASE);
    reset_client(client);
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
    CHECK(event.client == id && (event.user_data == 0 || event.user_data == id));
  }

  __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 2; i++)
    pthread_join(callers[i], NULL);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
