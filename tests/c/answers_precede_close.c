/* What a client said before it closed, or failed, is answered: the answer goes out first, then the Close frame. So it is
 * for a pull host that polls the descriptor, and for callbacks whose answers go by way of their worker. */
#include "parts.h"
#include "records.h"

static const char closes[] = "\x81\x84\0\0\0\0text\x88\x82\0\0\0\0\x03\xe8"; /* 1000 */
static const char fails[] = "\x81\x84\0\0\0\0text\xf1\x80\0\0\0\0";          /* reserved bits */

static struct records records;

/* A host's loop until the client's end: it takes only when the descriptor says so. */
static void serve(wsgate_server *server, wsgate_batch *batch) {
  struct pollfd readable = {wsgate_server_fd(server), POLLIN, 0};
  for (;;) {
    CHECK(poll(&readable, 1, 1000 * PATIENCE_S) == 1);
    CHECK(wsgate_server_take(server, batch, 0, 0) >= 0);
    const char *at = (const char *)batch->events;
    for (uint64_t i = 0; i < batch->count; i++, at += batch->event_size) {
      const wsgate_event *event = (const void *)at;
      if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
        add_text(&records, event->client, "answer");
      if (event->kind == WSGATE_EVENT_KIND_CLOSE)
        return;
    }
    if (records.length > 0)
      CHECK(submit(server, &records, NULL, 0) == 1);
  }
}

static void pull(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_close_period(server, endpoint, 3600000)); /* no help from a timeout */
  int port = start(server);
  for (int i = 0; i < 20; i++) {
    int client = open_client(port);
    write_all(client, i % 2 ? fails : closes, i % 2 ? sizeof fails - 1 : sizeof closes - 1);
    /* Whoever hangs up with its Close frame gets them, too. */
    if (i % 4 > 1)
      CHECK(shutdown(client, SHUT_WR) == 0);
    serve(server, batch);
    EXPECT_TEXT(client, "answer");
    EXPECT_CLOSE(client, i % 2 ? 1002u : 1000u);
    close(client);
  }
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
}

#define ANSWER "answer, answer, answer, answer, answer, answer, answer"

static struct tally tally = TALLY;

/* A whole message and one in parts, compressed where that was agreed upon. */
static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  CHECK_OK(wsgate_client_send(server, event->client, WSGATE_SEND_FLAG_COMPRESS_ALWAYS, ANSWER, sizeof ANSWER - 1));
  CHECK_OK(wsgate_client_begin(server, event->client, WSGATE_SEND_FLAG_COMPRESS_ALWAYS));
  CHECK_OK(wsgate_client_chunk(server, event->client, "in ", 3));
  CHECK_OK(wsgate_client_end(server, event->client, "parts", 5));
}

static void on_close(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)server, (void)user_data;
  CHECK((event->code == 1000) == ((event->flags & WSGATE_EVENT_FLAG_CLEAN) != 0));
  tally_event(&tally, event);
}

/* `rsv1` is 0x40 when the answers are to be compressed. */
static void expect_answers(int client, unsigned rsv1, unsigned code) {
  struct frame frame;
  CHECK(read_fragment(client, &frame) == (FIN | rsv1 | TEXT) && (rsv1 || frame.length == sizeof ANSWER - 1));
  CHECK(read_fragment(client, &frame) == (rsv1 | TEXT) && (rsv1 || frame.length == 3));
  CHECK(read_fragment(client, &frame) == (FIN | GOES_ON) && (rsv1 || frame.length == 5));
  EXPECT_CLOSE(client, code);
}

/* With the request in one packet, where `path` is; else behind its answer. */
static void ask(int port, const char *path, int early, unsigned rsv1) {
  for (int i = 0; i < 4; i++) {
    const char *frames = i % 2 ? fails : closes;
    size_t size = i % 2 ? sizeof fails - 1 : sizeof closes - 1;
    char packet[1024];
    int client = connect_to(port, 0);
    size_t length = (size_t)snprintf(packet, sizeof packet,
                                     "GET %s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                     "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", path);
    memcpy(packet + length, frames, size);
    write_all(client, packet, length + (early ? size : 0));
    char head[1024];
    read_answer_head(client, head, sizeof head);
    CHECK((strstr(head, "permessage-deflate") != NULL) == (rsv1 != 0));
    if (!early)
      write_all(client, frames, size);
    if (i > 1)
      CHECK(shutdown(client, SHUT_WR) == 0);
    expect_answers(client, rsv1, i % 2 ? 1002u : 1000u);
    close(client);
  }
}

static void push(void) {
  uint32_t endpoint, packs, remembers;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_message(server, on_message, NULL, NULL));
  CHECK_OK(wsgate_server_on_close(server, on_close, NULL, NULL));
  CHECK_OK(wsgate_server_add_endpoint(server, "/packs", 6, &packs));
  CHECK_OK(wsgate_endpoint_set_compression(server, packs, 6));
  CHECK_OK(wsgate_server_add_endpoint(server, "/remembers", 10, &remembers));
  CHECK_OK(wsgate_endpoint_set_compression(server, remembers, 6));
  CHECK_OK(wsgate_endpoint_set_compression_takeover(server, remembers, 1, 1));
  int port = start(server);
  for (int early = 0; early < 2; early++) {
    ask(port, "/", early, 0);
    ask(port, "/packs", early, 0x40);
    ask(port, "/remembers", early, 0x40);
  }
  tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, 24);
  CHECK_OK(wsgate_server_free(server));
}

int main(void) {
  pull();
  push();
  return 0;
}
