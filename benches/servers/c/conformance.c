/* The endpoints that one scenario file tests in every language: each is a small protocol of text commands. */
#define _POSIX_C_SOURCE 200809L
#include "decisions.h"
#include "modes.h"
#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
  uint32_t welcome, close, ping, room, watched, stream, parts;
  uint64_t members, watchers; /* gateways: of /room, of /watch */
} ids;

/* Takes a decimal number, and the space after it, from the front of a text. */
static uint64_t take_number(struct text *text) {
  uint64_t number = 0;
  while (text->length > 0 && text->data[0] >= '0' && text->data[0] <= '9') {
    number = 10 * number + (uint64_t)(text->data[0] - '0');
    text->data++;
    text->length--;
  }
  if (text->length > 0 && text->data[0] == ' ') {
    text->data++;
    text->length--;
  }
  return number;
}

static void send_string(wsgate_server *server, uint64_t client, const char *text) {
  reply_send(server, client, 0, text, strlen(text));
}

static void close_as_told(wsgate_server *server, uint64_t client, struct text text) {
  uint64_t code = take_number(&text);
  reply_close(server, client, (uint32_t)code, text.data, text.length);
}

static void welcome(wsgate_server *server, const wsgate_event *event) {
  struct text target = request_part(event, TARGET), value = request_header(event, "x-test");
  size_t size = sizeof "welcome  " + target.length + value.length;
  char *text = malloc(size);
  if (text == NULL)
    abort();
  int length = snprintf(text, size, "welcome %.*s%s%.*s", (int)target.length, target.data, value.length ? " " : "",
                        (int)value.length, value.data);
  reply_send(server, event->client, 0, text, (uint64_t)length);
  free(text);
}

static void ping(wsgate_server *server, const wsgate_event *event) {
  struct text text = text_of(event);
  char answer[32];
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    reply_ping(server, event->client, take_number(&text));
  if (event->kind == WSGATE_EVENT_KIND_PONG) {
    snprintf(answer, sizeof answer, "pong %llu", (unsigned long long)event->value);
    send_string(server, event->client, answer);
  }
}

static void room(wsgate_server *server, const wsgate_event *event) {
  struct text text = text_of(event);
  uint64_t client = event->client;
  char line[32];

  if (is_binary(event)) {
    send_string(server, client, "what?");
  } else if (take_word(&text, "all")) {
    reply_broadcast(server, ids.members, 0, text.data, text.length, 0);
  } else if (take_word(&text, "others")) {
    reply_broadcast(server, ids.members, 0, text.data, text.length, client);
  } else if (take_word(&text, "bytes")) {
    reply_broadcast(server, ids.members, 1, text.data, text.length, 0);
  } else if (take_word(&text, "order")) {
    uint64_t count = take_number(&text);
    for (uint64_t i = 1; i <= count; i++) {
      snprintf(line, sizeof line, "d %llu", (unsigned long long)i);
      send_string(server, client, line);
      int length = snprintf(line, sizeof line, "b %llu", (unsigned long long)i);
      reply_broadcast(server, ids.members, 0, line, (uint64_t)length, 0);
    }
  } else if (take_word(&text, "leave")) {
    reply_remove(server, ids.members, client);
    send_string(server, client, "left");
  } else if (take_word(&text, "join")) {
    reply_add(server, ids.members, client);
    send_string(server, client, "joined");
  } else {
    send_string(server, client, "what?");
  }
}

static void tell_watchers(wsgate_server *server, const char *format, ...) {
  char report[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(report, sizeof report, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof report)
    length = sizeof report - 1;
  reply_broadcast(server, ids.watchers, 0, report, (uint64_t)length, 0);
}

static void report_close(wsgate_server *server, const wsgate_event *event) {
  static const char *const causes[] = {"", "peer", "application", "protocol", "limit", "heartbeat", "slow", "shutdown",
                                       "lost"};
  wsgate_client_counters info = {0};
  uint64_t info_size;

  /* The info says its own size: a later library's may be longer than ours. The reason follows it. */
  memcpy(&info_size, event->data, sizeof info_size);
  memcpy(&info, event->data, info_size < sizeof info ? info_size : sizeof info);
  const char *reason = (const char *)event->data + info_size;
  tell_watchers(server, "close %u %s %d %llu %llu %.*s", (unsigned)event->code,
                event->value < sizeof causes / sizeof *causes ? causes[event->value] : "",
                (event->flags & WSGATE_EVENT_FLAG_CLEAN) != 0, (unsigned long long)info.messages_in,
                (unsigned long long)info.messages_out, (int)(event->length - info_size), reason);
}

static void watched(wsgate_server *server, const wsgate_event *event) {
  struct text text = text_of(event);

  if (event->kind == WSGATE_EVENT_KIND_ACCEPT) {
    struct text target = request_part(event, TARGET);
    tell_watchers(server, "accept %.*s", (int)target.length, target.data);
  } else if (event->kind == WSGATE_EVENT_KIND_CLOSE) {
    report_close(server, event);
  } else if (event->kind == WSGATE_EVENT_KIND_MESSAGE && !is_binary(event) && take_word(&text, "bye")) {
    close_as_told(server, event->client, text);
  } else {
    echo(server, event);
  }
}

/* Messages in parts, which no record of push.c and pull.c stands for: by calls, also where replies are submitted. */
static void parts(wsgate_server *server, const wsgate_event *event) {
  struct text text = text_of(event);
  uint64_t client = event->client;
  if (take_word(&text, "words")) {
    wsgate_client_begin_text(server, client);
    for (int i = 0; text.length > 0; i++) {
      const char *end = memchr(text.data, ' ', text.length);
      size_t length = end == NULL ? text.length : (size_t)(end - text.data);
      size_t taken = end == NULL ? length : length + 1;
      wsgate_client_chunk(server, client, text.data, length);
      if (i == 0)
        wsgate_client_send_text(server, client, "behind", 6);
      text.data += taken;
      text.length -= taken;
    }
    wsgate_client_end(server, client, NULL, 0);
  } else if (take_word(&text, "half")) {
    wsgate_client_begin_text(server, client);
    wsgate_client_chunk(server, client, text.data, text.length);
    wsgate_client_abort(server, client);
  }
}

void conformance_event(wsgate_server *server, const wsgate_event *event) {
  int is_message = event->kind == WSGATE_EVENT_KIND_MESSAGE;
  if (event->client == 0)
    return; /* the server's own: LOG, STOPPED */
  if (decisions_event(server, event))
    return;
  if (event->endpoint == ids.stream) {
    stream_event(server, event);
  } else if (event->endpoint == ids.parts) {
    if (is_message)
      parts(server, event);
  } else if (event->endpoint == ids.watched) {
    watched(server, event);
  } else if (event->endpoint == ids.ping) {
    ping(server, event);
  } else if (event->endpoint == ids.welcome && event->kind == WSGATE_EVENT_KIND_ACCEPT) {
    welcome(server, event);
  } else if (event->endpoint == ids.close) {
    if (is_message)
      close_as_told(server, event->client, text_of(event));
  } else if (event->endpoint == ids.room) {
    if (is_message)
      room(server, event);
  } else {
    echo(server, event);
  }
}

void conformance_configure(wsgate_server *server) {
  static const char good[] = "http://good.example";
  ids.members = new_gateway(server);
  ids.watchers = new_gateway(server);
  add_endpoint(server, "/echo");
  uint32_t small = add_endpoint(server, "/small");
  modes_require(wsgate_endpoint_set_max_message_size(server, small, 1000), "message size");
  modes_require(wsgate_endpoint_set_max_frame_size(server, small, 500), "frame size");
  modes_require(wsgate_endpoint_set_max_fragments(server, small, 4), "fragments");
  modes_require(wsgate_endpoint_add_origin(server, add_endpoint(server, "/origin"), good, strlen(good)), good);
  ids.welcome = add_endpoint(server, "/welcome");
  ids.close = add_endpoint(server, "/close");
  ids.ping = add_endpoint(server, "/ping");
  ids.room = add_endpoint(server, "/room");
  modes_require(wsgate_endpoint_set_gateway(server, ids.room, ids.members), "/room");
  ids.watched = add_endpoint(server, "/watched");
  modes_require(wsgate_endpoint_set_gateway(server, add_endpoint(server, "/watch"), ids.watchers), "/watch");
  ids.stream = add_endpoint(server, "/stream");
  modes_require(wsgate_endpoint_set_streaming(server, ids.stream, 1), "streaming");
  modes_require(wsgate_endpoint_set_max_message_size(server, ids.stream, 2 << 20), "message size");
  ids.parts = add_endpoint(server, "/parts");
  decisions_configure(server);
}

