/* Callbacks for one client come one at a time and in order; those for clients of different workers run at once. */
#include "check.h"

#define CLIENTS 8
#define MESSAGES 300

static struct tally tally = TALLY;
static struct {
  int inside;
  unsigned next;
} state[CLIENTS];
static pthread_barrier_t both;

/* A message is two bytes: the client's number, and its own number modulo 256. */
static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  const unsigned char *data = event->data;
  (void)server;
  (void)user_data;
  CHECK(event->length == 2 && data[0] < CLIENTS);
  CHECK(__atomic_exchange_n(&state[data[0]].inside, 1, __ATOMIC_ACQUIRE) == 0);
  CHECK(data[1] == (unsigned char)state[data[0]].next++);
  __atomic_store_n(&state[data[0]].inside, 0, __ATOMIC_RELEASE);
  tally_event(&tally, event);
}

/* Returns only when another thread is in here too. */
static void on_meeting(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)server;
  (void)user_data;
  pthread_barrier_wait(&both);
  tally_event(&tally, event);
}

static void one_at_a_time(void) {
  uint32_t endpoint;
  int clients[CLIENTS];
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_message(server, on_message, NULL, NULL));
  int port = start(server);
  for (int c = 0; c < CLIENTS; c++)
    clients[c] = open_client(port);
  for (int i = 0; i < MESSAGES; i++)
    for (int c = 0; c < CLIENTS; c++) {
      unsigned char message[2] = {(unsigned char)c, (unsigned char)i};
      send_frame(clients[c], BINARY, message, sizeof message);
    }
  tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, CLIENTS * MESSAGES);
  CHECK_OK(wsgate_server_free(server));
  for (int c = 0; c < CLIENTS; c++)
    close(clients[c]);
}

static void at_once(void) {
  uint32_t endpoint;
  unsigned before = tally_count(&tally, WSGATE_EVENT_KIND_MESSAGE);
  wsgate_server *server = new_server(&endpoint);
  CHECK(pthread_barrier_init(&both, NULL, 2) == 0);
  CHECK_OK(wsgate_server_on_message(server, on_meeting, NULL, NULL));
  int port = start(server);
  int clients[2] = {open_client(port), open_client(port)}; /* one goes to each of the two workers */
  send_text(clients[0], "x");
  send_text(clients[1], "x");
  tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, before + 2);
  CHECK_OK(wsgate_server_free(server));
  pthread_barrier_destroy(&both);
  close(clients[0]);
  close(clients[1]);
}

int main(void) {
  one_at_a_time();
  at_once();
  return 0;
}
