/* A drain refuses new connections at once, closes the clients evenly over its time, serves those who are left until
 * then, and ends in STOPPED after every CLOSE. A stop ends it at once. */
#include "check.h"

#define CLIENTS 20
#define SPREAD_MS 2000

static wsgate_server *server;
static wsgate_batch *batch;
static int clients[CLIENTS];
static uint64_t ids[CLIENTS];

static int start_with_clients(void) {
  uint32_t endpoint;
  server = new_server(&endpoint);
  CHECK_OK(wsgate_endpoint_set_close_period(server, endpoint, 3600000));
  int port = start(server);
  for (int c = 0; c < CLIENTS; c++) {
    clients[c] = open_client(port);
    ids[c] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  }
  return port;
}

static int is_refused(int port) {
  struct sockaddr_in address = {0};
  int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int refused = connect(late, (struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED;
  close(late);
  return refused;
}

static int index_of(uint64_t id) {
  int c = 0;
  while (ids[c] != id) {
    c++;
    CHECK(c < CLIENTS);
  }
  return c;
}

/* Answers each Close frame as it comes, and notes when: in milliseconds since `from`. */
static void answer_closes(int count, const struct timespec *from, long *times) {
  struct pollfd polls[CLIENTS];
  struct timespec now;
  int closed = 0;
  for (int c = 0; c < CLIENTS; c++)
    polls[c] = (struct pollfd){clients[c], POLLIN, 0};
  while (closed < count) {
    CHECK(poll(polls, CLIENTS, 1000 * PATIENCE_S) > 0);
    for (int c = 0; c < CLIENTS; c++) {
      if (!polls[c].revents)
        continue;
      EXPECT_CLOSE(clients[c], 1001);
      clock_gettime(CLOCK_MONOTONIC, &now);
      send_close(clients[c], 1001, "");
      polls[c].fd = -1;
      times[closed++] = (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
    }
  }
}

static void spread_evenly(void) {
  struct timespec from;
  long times[CLIENTS];
  int port = start_with_clients();
  clock_gettime(CLOCK_MONOTONIC, &from);
  CHECK_OK(wsgate_server_drain(server, SPREAD_MS, 1000 * PATIENCE_S));
  CHECK_OK(wsgate_server_drain(server, 10 * SPREAD_MS, 0)); /* can't be longer */
  for (int tries = 0; !is_refused(port); tries++) {
    CHECK(tries < 1000 * PATIENCE_S);
    poll(NULL, 0, 1);
  }
  /* Who has not been closed is still served: at least the last one of each worker. */
  int served = 0;
  for (int c = 0; c < CLIENTS; c++)
    if (wsgate_client_send_text(server, ids[c], "still here", 10) == WSGATE_STATUS_OK) {
      EXPECT_TEXT(clients[c], "still here");
      served++;
    }
  CHECK(served > 0);
  answer_closes(CLIENTS, &from, times);
  /* Evenly: no earlier than their time, and a machine that is busy makes them late only. */
  CHECK(times[CLIENTS / 2] >= SPREAD_MS / 2 - SPREAD_MS / 10);
  CHECK(times[CLIENTS - 1] >= SPREAD_MS - SPREAD_MS / 10);
  CHECK(times[0] < times[CLIENTS - 1]);
  for (int c = 0; c < CLIENTS; c++) {
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
    CHECK(event.code == 1001 && event.value == WSGATE_CLOSE_CAUSE_SHUTDOWN);
    CHECK(event.flags & WSGATE_EVENT_FLAG_CLEAN);
    index_of(event.client);
  }
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_OK(wsgate_server_free(server));
}

static void ended_by_a_stop(void) {
  struct timespec from;
  long times[CLIENTS];
  start_with_clients();
  clock_gettime(CLOCK_MONOTONIC, &from);
  CHECK_OK(wsgate_server_drain(server, 3600000, 3600000));
  CHECK_OK(wsgate_server_stop(server, 1000 * PATIENCE_S));
  CHECK_OK(wsgate_server_drain(server, 3600000, 3600000)); /* does not begin again */
  answer_closes(CLIENTS, &from, times);
  for (int c = 0; c < CLIENTS; c++)
    take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_OK(wsgate_server_free(server));
}

/* Those who do not answer are cut after the grace. */
static void with_a_grace(void) {
  start_with_clients();
  CHECK_OK(wsgate_server_drain(server, 100, 100));
  for (int c = 0; c < CLIENTS; c++)
    CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == 1001);
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_OK(wsgate_server_free(server));
}

static void close_all(void) {
  for (int c = 0; c < CLIENTS; c++)
    close(clients[c]);
}

int main(void) {
  batch = wsgate_batch_new();
  spread_evenly();
  close_all();
  ended_by_a_stop();
  close_all();
  with_a_grace();
  close_all();

  uint32_t endpoint;
  server = new_server(&endpoint);
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_drain(server, 0, 0));
  start(server);
  CHECK_OK(wsgate_server_drain(server, 3600000, 3600000)); /* nobody is there */
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_OK(wsgate_server_free(server));

  start_with_clients(); /* free ends a drain, too */
  CHECK_OK(wsgate_server_drain(server, 3600000, 3600000));
  CHECK_OK(wsgate_server_free(server));
  close_all();
  wsgate_batch_free(batch);
  return 0;
}
