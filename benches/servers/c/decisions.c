#define _POSIX_C_SOURCE 200809L
#include "decisions.h"
#include "modes.h"
#include "request.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
  uint32_t protocols, rooms, files, decided, impatient, decider;
  uint64_t deciders; /* the gateway of /decider */
} ids;

/* A handshake or request that waits, or waited, for a decider's word. */
struct question {
  uint64_t id;
  char name[32];          /* its query */
  char subprotocol[32];   /* the last one of a handshake's offer */
  char answer[256];       /* to a request */
};

/* The latest of them. Handshakes and requests come on another thread than messages. */
static struct question questions[64];
static size_t asked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void copy(char *to, size_t size, struct text text) {
  snprintf(to, size, "%.*s", (int)text.length, text.data);
}

static void keep(const struct question *question) {
  pthread_mutex_lock(&lock);
  questions[asked++ % (sizeof questions / sizeof *questions)] = *question;
  pthread_mutex_unlock(&lock);
}

/* The latest one of this name, or, without a name, of this id. */
static struct question find(const char *name, uint64_t id) {
  struct question found = {0};
  size_t room = sizeof questions / sizeof *questions;
  pthread_mutex_lock(&lock);
  for (size_t back = 1; back <= room && back <= asked && found.id == 0; back++) {
    const struct question *question = &questions[(asked - back) % room];
    if (name != NULL ? strcmp(question->name, name) == 0 : question->id == id)
      found = *question;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static void tell(wsgate_server *server, uint64_t client, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof text)
    length = sizeof text - 1;
  if (client != 0)
    reply_send(server, client, 0, text, (uint64_t)length);
  else
    reply_broadcast(server, ids.deciders, 0, text, (uint64_t)length, 0);
}

static void respond(wsgate_server *server, uint64_t request, uint32_t status, const char *type, const char *body) {
  char headers[64];
  int length = snprintf(headers, sizeof headers, "Content-Type%c%s%c", 0, type, 0);
  wsgate_respond(server, request, status, headers, (size_t)length, body, strlen(body));
}

static void refuse(wsgate_server *server, uint64_t request, uint32_t status) {
  char body[32];
  snprintf(body, sizeof body, "{\"refused\":%u}", (unsigned)status);
  respond(server, request, status, "application/json", body);
}

/* Handshakes of /decide and /impatient, and /api/later: they wait for a decider. */
static void wait_for_decider(wsgate_server *server, const wsgate_event *event) {
  struct question question = {.id = event->client};
  copy(question.name, sizeof question.name, request_query(event));
  struct text method = request_part(event, METHOD), target = request_part(event, TARGET), body = request_body(event);
  snprintf(question.answer, sizeof question.answer, "%.*s %.*s\n%.*s", (int)method.length, method.data,
           (int)target.length, target.data, (int)body.length, body.data);
  struct text offered = request_part(event, SUBPROTOCOL), last = offered;
  for (size_t i = 0; i + 1 < offered.length; i++)
    if (memcmp(offered.data + i, ", ", 2) == 0)
      last = (struct text){offered.data + i + 2, offered.length - i - 2};
  copy(question.subprotocol, sizeof question.subprotocol, last);
  keep(&question);
  tell(server, 0, "wait %s", question.name);
}

static void request(wsgate_server *server, const wsgate_event *event) {
  struct text target = request_part(event, TARGET), path = target;
  const char *mark = memchr(target.data, '?', target.length);
  if (mark != NULL)
    path.length = (size_t)(mark - target.data);
  if (event->flags & WSGATE_EVENT_FLAG_REFUSED) {
    refuse(server, event->client, event->code);
  } else if (path.length == strlen("/api/later") && memcmp(path.data, "/api/later", path.length) == 0) {
    wait_for_decider(server, event);
  } else if (path.length == strlen("/api/echo") && memcmp(path.data, "/api/echo", path.length) == 0) {
    struct text method = request_part(event, METHOD), body = request_body(event);
    char text[512];
    snprintf(text, sizeof text, "%.*s %.*s\n%.*s", (int)method.length, method.data, (int)target.length, target.data,
             (int)body.length, body.data);
    respond(server, event->client, 200, "text/plain", text);
  } else {
    refuse(server, event->client, 404);
  }
}

static void command(wsgate_server *server, const wsgate_event *event) {
  /* A name, a NUL, its value, a NUL: sizeof counts the last one. */
  static const char login[] = "Content-Type\0application/json\0WWW-Authenticate\0Bearer realm=\"conformance\"";
  static const char log_in[] = "{\"error\":\"log in first\"}";
  static const char redirect[] = "Location\0/echo";
  struct text text = text_of(event);
  wsgate_status status = WSGATE_STATUS_INVALID;
  char name[32], verb[16] = "";
  for (size_t i = 0; i < text.length && text.data[i] != ' ' && i + 1 < sizeof verb; i++)
    verb[i] = text.data[i];
  if (!take_word(&text, verb))
    return;
  copy(name, sizeof name, text);
  struct question question = find(name, 0);

  if (strcmp(verb, "accept") == 0) {
    char headers[64];
    int length = snprintf(headers, sizeof headers, "Set-Cookie%cname=%s%c", 0, name, 0);
    status = wsgate_accept(server, question.id, question.subprotocol, strlen(question.subprotocol), headers,
                           (size_t)length, 0, 0);
    /* It is no client yet, and gets this first all the same. */
    if (status == WSGATE_STATUS_OK)
      tell(server, question.id, "hello %s", name);
  } else if (strcmp(verb, "login") == 0) {
    status = wsgate_reject(server, question.id, 401, login, sizeof login, log_in, strlen(log_in));
  } else if (strcmp(verb, "redirect") == 0) {
    status = wsgate_reject(server, question.id, 302, redirect, sizeof redirect, NULL, 0);
  } else if (strcmp(verb, "answer") == 0) {
    static const char plain[] = "Content-Type\0text/plain";
    status = wsgate_respond(server, question.id, 200, plain, sizeof plain, question.answer, strlen(question.answer));
  }
  if (status == WSGATE_STATUS_CLOSED)
    tell(server, event->client, "closed %s", name);
}

static int is_decided(const wsgate_event *event) {
  return event->endpoint == ids.decided || event->endpoint == ids.impatient;
}

static void welcome(wsgate_server *server, const wsgate_event *event) {
  if (is_decided(event)) {
    tell(server, 0, "accept %s", find(NULL, event->client).name);
  } else if (event->endpoint == ids.protocols) {
    struct text name = request_part(event, SUBPROTOCOL);
    tell(server, event->client, "protocol %.*s", (int)(name.length ? name.length : 4), name.length ? name.data : "none");
  } else if (event->endpoint == ids.rooms) {
    struct text room = request_parameter(event, "room"), user = request_parameter(event, "user");
    struct text query = request_query(event);
    tell(server, event->client, "room %.*s user %.*s query %.*s", (int)room.length, room.data, (int)user.length,
         user.data, (int)query.length, query.data);
  } else if (event->endpoint == ids.files) {
    struct text rest = request_parameter(event, "*");
    tell(server, event->client, "rest %.*s", (int)rest.length, rest.data);
  }
}

int decisions_event(wsgate_server *server, const wsgate_event *event) {
  switch (event->kind) {
  case WSGATE_EVENT_KIND_REQUEST:
    request(server, event);
    return 1;
  case WSGATE_EVENT_KIND_HANDSHAKE:
    wait_for_decider(server, event);
    return 1;
  case WSGATE_EVENT_KIND_HANDSHAKE_GONE:
    tell(server, 0, "gone %s", find(NULL, event->client).name);
    return 1;
  case WSGATE_EVENT_KIND_ACCEPT:
    welcome(server, event);
    return 0;
  case WSGATE_EVENT_KIND_CLOSE:
    if (is_decided(event))
      tell(server, 0, "close %s", find(NULL, event->client).name);
    return 0;
  case WSGATE_EVENT_KIND_MESSAGE:
    if (event->endpoint != ids.decider)
      return 0;
    command(server, event);
    return 1;
  default:
    return 0;
  }
}

static void add_origin(wsgate_server *server, uint32_t endpoint, const char *origin) {
  modes_require(wsgate_endpoint_add_origin(server, endpoint, origin, strlen(origin)), origin);
}

void decisions_configure(wsgate_server *server) {
  modes_require(wsgate_server_set_requests(server, 1), "requests");
  modes_require(wsgate_server_set_error_pages(server, 10000), "error pages");

  ids.protocols = add_endpoint(server, "/protocols");
  modes_require(wsgate_endpoint_add_subprotocol(server, ids.protocols, "two", 3), "two");
  modes_require(wsgate_endpoint_add_subprotocol(server, ids.protocols, "one", 3), "one");
  ids.rooms = add_endpoint(server, "/rooms/:room/users/:user");
  ids.files = add_endpoint(server, "/files/*");
  uint32_t origins = add_endpoint(server, "/origins");
  add_origin(server, origins, "https://one.example");
  add_origin(server, origins, "*.many.example");
  add_origin(server, origins, "https://*.safe.example");
  modes_require(wsgate_endpoint_set_same_host(server, add_endpoint(server, "/same-host"), 1), "same host");

  ids.deciders = new_gateway(server);
  ids.decider = add_endpoint(server, "/decider");
  modes_require(wsgate_endpoint_set_gateway(server, ids.decider, ids.deciders), "/decider");
  ids.decided = add_endpoint(server, "/decide");
  ids.impatient = add_endpoint(server, "/impatient");
  modes_require(wsgate_endpoint_set_acceptor(server, ids.decided, 1), "acceptor");
  modes_require(wsgate_endpoint_set_acceptor(server, ids.impatient, 1), "acceptor");
  modes_require(wsgate_endpoint_set_handshake_timeout(server, ids.impatient, 200), "handshake timeout");
}
