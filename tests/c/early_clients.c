/* Callbacks may use the server from the first event on, also when a client connects before start() has returned. */
#include "check.h"

#define TURNS 100

static struct tally tally = TALLY;
static int port, done, answered;

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_ACCEPT) {
    CHECK_OK(wsgate_client_send_text(server, event->client, "welcome", 7));
    CHECK(wsgate_server_port(server, 0) == port);
  }
  tally_event(&tally, event);
}

/* Connects as soon as anybody listens. */
static void *knock(void *nothing) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  struct sockaddr_in address;
  char byte;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)port);
  while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
    int client = socket(AF_INET, SOCK_STREAM, 0);
    /* The server may be freed at any moment: then one of these three fails. */
    if (connect(client, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(client, request, sizeof request - 1, MSG_NOSIGNAL) > 0 && recv(client, &byte, 1, 0) > 0)
      __atomic_add_fetch(&answered, 1, __ATOMIC_RELAXED);
    reset_client(client);
  }
  return nothing;
}

int main(void) {
  char text[32];
  uint32_t endpoint;
  pthread_t visitor;
  wsgate_server *first = new_server(&endpoint);
  port = start(first); /* a port that is ours from now on */
  CHECK_OK(wsgate_server_free(first));
  snprintf(text, sizeof text, "127.0.0.1:%d", port);
  CHECK(pthread_create(&visitor, NULL, knock, NULL) == 0);

  for (int turn = 0; turn < TURNS; turn++) {
    wsgate_server *server = wsgate_server_new();
    unsigned before = tally_count(&tally, WSGATE_EVENT_KIND_ACCEPT);
    CHECK_OK(wsgate_server_listen(server, text, strlen(text)));
    CHECK_OK(wsgate_server_add_endpoint(server, "/", 1, &endpoint));
    CHECK_OK(wsgate_server_on_event(server, on_event, NULL, NULL));
    CHECK_OK(wsgate_server_start(server));
    tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, before + 1);
    CHECK_OK(wsgate_server_free(server));
  }
  __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
  pthread_join(visitor, NULL);
  CHECK(answered > 0);
  return 0;
}
