/* stream: echoes messages in parts, as they come. What a client's outbox has no room for waits here, and the client is not
 * read until that has left. */
#include "modes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A part that was refused with FULL, or came behind one. */
struct part {
  struct part *next;
  uint32_t kind, flags;
  uint64_t length;
  char data[];
};

struct stream {
  struct stream *next;
  uint64_t client;
  struct part *first, **last;
};

/* By their clients' ids, because in pull an event may have been raised before the application could give the client a
 * pointer; a lock, because workers call at the same time. */
#define CHAINS 1024
static struct stream *chains[CHAINS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void add(uint64_t client) {
  struct stream *stream = malloc(sizeof *stream);
  if (stream == NULL)
    abort();
  stream->client = client;
  stream->first = NULL;
  stream->last = &stream->first;
  pthread_mutex_lock(&lock);
  stream->next = chains[client % CHAINS];
  chains[client % CHAINS] = stream;
  pthread_mutex_unlock(&lock);
}

/* With `removes`, it is the caller's to free. */
static struct stream *find(uint64_t client, int removes) {
  pthread_mutex_lock(&lock);
  struct stream **at = &chains[client % CHAINS];
  while (*at != NULL && (*at)->client != client)
    at = &(*at)->next;
  struct stream *found = *at;
  if (found != NULL && removes)
    *at = found->next;
  pthread_mutex_unlock(&lock);
  return found;
}

static wsgate_status send_part(wsgate_server *server, uint64_t client, uint32_t kind, uint32_t flags, const void *data,
                               uint64_t length) {
  uint32_t binary = flags & WSGATE_EVENT_FLAG_BINARY ? WSGATE_SEND_FLAG_BINARY : 0;
  switch (kind) {
  case WSGATE_EVENT_KIND_MESSAGE:
    return wsgate_client_send(server, client, binary, data, length);
  case WSGATE_EVENT_KIND_BEGIN:
    return wsgate_client_begin(server, client, binary);
  case WSGATE_EVENT_KIND_CHUNK:
    return wsgate_client_chunk(server, client, data, length);
  default:
    return wsgate_client_end(server, client, NULL, 0);
  }
}

static void keep(struct stream *stream, const wsgate_event *event) {
  struct part *part = malloc(sizeof *part + event->length);
  if (part == NULL)
    abort();
  part->next = NULL;
  part->kind = event->kind;
  part->flags = event->flags;
  part->length = event->length;
  memcpy(part->data, event->data, event->length);
  *stream->last = part;
  stream->last = &part->next;
}

static void drop_first(struct stream *stream) {
  struct part *part = stream->first;
  stream->first = part->next;
  if (stream->first == NULL)
    stream->last = &stream->first;
  free(part);
}

static void go_on(wsgate_server *server, uint64_t client, struct stream *stream) {
  while (stream->first != NULL) {
    struct part *part = stream->first;
    if (send_part(server, client, part->kind, part->flags, part->data, part->length) == WSGATE_STATUS_FULL)
      return;
    drop_first(stream);
  }
  wsgate_client_resume(server, client);
}

void stream_event(wsgate_server *server, const wsgate_event *event) {
  struct stream *stream = event->client == 0 ? NULL : find(event->client, event->kind == WSGATE_EVENT_KIND_CLOSE);

  switch (event->kind) {
  case WSGATE_EVENT_KIND_ACCEPT:
    add(event->client);
    break;
  case WSGATE_EVENT_KIND_MESSAGE:
  case WSGATE_EVENT_KIND_BEGIN:
  case WSGATE_EVENT_KIND_CHUNK:
  case WSGATE_EVENT_KIND_END:
    if (stream->first == NULL && send_part(server, event->client, event->kind, event->flags, event->data,
                                           event->length) != WSGATE_STATUS_FULL)
      break;
    if (stream->first == NULL)
      wsgate_client_pause(server, event->client);
    keep(stream, event);
    break;
  case WSGATE_EVENT_KIND_DRAIN:
    go_on(server, event->client, stream);
    break;
  case WSGATE_EVENT_KIND_CLOSE:
    while (stream->first != NULL)
      drop_first(stream);
    free(stream);
    break;
  default:
    break;
  }
}
