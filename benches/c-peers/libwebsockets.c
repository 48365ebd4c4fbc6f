/* libwebsockets MODE PORT: echoes, or sends what one client says to all. DEFLATE=takeover compresses: with what the
 * client offers, and takeover unless that declines it. Debian's 4.1.6 aborts on an empty message behind others. */
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096 /* of an incoming message, at the most */

struct message {
  unsigned references;
  int binary;
  size_t length, capacity;
  unsigned char data[]; /* LWS_PRE bytes for a frame's header, and the message */
};

struct waiting {
  struct waiting *next;
  struct message *message;
};

struct client {
  struct lws *wsi;
  struct client *next, **link; /* in the list of all */
  struct message *incoming;
  struct waiting *first, **last;
};

static int to_all;
static struct client *clients;

static void release(struct message *message) {
  if (message != NULL && --message->references == 0)
    free(message);
}

/* With what has just come behind what came before; 0 if there is no memory for it. */
static int take_piece(struct client *client, const void *data, size_t length) {
  struct message *message = client->incoming;
  size_t had = message == NULL ? 0 : message->length;
  if (message == NULL || had + length > message->capacity) {
    size_t capacity = had == 0 ? length : 2 * (had + length);
    message = realloc(message, sizeof *message + LWS_PRE + capacity);
    if (message == NULL)
      return 0;
    message->references = 1;
    message->capacity = capacity;
    client->incoming = message;
  }
  memcpy(message->data + LWS_PRE + had, data, length);
  message->length = had + length;
  return 1;
}

static void enqueue(struct client *client, struct message *message) {
  struct waiting *waiting = malloc(sizeof *waiting);
  if (waiting == NULL)
    return;
  waiting->next = NULL;
  waiting->message = message;
  message->references++;
  *client->last = waiting;
  client->last = &waiting->next;
  lws_callback_on_writable(client->wsi);
}

static struct message *dequeue(struct client *client) {
  struct waiting *waiting = client->first;
  struct message *message = waiting->message;
  client->first = waiting->next;
  if (client->first == NULL)
    client->last = &client->first;
  free(waiting);
  return message;
}

static void answer(struct client *client) {
  struct message *message = client->incoming;
  client->incoming = NULL;
  if (to_all)
    for (struct client *each = clients; each != NULL; each = each->next)
      enqueue(each, message);
  else
    enqueue(client, message);
  release(message);
}

/* Until the socket, or the compressor's own buffer, is full. */
static int write_waiting(struct client *client) {
  while (client->first != NULL && !lws_send_pipe_choked(client->wsi)) {
    struct message *message = dequeue(client);
    enum lws_write_protocol kind = message->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    int written = lws_write(client->wsi, message->data + LWS_PRE, message->length, kind);
    release(message);
    if (written < 0)
      return -1;
  }
  if (client->first != NULL)
    lws_callback_on_writable(client->wsi);
  return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
  struct client *client = user;
  switch (reason) {
  case LWS_CALLBACK_ESTABLISHED:
    client->wsi = wsi;
    client->incoming = NULL;
    client->first = NULL;
    client->last = &client->first;
    client->next = clients;
    client->link = &clients;
    if (clients != NULL)
      clients->link = &client->next;
    clients = client;
    return 0;
  case LWS_CALLBACK_CLOSED:
    *client->link = client->next;
    if (client->next != NULL)
      client->next->link = client->link;
    while (client->first != NULL)
      release(dequeue(client));
    release(client->incoming);
    return 0;
  case LWS_CALLBACK_RECEIVE:
    if (!take_piece(client, in, length))
      return -1;
    client->incoming->binary = lws_frame_is_binary(wsi);
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0)
      answer(client);
    return 0;
  case LWS_CALLBACK_SERVER_WRITEABLE:
    return write_waiting(client);
  default:
    return 0;
  }
}

int main(int argc, char **argv) {
  const struct lws_protocols protocols[] = {{"", on_event, sizeof(struct client), PIECE, 0, NULL, 0}, {0}};
  const struct lws_extension extensions[] = {
      {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"}, {0}};
  const char *deflate = getenv("DEFLATE");
  struct lws_context_creation_info info = {0};
  if (argc != 3)
    return 2;
  to_all = strcmp(argv[1], "broadcast") == 0;
  info.port = atoi(argv[2]);
  info.iface = "127.0.0.1";
  info.protocols = protocols;
  info.extensions = deflate != NULL ? extensions : NULL;
  info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_DISABLE_IPV6;
  lws_set_log_level(LLL_ERR, NULL);
  struct lws_context *context = lws_create_context(&info);
  if (context == NULL)
    return 1;
  while (lws_service(context, 0) >= 0)
    ;
  lws_context_destroy(context);
  return 0;
}
