/* Calls with stale ids from many threads, who send, close and broadcast to the living too, while clients come and go,
 * many at once: never a crash, and CLOSED each time once the CLOSE event was taken. At the stop one CLOSE for each
 * ACCEPT. Then servers that are freed in each state.
 * WSGATE_THREADS [4] call, WSGATE_STALE_IDS [500000] times in all; WSGATE_CLIENTS [500] come. */
#include "check.h"

#define KEPT 256
#define VISITORS 4
#define AT_ONCE 8
#define MAX_THREADS 64

static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
                              "\x81\x85\0\0\0\0hello";

static wsgate_server *server;
static uint64_t gateway;
static int port, is_stopping, over;
static unsigned threads_wanted, calls_wanted, clients_wanted; /* not changed once threads run */
static unsigned called, came;                                 /* so far */
static uint64_t stale[KEPT], living[KEPT];                    /* the latest; the living may close at any moment */
static unsigned stale_count, living_count;

static unsigned wanted(const char *name, unsigned otherwise) {
  const char *number = getenv(name);
  return number ? (unsigned)strtoul(number, NULL, 10) : otherwise;
}

static unsigned count(unsigned *counter) { return __atomic_load_n(counter, __ATOMIC_ACQUIRE); }
static int is_over(void) { return __atomic_load_n(&over, __ATOMIC_ACQUIRE); }

static void keep(uint64_t *ids, unsigned *ever, uint64_t id) {
  __atomic_store_n(&ids[*ever % KEPT], id, __ATOMIC_RELAXED);
  __atomic_store_n(ever, *ever + 1, __ATOMIC_RELEASE);
}

static uint64_t choose(uint64_t *ids, unsigned *ever, unsigned n) {
  unsigned known = count(ever);
  return __atomic_load_n(&ids[n % (known < KEPT ? known : KEPT)], __ATOMIC_RELAXED);
}

static int call_for_nobody(unsigned n) {
  uint64_t id = choose(stale, &stale_count, n / 8);
  if (n % 64 == 9)
    id |= (uint64_t)1 << 62; /* never given */
  switch (n % 8) {
  case 0:
    return wsgate_client_close(server, id, 1000, "", 0);
  case 1:
    return wsgate_client_ping(server, id, n);
  case 2:
    return wsgate_gateway_add(server, gateway, id);
  case 3:
    return wsgate_client_set_user_data(server, id, n);
  default:
    return wsgate_client_send_text(server, id, "stale", 5);
  }
}

static int call_for_the_living(unsigned n) {
  uint64_t id = choose(living, &living_count, n / 32);
  switch (n % 32) {
  case 0:
    return wsgate_client_close(server, id, 4000, "enough", 6);
  case 1:
    return wsgate_gateway_broadcast_text(server, gateway, "to all but one", 14, &id, 1);
  case 2:
    return wsgate_gateway_remove(server, gateway, id);
  case 3:
    return wsgate_gateway_add(server, gateway, id);
  default:
    return wsgate_client_send_text(server, id, "living", 6);
  }
}

static void *call(void *number) {
  for (unsigned n = *(unsigned *)number; !is_over(); n++) {
    CHECK_STATUS(WSGATE_STATUS_CLOSED, call_for_nobody(n));
    if (n % 16 == 0) {
      int status = call_for_the_living(n / 16);
      CHECK(status == WSGATE_STATUS_OK || status == WSGATE_STATUS_CLOSED || status == WSGATE_STATUS_FULL);
    }
    uint64_t calls = __atomic_add_fetch(&called, 1, __ATOMIC_RELEASE);
    /* Not faster than clients come: the calls last as long as they do. */
    while (calls * clients_wanted > (uint64_t)(count(&came) + 1) * calls_wanted && !is_over())
      poll(NULL, 0, 1);
  }
  return NULL;
}

/* Says so much of a request and a message. What becomes of it is not looked at: it may be closed at any moment. */
static void say(int client, size_t length) {
  char answer[256];
  ssize_t sent = send(client, request, length, MSG_NOSIGNAL);
  if (sent == (ssize_t)length && length >= sizeof request - 1)
    (void)!recv(client, answer, sizeof answer, 0);
}

static void leave(int client, unsigned n) {
  static const char parting[] = "\x88\x82\0\0\0\0\x03\xe8";
  char rest[4096];
  if (n % 4 == 0) {
    reset_client(client);
    return;
  }
  if (n % 4 == 1)
    (void)!send(client, parting, sizeof parting - 1, MSG_NOSIGNAL);
  if (n % 4 == 2)
    (void)!send(client, "no frame at all", 15, MSG_NOSIGNAL);
  if (n % 4 < 3 && shutdown(client, SHUT_WR) == 0)
    while (recv(client, rest, sizeof rest, 0) > 0)
      ;
  close(client);
}

/* Clients come, and the eldest goes, until it is over; the last ones stay: their sockets are in `clients`. */
static void *visit(void *clients) {
  int *there = clients;
  for (unsigned n = 0; !is_over(); n++) {
    size_t length = sizeof request - 1;
    int *eldest = &there[n % AT_ONCE];
    if (n >= AT_ONCE)
      leave(*eldest, n / AT_ONCE);
    *eldest = try_to_connect(port, 0);
    if (*eldest < 0) {
      CHECK(__atomic_load_n(&is_stopping, __ATOMIC_ACQUIRE));
      break;
    }
    say(*eldest, n % 7 == 6 ? length / 2 : length);
    __atomic_add_fetch(&came, 1, __ATOMIC_RELEASE);
  }
  return NULL;
}

/* Takes until enough happened, and then until STOPPED. Returns how many clients were accepted. */
static unsigned take_all(wsgate_batch *batch) {
  unsigned accepts = 0, closes = 0, stopped = 0;
  while (!stopped) {
    int taken = wsgate_server_take(server, batch, 0, 1000 * PATIENCE_S);
    CHECK(taken > 0);
    for (size_t i = 0; i < batch->count; i++) {
      const wsgate_event *event = &batch->events[i];
      CHECK(!stopped);
      if (event->kind == WSGATE_EVENT_KIND_ACCEPT && ++accepts)
        keep(living, &living_count, event->client);
      else if (event->kind == WSGATE_EVENT_KIND_CLOSE && ++closes)
        keep(stale, &stale_count, event->client);
      stopped = event->kind == WSGATE_EVENT_KIND_STOPPED;
    }
    if (!is_over() && count(&called) >= calls_wanted && count(&came) >= clients_wanted) {
      __atomic_store_n(&is_stopping, 1, __ATOMIC_RELEASE);
      CHECK_OK(wsgate_server_stop(server, 0));
      __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    }
  }
  CHECK(accepts == closes);
  return accepts;
}

static wsgate_server *new_gathering(void) {
  uint32_t endpoint;
  wsgate_server *made = new_server(&endpoint);
  CHECK_OK(wsgate_gateway_new(made, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(made, endpoint, gateway));
  return made;
}

static void free_in_each_state(void) {
  enum { NEW, STARTED, SERVING, STOPPING, DRAINING, STATES };
  for (int state = NEW; state < STATES; state++) {
    int clients[4], there = state >= SERVING ? 4 : 0;
    server = new_gathering();
    if (state > NEW)
      port = start(server);
    for (int i = 0; i < there; i++) {
      clients[i] = connect_to(port, 0);
      say(clients[i], (sizeof request - 1) * (size_t)(i + 1) / 4);
    }
    if (state == STOPPING)
      CHECK_OK(wsgate_server_stop(server, 3600000));
    if (state == DRAINING)
      CHECK_OK(wsgate_server_drain(server, 3600000, 3600000));
    CHECK_OK(wsgate_server_free(server));
    for (int i = 0; i < there; i++)
      close(clients[i]);
  }
}

int main(void) {
  static int clients[VISITORS][AT_ONCE];
  static unsigned numbers[MAX_THREADS];
  pthread_t visitors[VISITORS], callers[MAX_THREADS];
  threads_wanted = wanted("WSGATE_THREADS", 4);
  calls_wanted = wanted("WSGATE_STALE_IDS", 500000);
  clients_wanted = wanted("WSGATE_CLIENTS", 500);
  CHECK(threads_wanted <= MAX_THREADS && clients_wanted > AT_ONCE * VISITORS);
  server = new_gathering();
  wsgate_batch *batch = wsgate_batch_new();
  port = start(server);

  int first = open_client(port);
  keep(living, &living_count, take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client);
  close_client(first);
  keep(stale, &stale_count, take(server, batch, WSGATE_EVENT_KIND_CLOSE).client);

  for (unsigned i = 0; i < VISITORS; i++)
    CHECK(pthread_create(&visitors[i], NULL, visit, clients[i]) == 0);
  for (unsigned i = 0; i < threads_wanted; i++) {
    numbers[i] = i * 1009;
    CHECK(pthread_create(&callers[i], NULL, call, &numbers[i]) == 0);
  }
  unsigned accepts = take_all(batch);
  for (unsigned i = 0; i < threads_wanted; i++)
    pthread_join(callers[i], NULL);
  for (unsigned i = 0; i < VISITORS; i++)
    pthread_join(visitors[i], NULL);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  for (unsigned i = 0; i < VISITORS * AT_ONCE; i++)
    if (clients[i / AT_ONCE][i % AT_ONCE] >= 0)
      close(clients[i / AT_ONCE][i % AT_ONCE]);

  free_in_each_state();
  fprintf(stderr, "%u threads made %u calls with stale ids, while %u clients came, of whom %u were accepted\n",
          threads_wanted, called, came, accepts);
  return 0;
}
