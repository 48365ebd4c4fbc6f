/* ACCEPT carries the request in the documented layout: method, target, addresses, subprotocol, all headers. */
#include "check.h"

#include <strings.h>

static const char *at, *end;

static void next(const char *what, uint32_t length, const char *expected) {
  CHECK((size_t)(end - at) >= length);
  if (length != strlen(expected) || strncasecmp(at, expected, length) != 0) {
    fprintf(stderr, "%s is \"%.*s\", expected \"%s\"\n", what, (int)length, at, expected);
    _exit(1);
  }
  at += length;
}

int main(void) {
  static const char *const sent[][2] = {{"host", "127.0.0.1"},
                                        {"upgrade", "websocket"},
                                        {"connection", "Upgrade"},
                                        {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                        {"sec-websocket-version", "13"},
                                        {"x-test", "a value"}};
  enum { HEADERS = sizeof sent / sizeof *sent };
  uint32_t endpoint, head[8], pairs[HEADERS][2];
  char local[32], peer[32];
  struct sockaddr_in own;
  socklen_t own_size = sizeof own;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_server_add_endpoint(server, "/second", 7, &endpoint));
  int port = start(server), client = connect_to(port, 0);
  upgrade(client, "/second?q=%20&r");
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  CHECK(event.endpoint == endpoint);
  snprintf(local, sizeof local, "127.0.0.1:%d", port);
  CHECK(getsockname(client, (struct sockaddr *)&own, &own_size) == 0);
  snprintf(peer, sizeof peer, "127.0.0.1:%d", ntohs(own.sin_port));

  at = event.data;
  end = at + event.length;
  CHECK(event.length >= sizeof head + sizeof pairs);
  memcpy(head, at, sizeof head);
  CHECK(head[0] == HEADERS && head[6] == 0 && head[7] == 0);
  memcpy(pairs, at + sizeof head, sizeof pairs);
  at += sizeof head + sizeof pairs;
  next("method", head[1], "GET");
  next("target", head[2], "/second?q=%20&r");
  next("peer", head[3], peer);
  next("local", head[4], local);
  next("subprotocol", head[5], "");
  for (int i = 0; i < HEADERS; i++) {
    next("name", pairs[i][0], sent[i][0]);
    next(sent[i][0], pairs[i][1], sent[i][1]);
  }
  CHECK(at == end);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
  return 0;
}
