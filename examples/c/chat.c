/* chat [ADDRESS [PUBLIC_DIR]]: a room for everybody who opens the page, with names.
 *
 *   cc -std=c99 chat.c -o chat -lwsgate -pthread && ./chat 127.0.0.1:8080 ../public
 *
 * People connect to /chat?name=NAME and say plain text; the server sends JSON:
 *   {"type":"welcome","name":NAME,"people":[NAME,...]}   to the newcomer
 *   {"type":"join","name":NAME}                          to the others
 *   {"type":"say","name":NAME,"text":TEXT}               to all
 *   {"type":"leave","name":NAME}                         to all who are left
 *
 * Pages may connect from http://127.0.0.1:PORT and http://localhost:PORT. ORIGINS in the environment, a list
 * with commas, replaces these two; ORIGINS=* lets any page in.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wsgate.h>

#define NAME_CHARACTERS 32
#define NAME_BYTES (4 * NAME_CHARACTERS)

struct person {
  struct person *previous, *next;
  char name[NAME_BYTES + 1];
};

/* Callbacks run on several threads at once. The lock guards the list, and it is held while joins and leaves are
 * sent: who is welcomed between two of them must see the second one and not the first. What people say needs
 * no lock: one client's callbacks come one after the other, so its person stays as long as they run. */
static struct {
  pthread_mutex_t lock;
  struct person *first, *last; /* in order of arrival */
  unsigned guests;
  uint64_t gateway;
} room = {.lock = PTHREAD_MUTEX_INITIALIZER};

static sem_t stopped;

struct json {
  char *text;
  size_t length, capacity;
};

static void append(struct json *json, const char *text, size_t length) {
  if (json->capacity - json->length < length) {
    json->capacity = 2 * json->capacity + length;
    json->text = realloc(json->text, json->capacity);
    if (json->text == NULL)
      abort();
  }
  memcpy(json->text + json->length, text, length);
  json->length += length;
}

static void append_raw(struct json *json, const char *text) { append(json, text, strlen(text)); }

/* Escapes what JSON demands and no more: the other languages' chats send the same bytes. */
static void append_string(struct json *json, const char *text, size_t length) {
  append_raw(json, "\"");
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') {
      char escaped[2] = {'\\', (char)c};
      append(json, escaped, 2);
    } else if (c < 0x20) {
      char escaped[7];
      snprintf(escaped, sizeof escaped, "\\u%04x", c);
      append(json, escaped, 6);
    } else {
      append(json, text + i, 1);
    }
  }
  append_raw(json, "\"");
}

static struct json about(const char *type, const struct person *person) {
  struct json json = {0};
  append_raw(&json, "{\"type\":\"");
  append_raw(&json, type);
  append_raw(&json, "\",\"name\":");
  append_string(&json, person->name, strlen(person->name));
  return json;
}

static void finish_and_broadcast(wsgate_server *server, struct json json) {
  append_raw(&json, "}");
  wsgate_gateway_broadcast_text(server, room.gateway, json.text, json.length, NULL, 0);
  free(json.text);
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static size_t percent_decode(const char *from, size_t length, char *to) {
  size_t written = 0;
  for (size_t i = 0; i < length; i++) {
    if (from[i] == '%' && i + 2 < length && hex_digit(from[i + 1]) >= 0 && hex_digit(from[i + 2]) >= 0) {
      to[written++] = (char)(16 * hex_digit(from[i + 1]) + hex_digit(from[i + 2]));
      i += 2;
    } else {
      to[written++] = from[i];
    }
  }
  return written;
}

/* Bytes of the UTF-8 character at `text`, 0 if there is none: a name comes from anybody, and one bad name in
 * the list would make every welcome invalid text. */
static size_t character(const unsigned char *text, size_t length) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (text[0] < 0x80)
    return 1;
  if (text[0] < 0xc2 || text[0] > 0xf4)
    return 0;
  size_t size = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
  if (size > length)
    return 0;
  uint32_t point = text[0] & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; i++) {
    if ((text[i] & 0xc0) != 0x80)
      return 0;
    point = point << 6 | (text[i] & 0x3f);
  }
  int surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < smallest[size] || point > 0x10ffff || surrogate ? 0 : size;
}

static int is_control(const unsigned char *text) {
  return text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

/* Keeps the first 32 characters that are not controls; no name at all if it is not UTF-8. */
static void clean_name(const char *text, size_t length, char *name) {
  const unsigned char *at = (const unsigned char *)text, *end = at + length;
  int characters = 0;
  char *to = name;
  while (at < end) {
    size_t size = character(at, (size_t)(end - at));
    if (size == 0) {
      to = name;
      break;
    }
    if (!is_control(at) && characters < NAME_CHARACTERS) {
      memcpy(to, at, size);
      to += size;
      characters++;
    }
    at += size;
  }
  *to = '\0';
}

/* Reads the name from the target, "/chat?name=NAME&...", of an ACCEPT event's request. */
static void name_of_request(const wsgate_event *event, char *name) {
  uint32_t head[8]; /* header count, lengths of method, target, peer, local, subprotocol; parameter count, body */
  memcpy(head, event->data, sizeof head);
  const char *target = (const char *)event->data + sizeof head + 8 * ((size_t)head[0] + head[6]) + head[1];
  const char *end = target + head[2];
  const char *at = memchr(target, '?', head[2]);

  name[0] = '\0';
  while (at != NULL) {
    at++; /* past the ? or the & */
    const char *next = memchr(at, '&', (size_t)(end - at));
    size_t length = (size_t)((next ? next : end) - at);
    if (length >= 5 && memcmp(at, "name=", 5) == 0) {
      char *decoded = malloc(length);
      if (decoded == NULL)
        abort();
      clean_name(decoded, percent_decode(at + 5, length - 5, decoded), name);
      free(decoded);
      return;
    }
    at = next;
  }
}

static void on_accept(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  struct person *person = calloc(1, sizeof *person);
  if (person == NULL)
    abort();
  name_of_request(event, person->name);
  /* Comes back with each later event of this client. */
  wsgate_client_set_user_data(server, event->client, (uint64_t)(uintptr_t)person);

  pthread_mutex_lock(&room.lock);
  if (person->name[0] == '\0')
    snprintf(person->name, sizeof person->name, "guest-%u", ++room.guests);
  person->previous = room.last;
  *(room.last ? &room.last->next : &room.first) = person;
  room.last = person;

  struct json welcome = about("welcome", person);
  append_raw(&welcome, ",\"people\":[");
  for (const struct person *other = room.first; other; other = other->next) {
    if (other != room.first)
      append_raw(&welcome, ",");
    append_string(&welcome, other->name, strlen(other->name));
  }
  append_raw(&welcome, "]}");
  wsgate_client_send_text(server, event->client, welcome.text, welcome.length);
  free(welcome.text);

  /* Enters the gateway last: nothing that others say overtakes the welcome, and the join is not for itself. */
  finish_and_broadcast(server, about("join", person));
  wsgate_gateway_add(server, room.gateway, event->client);
  pthread_mutex_unlock(&room.lock);
}

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event->flags & WSGATE_EVENT_FLAG_BINARY) {
    wsgate_client_close(server, event->client, 1003, "text only", strlen("text only"));
    return;
  }
  if (event->length == 0)
    return;
  struct json say = about("say", (const struct person *)(uintptr_t)event->user_data);
  append_raw(&say, ",\"text\":");
  append_string(&say, event->data, event->length);
  finish_and_broadcast(server, say);
}

static void on_close(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  struct person *person = (struct person *)(uintptr_t)event->user_data;
  pthread_mutex_lock(&room.lock);
  *(person->previous ? &person->previous->next : &room.first) = person->next;
  *(person->next ? &person->next->previous : &room.last) = person->previous;
  finish_and_broadcast(server, about("leave", person)); /* the client itself left the gateway as it closed */
  pthread_mutex_unlock(&room.lock);
  free(person);
}

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)server;
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_STOPPED)
    sem_post(&stopped);
}

/* The last error belongs to the latest call that failed on this thread: ask for it before any other call. */
static void require(wsgate_status status, const char *what) {
  if (status != WSGATE_STATUS_OK) {
    fprintf(stderr, "chat: %s: %s: %s\n", what, wsgate_status_text(status), wsgate_last_error());
    exit(1);
  }
}

static void allow_origins(wsgate_server *server, uint32_t endpoint, const char *port) {
  char own[80];
  const char *origins = getenv("ORIGINS");
  if (origins == NULL) {
    snprintf(own, sizeof own, "http://127.0.0.1%s,http://localhost%s", port, port);
    origins = own;
  }
  if (strcmp(origins, "*") == 0)
    return; /* an endpoint without a list takes everybody */
  while (*origins != '\0') {
    size_t length = strcspn(origins, ",");
    if (length > 0)
      require(wsgate_endpoint_add_origin(server, endpoint, origins, length), "ORIGINS");
    origins += length + (origins[length] == ',');
  }
}

int main(int argc, char **argv) {
  const char *address = argc > 1 ? argv[1] : "127.0.0.1:8080";
  const char *public = argc > 2 ? argv[2] : "examples/public";
  uint32_t endpoint;

  /* Blocked before the server starts its threads, so that these signals wait for sigwait() below. */
  sigset_t signals;
  int signal_number;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  sem_init(&stopped, 0, 0);

  wsgate_server *server = wsgate_server_new();
  require(wsgate_server_listen(server, address, strlen(address)), address);
  require(wsgate_server_set_directory(server, public, strlen(public)), public);
  require(wsgate_server_add_endpoint(server, "/chat", strlen("/chat"), &endpoint), "endpoint /chat");
  require(wsgate_endpoint_set_max_message_size(server, endpoint, 2000), "message size");
  const char *port = strrchr(address, ':');
  allow_origins(server, endpoint, port);
  require(wsgate_gateway_new(server, &room.gateway), "gateway");
  require(wsgate_server_on_accept(server, on_accept, NULL, NULL), "on_accept");
  require(wsgate_server_on_message(server, on_message, NULL, NULL), "on_message");
  require(wsgate_server_on_close(server, on_close, NULL, NULL), "on_close");
  require(wsgate_server_on_event(server, on_event, NULL, NULL), "on_event");
  require(wsgate_server_start(server), address);

  printf("listening on http://%.*s:%d/\n", (int)(port - address), address, (int)wsgate_server_port(server, 0));
  fflush(stdout);

  sigwait(&signals, &signal_number);
  require(wsgate_server_stop(server, 3000), "stop"); /* clients get 1001 and 3 s to answer it */
  sem_wait(&stopped);
  wsgate_server_free(server);
  return 0;
}
