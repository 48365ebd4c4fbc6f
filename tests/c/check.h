/* What these tests share: CHECK, waiting for events, and a WebSocket client on a plain socket.
 * Every wait is bounded. A failed check says where and what, and ends the program with 1. */
#ifndef CHECK_H
#define CHECK_H

#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <wsgate.h>

/* Longer than anything here takes under valgrind on a busy machine, shorter than the runner's patience. */
#define PATIENCE_S 20

#define CHECK(condition) ((condition) ? (void)0 : fail(__FILE__, __LINE__, #condition, "is false"))
#define CHECK_STATUS(expected, call) check_status(__FILE__, __LINE__, #call, (int)(call), (int)(expected), NULL)
#define CHECK_OK(call) CHECK_STATUS(WSGATE_STATUS_OK, call)
/* Fails with this status, and the last error has this word in it. */
#define CHECK_ERROR(expected, word, call) check_status(__FILE__, __LINE__, #call, (int)(call), (int)(expected), word)

__attribute__((noreturn)) static inline void fail(const char *file, int line, const char *what, const char *how) {
  fprintf(stderr, "%s:%d: %s %s (last error: \"%s\")\n", file, line, what, how, wsgate_last_error());
  _exit(1);
}

static inline void check_status(const char *file, int line, const char *call, int got, int expected, const char *word) {
  char how[160];
  snprintf(how, sizeof how, "is %d (%s), expected %d, \"%s\" in the last error", got, wsgate_status_text(got), expected,
           word ? word : "");
  if (got != expected || (word && strstr(wsgate_last_error(), word) == NULL))
    fail(file, line, call, how);
}

/* A server with two workers, an address of its own and the endpoint "/", whose clients may send as fast as they can;
 * not started. */
static inline wsgate_server *new_server(uint32_t *endpoint) {
  wsgate_server *server = wsgate_server_new();
  CHECK(server != NULL);
  CHECK_OK(wsgate_server_listen(server, "127.0.0.1:0", 11));
  CHECK_OK(wsgate_server_set_workers(server, 2));
  CHECK_OK(wsgate_server_add_endpoint(server, "/", 1, endpoint));
  CHECK_OK(wsgate_endpoint_set_rate_limit(server, *endpoint, 0, 0));
  CHECK_OK(wsgate_endpoint_set_heartbeat(server, *endpoint, 0, 1)); /* no ping between what a slow machine awaits */
  return server;
}

static inline int start(wsgate_server *server) {
  CHECK_OK(wsgate_server_start(server));
  int port = wsgate_server_port(server, 0);
  CHECK(port > 0);
  return port;
}

/* Takes the next event, which must be of this kind; what others log is passed over. */
static inline wsgate_event take(wsgate_server *server, wsgate_batch *batch, uint32_t kind) {
  for (;;) {
    int count = wsgate_server_take(server, batch, 1, 1000 * PATIENCE_S);
    CHECK(count == 1 && batch->count == 1);
    if (batch->events->kind == WSGATE_EVENT_KIND_LOG)
      continue;
    if (batch->events->kind != kind) {
      fprintf(stderr, "kind %u came, code %u; expected kind %u\n", batch->events->kind, batch->events->code, kind);
      _exit(1);
    }
    return *batch->events;
  }
}

static inline int event_is(const wsgate_event *event, const char *text) {
  return event->length == strlen(text) && memcmp(event->data, text, event->length) == 0;
}

struct tally {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned count[16];
  wsgate_event latest[16]; /* without data, which is gone when the callback returns */
};

#define TALLY {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, {{0, 0, 0, 0, NULL, 0, 0, 0, 0, 0}}}

static inline void tally_event(struct tally *tally, const wsgate_event *event) {
  CHECK(event->kind < 16);
  pthread_mutex_lock(&tally->lock);
  tally->count[event->kind]++;
  tally->latest[event->kind] = *event;
  tally->latest[event->kind].data = NULL;
  pthread_cond_broadcast(&tally->changed);
  pthread_mutex_unlock(&tally->lock);
}

static inline unsigned tally_count(struct tally *tally, uint32_t kind) {
  pthread_mutex_lock(&tally->lock);
  unsigned count = tally->count[kind];
  pthread_mutex_unlock(&tally->lock);
  return count;
}

/* Waits until so many of a kind came, and returns the latest. */
static inline wsgate_event tally_wait(struct tally *tally, uint32_t kind, unsigned count) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE_S;
  pthread_mutex_lock(&tally->lock);
  while (tally->count[kind] < count)
    if (pthread_cond_timedwait(&tally->changed, &tally->lock, &until) != 0) {
      fprintf(stderr, "kind %u came %u times, expected %u\n", kind, tally->count[kind], count);
      _exit(1);
    }
  wsgate_event latest = tally->latest[kind];
  pthread_mutex_unlock(&tally->lock);
  return latest;
}

/* For wsgate_server_on_event() and its kin: user_data is the tally. */
static inline void on_tally(wsgate_server *server, const wsgate_event *event, void *tally) {
  (void)server;
  tally_event(tally, event);
}

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct frame {
  unsigned opcode;
  size_t length;
  char data[(1 << 16) + 1]; /* NUL after it */
};

static inline void write_all(int client, const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    /* MSG_NOSIGNAL: if SIGPIPE comes, it is the server that caused it. */
    ssize_t written = send(client, at, length, MSG_NOSIGNAL);
    CHECK(written > 0);
    at += written;
    length -= (size_t)written;
  }
}

static inline void read_all(int client, void *data, size_t length) {
  char *at = data;
  while (length > 0) {
    ssize_t got = recv(client, at, length, 0);
    CHECK(got > 0);
    at += got;
    length -= (size_t)got;
  }
}

/* A TCP connection, -1 when it is refused; receive_buffer 0 leaves the system's size. */
static inline int try_to_connect(int port, int receive_buffer) {
  struct sockaddr_in address;
  struct timeval patience = {PATIENCE_S, 0};
  int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(client >= 0);
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (receive_buffer > 0)
    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(client, (struct sockaddr *)&address, sizeof address) == 0)
    return client;
  CHECK(errno == ECONNREFUSED);
  close(client);
  return -1;
}

static inline int connect_to(int port, int receive_buffer) {
  int client = try_to_connect(port, receive_buffer);
  CHECK(client >= 0);
  return client;
}

/* Reads an answer up to its empty line, not a byte further. */
static inline void read_answer_head(int client, char *text, size_t size) {
  memset(text, 0, size);
  for (size_t length = 0; strstr(text, "\r\n\r\n") == NULL; length++) {
    CHECK(length + 1 < size);
    read_all(client, text + length, 1);
  }
}

/* Opens the handshake for a target, and reads the answer up to its empty line, not a byte further. */
static inline void upgrade(int client, const char *target) {
  char text[1024];
  size_t length = (size_t)snprintf(text, sizeof text,
                                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                   "X-Test: a value\r\n\r\n", target);
  write_all(client, text, length);
  read_answer_head(client, text, sizeof text);
  CHECK(strncmp(text, "HTTP/1.1 101 ", 13) == 0);
  CHECK(strstr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != NULL);
}

static inline int open_client(int port) {
  int client = connect_to(port, 0);
  upgrade(client, "/");
  return client;
}

/* One whole masked frame. */
static inline void send_frame(int client, unsigned opcode, const void *data, size_t length) {
  static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
  unsigned char *frame = malloc(length + 14);
  size_t head = 2;
  CHECK(frame != NULL);
  frame[0] = (unsigned char)(0x80 | opcode);
  if (length < 126) {
    frame[1] = (unsigned char)(0x80 | length);
  } else {
    int bytes = length < 65536 ? 2 : 8;
    frame[1] = bytes == 2 ? 0x80 | 126 : 0x80 | 127;
    while (bytes-- > 0)
      frame[head++] = (unsigned char)(length >> (8 * bytes));
  }
  memcpy(frame + head, mask, 4);
  head += 4;
  for (size_t i = 0; i < length; i++)
    frame[head + i] = ((const unsigned char *)data)[i] ^ mask[i % 4];
  write_all(client, frame, head + length);
  free(frame);
}

static inline void send_text(int client, const char *text) { send_frame(client, TEXT, text, strlen(text)); }

static inline void send_close(int client, unsigned code, const char *reason) {
  char payload[125] = {(char)(code >> 8), (char)code};
  size_t length = strlen(reason);
  memcpy(payload + 2, reason, length);
  send_frame(client, CLOSE, payload, 2 + length);
}

/* A message, whole, whose frames nothing came between; or a control frame. */
static inline void read_frame(int client, struct frame *frame) {
  unsigned char head[8], first;
  frame->length = 0;
  do {
    read_all(client, head, 2);
    first = head[0];
    size_t length = head[1];
    CHECK((first & 0x70) == 0 && (head[1] & 0x80) == 0);
    CHECK(frame->length == 0 || (first & 0x0f) == 0);
    if (frame->length == 0)
      frame->opcode = first & 0x0f;
    if (head[1] >= 126) {
      int bytes = head[1] == 126 ? 2 : 8;
      read_all(client, head, (size_t)bytes);
      length = 0;
      for (int i = 0; i < bytes; i++)
        length = length << 8 | head[i];
    }
    CHECK(length < sizeof frame->data - frame->length);
    read_all(client, frame->data + frame->length, length);
    frame->length += length;
  } while ((first & 0x80) == 0);
  frame->data[frame->length] = '\0';
}

#define EXPECT_TEXT(client, text) expect_text(__FILE__, __LINE__, client, text)
#define EXPECT_CLOSE(client, code) expect_close(__FILE__, __LINE__, client, code)

static inline void expect_text(const char *file, int line, int client, const char *text) {
  struct frame frame;
  read_frame(client, &frame);
  if (frame.opcode != TEXT || frame.length != strlen(text) || strcmp(frame.data, text) != 0)
    fail(file, line, frame.data, "came as the next frame");
}

static inline void expect_close(const char *file, int line, int client, unsigned code) {
  struct frame frame;
  read_frame(client, &frame);
  unsigned got = (unsigned char)frame.data[0] * 256u + (unsigned char)frame.data[1];
  if (frame.opcode != CLOSE || frame.length < 2 || got != code)
    fail(file, line, frame.data + 2, "came instead of this Close");
}

/* The peer's closing handshake, begun by the client. */
static inline void close_client(int client) {
  send_close(client, 1000, "");
  EXPECT_CLOSE(client, 1000);
  close(client);
}

/* Ends the connection with a reset. */
static inline void reset_client(int client) {
  struct linger now = {1, 0};
  setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(client);
}

#endif
