/* echo_pull [ADDRESS]: sends every message back as it came, from the program's own event loop.
 *
 * Pull delivery: one descriptor in epoll says that events wait; a batch of them is taken at once, and all
 * answers to a batch go back in one wsgate_submit(). Everything here runs on the main thread.
 *
 *   cc -std=c99 echo_pull.c -o echo_pull -lwsgate && ./echo_pull 127.0.0.1:9001
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <wsgate.h>

/* The records of the next wsgate_submit(). malloc() aligns the start, and every size is a multiple of 8. */
struct answers {
  char *records;
  size_t length, capacity;
};

static void answer(struct answers *answers, uint16_t op, uint64_t client, const void *data, uint64_t length) {
  wsgate_record head = {0};
  size_t size = (sizeof head + length + 7) & ~(size_t)7;

  if (answers->capacity - answers->length < size) {
    size_t capacity = 2 * answers->capacity + size;
    char *records = realloc(answers->records, capacity);
    if (records == NULL)
      abort();
    answers->records = records;
    answers->capacity = capacity;
  }

  head.op = op;
  head.size = (uint32_t)size;
  head.target = client;
  head.length = (uint32_t)length;
  char *record = answers->records + answers->length;
  memcpy(record, &head, sizeof head);
  if (length > 0)
    memcpy(record + sizeof head, data, length);
  memset(record + sizeof head + length, 0, size - sizeof head - length);
  answers->length += size;
}

/* Takes what waits and answers it. Returns 0 once the server has stopped. */
static int turn(wsgate_server *server, wsgate_batch *batch, struct answers *answers) {
  int running = 1;
  int32_t count = wsgate_server_take(server, batch, 0, 0);
  const char *at = (const char *)batch->events;

  if (count < 0) {
    fprintf(stderr, "echo_pull: take: %s: %s\n", wsgate_status_text(count), wsgate_last_error());
    exit(1);
  }
  /* Step by event_size: a later library may append fields to the record. */
  for (int32_t i = 0; i < count; i++, at += batch->event_size) {
    const wsgate_event *event = (const wsgate_event *)at;
    if (event->kind == WSGATE_EVENT_KIND_STOPPED)
      running = 0;
    if (event->kind != WSGATE_EVENT_KIND_MESSAGE)
      continue;
    int binary = (event->flags & WSGATE_EVENT_FLAG_BINARY) != 0;
    answer(answers, binary ? WSGATE_OP_SEND_BINARY : WSGATE_OP_SEND_TEXT, event->client, event->data,
           event->length);
  }
  /* One status for each record can be had instead of NULL: FULL for a client that does not read its echoes. */
  if (answers->length > 0)
    wsgate_submit(server, answers->records, answers->length, NULL, 0);
  answers->length = 0;
  return running;
}

static void require(int status, const char *what) {
  if (status < 0) {
    fprintf(stderr, "echo_pull: %s: %s: %s\n", what, wsgate_status_text(status), wsgate_last_error());
    exit(1);
  }
}

static void watch(int epoll, int descriptor) {
  struct epoll_event event = {0};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) {
    perror("echo_pull: epoll_ctl");
    exit(1);
  }
}

int main(int argc, char **argv) {
  const char *address = argc > 1 ? argv[1] : "127.0.0.1:9001";
  uint32_t endpoint;

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, NULL);

  wsgate_server *server = wsgate_server_new();
  require(wsgate_server_listen(server, address, strlen(address)), address);
  require(wsgate_server_add_endpoint(server, "/", 1, &endpoint), "endpoint /");
  require(wsgate_server_start(server), address); /* no callback was set: a pull server */

  int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
  int server_fd = wsgate_server_fd(server); /* to be polled, never read or closed */
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, signal_fd);
  watch(epoll, server_fd);

  int host_length = (int)(strrchr(address, ':') - address);
  printf("listening on ws://%.*s:%d/\n", host_length, address, (int)wsgate_server_port(server, 0));
  fflush(stdout);

  wsgate_batch *batch = wsgate_batch_new();
  struct answers answers = {0};
  int running = 1;
  while (running) {
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, -1) < 1)
      continue;
    if (event.data.fd == server_fd) {
      running = turn(server, batch, &answers);
    } else {
      /* A second signal stays pending: the stop is under way, and its end comes as an event. */
      epoll_ctl(epoll, EPOLL_CTL_DEL, signal_fd, NULL);
      require(wsgate_server_stop(server, 3000), "stop"); /* clients get 1001 and 3 s to answer it */
    }
  }

  free(answers.records);
  wsgate_batch_free(batch);
  wsgate_server_free(server);
  close(epoll);
  close(signal_fd);
  return 0;
}
