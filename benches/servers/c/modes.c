#define _POSIX_C_SOURCE 200809L
#include "modes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024 * 1024)

static uint64_t members; /* of broadcast */
static void (*on_event)(wsgate_server *server, const wsgate_event *event);

int is_binary(const wsgate_event *event) { return (event->flags & WSGATE_EVENT_FLAG_BINARY) != 0; }

void echo(wsgate_server *server, const wsgate_event *event) {
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    reply_send(server, event->client, is_binary(event), event->data, event->length);
}

static void broadcast(wsgate_server *server, const wsgate_event *event) {
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    reply_broadcast(server, members, is_binary(event), event->data, event->length, 0);
}

void modes_event(wsgate_server *server, const wsgate_event *event) { on_event(server, event); }

void modes_require(int32_t status, const char *what) {
  if (status < 0) {
    fprintf(stderr, "%s: %s: %s\n", what, wsgate_status_text(status), wsgate_last_error());
    exit(1);
  }
}

/* Clients may say as much and as little as they like, and get what they are sent frame by frame. */
uint32_t add_endpoint(wsgate_server *server, const char *path) {
  uint32_t endpoint;
  modes_require(wsgate_server_add_endpoint(server, path, strlen(path), &endpoint), path);
  modes_require(wsgate_endpoint_set_frame_split(server, endpoint, 0), "frame split");
  modes_require(wsgate_endpoint_set_heartbeat(server, endpoint, 0, 3), "heartbeat");
  modes_require(wsgate_endpoint_set_rate_limit(server, endpoint, 0, 0), "rate limit");
  return endpoint;
}

uint64_t new_gateway(wsgate_server *server) {
  uint64_t gateway;
  modes_require(wsgate_gateway_new(server, &gateway), "gateway");
  return gateway;
}

/* A number that a test has set, or what is usual here. */
static uint32_t setting(const char *name, uint32_t usual) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0' ? (uint32_t)strtoul(value, NULL, 10) : usual;
}

/* Limits so wide that a benchmark measures the server and not them. */
static uint32_t add_unlimited_endpoint(wsgate_server *server) {
  uint32_t endpoint = add_endpoint(server, "/");
  uint32_t message_size = setting("MESSAGE_SIZE", 64 * MIB), budget = setting("INBOX_BUDGET", 0);
  modes_require(wsgate_endpoint_set_max_message_size(server, endpoint, message_size), "message size");
  if (budget > 0)
    modes_require(wsgate_set_inbox_budget(budget), "inbox budget");
  modes_require(wsgate_endpoint_set_frame_split(server, endpoint, setting("FRAME_SPLIT", 0)), "frame split");
  modes_require(wsgate_endpoint_set_max_frame_size(server, endpoint, 64 * MIB), "frame size");
  modes_require(wsgate_endpoint_set_max_fragments(server, endpoint, 1000000), "fragments");
  /* stuck.py: the usual outbox, and what a client that does not read gets. */
  const char *slow = getenv("SLOW_CONSUMER");
  if (slow != NULL && *slow != '\0')
    modes_require(wsgate_endpoint_set_slow_consumer(server, endpoint, (uint32_t)atoi(slow)), "slow consumer");
  else
    modes_require(wsgate_endpoint_set_outbox_limit(server, endpoint, 256 * MIB, 30000), "outbox");
  /* The -deflate- scripts: every message, each for itself, or with takeover. */
  const char *deflate = getenv("DEFLATE");
  if (deflate != NULL && *deflate != '\0') {
    uint32_t takeover = strcmp(deflate, "takeover") == 0;
    modes_require(wsgate_endpoint_set_compression(server, endpoint, 6), "compression");
    modes_require(wsgate_endpoint_set_compression_takeover(server, endpoint, takeover, takeover), "takeover");
    uint32_t window = setting("DEFLATE_WINDOW", 0);
    if (window > 0)
      modes_require(wsgate_endpoint_set_compression_window(server, endpoint, window, window), "window");
    modes_require(wsgate_endpoint_set_compression_of(server, endpoint, 0, 1, 1), "compression of");
  }
  return endpoint;
}

static void configure_echo(wsgate_server *server) {
  add_unlimited_endpoint(server);
  on_event = echo;
}

/* The usual outbox: what it has no room for is not read. */
static void configure_stream(wsgate_server *server) {
  uint32_t endpoint = add_unlimited_endpoint(server);
  modes_require(wsgate_endpoint_set_streaming(server, endpoint, 1), "streaming");
  modes_require(wsgate_endpoint_set_outbox_limit(server, endpoint, MIB, 10000), "outbox");
  modes_require(wsgate_endpoint_set_max_message_size(server, endpoint, 1024 * MIB), "message size");
  on_event = stream_event;
}

static void configure_broadcast(wsgate_server *server) {
  members = new_gateway(server);
  modes_require(wsgate_endpoint_set_gateway(server, add_unlimited_endpoint(server), members), "/");
  on_event = broadcast;
}

static void configure_conformance(wsgate_server *server) {
  conformance_configure(server);
  on_event = conformance_event;
}

wsgate_server *modes_server(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*configure)(wsgate_server *server);
  } modes[] = {{"echo", configure_echo},
               {"stream", configure_stream},
               {"broadcast", configure_broadcast},
               {"conformance", configure_conformance}};
  const char *workers = getenv("WORKERS");
  char address[32];

  if (argc == 3) {
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
      if (strcmp(argv[1], modes[i].name) != 0)
        continue;
      wsgate_server *server = wsgate_server_new();
      snprintf(address, sizeof address, "127.0.0.1:%s", argv[2]);
      modes_require(wsgate_server_listen(server, address, strlen(address)), address);
      modes_require(wsgate_server_set_workers(server, workers ? (uint32_t)strtoul(workers, NULL, 10) : 1), "WORKERS");
      modes_require(wsgate_server_set_max_connections(server, 0), "max connections");
      modes[i].configure(server);
      return server;
    }
  }
  fprintf(stderr, "usage: %s echo|stream|broadcast|conformance PORT\n", argv[0]);
  exit(2);
}

void modes_start(wsgate_server *server) {
  modes_require(wsgate_server_start(server), "start");
  printf("listening on ws://127.0.0.1:%d/\n", (int)wsgate_server_port(server, 0));
  fflush(stdout);
}
