/* free_user_data runs exactly once for each registration, after the last callback with that user data, also when the
 * server never started or could not. */
#include "check.h"

enum { ACCEPTS, MESSAGES, CLOSES, LOGS, OTHERS, OWNERS };

struct owner {
  int calls, freed;
};

static void on_call(wsgate_server *server, const wsgate_event *event, void *user_data) {
  struct owner *owner = user_data;
  /* The server is there for its last callback, too, though free() is under way. */
  CHECK(wsgate_server_port(server, 0) > 0);
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    wsgate_client_send_text(server, event->client, event->data, event->length);
  CHECK(__atomic_load_n(&owner->freed, __ATOMIC_ACQUIRE) == 0);
  __atomic_add_fetch(&owner->calls, 1, __ATOMIC_ACQ_REL);
}

static void on_free(void *user_data) {
  struct owner *owner = user_data;
  CHECK(__atomic_add_fetch(&owner->freed, 1, __ATOMIC_ACQ_REL) == 1);
}

static wsgate_server *owning_server(struct owner *owners) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  memset(owners, 0, OWNERS * sizeof *owners);
  CHECK_OK(wsgate_server_on_accept(server, on_call, &owners[ACCEPTS], on_free));
  CHECK_OK(wsgate_server_on_message(server, on_call, &owners[MESSAGES], on_free));
  CHECK_OK(wsgate_server_on_close(server, on_call, &owners[CLOSES], on_free));
  CHECK_OK(wsgate_server_on_log(server, on_call, &owners[LOGS], on_free));
  CHECK_OK(wsgate_server_on_event(server, on_call, &owners[OTHERS], on_free));
  return server;
}

static void all_are_freed_with(wsgate_server *server, struct owner *owners) {
  for (int i = 0; i < OWNERS; i++)
    CHECK(owners[i].freed == 0);
  CHECK_OK(wsgate_server_free(server));
  for (int i = 0; i < OWNERS; i++)
    CHECK(owners[i].freed == 1);
}

static void never_started(void) {
  struct owner owners[OWNERS];
  all_are_freed_with(owning_server(owners), owners);
}

static void could_not_start(void) {
  struct owner owners[OWNERS];
  uint32_t endpoint;
  char address[32];
  wsgate_server *first = new_server(&endpoint);
  snprintf(address, sizeof address, "127.0.0.1:%d", start(first));
  wsgate_server *second = owning_server(owners);
  CHECK_OK(wsgate_server_listen(second, address, strlen(address)));
  CHECK_STATUS(WSGATE_STATUS_BUSY, wsgate_server_start(second));
  all_are_freed_with(second, owners);
  CHECK_OK(wsgate_server_free(first));
}

/* Freed in the midst of messages. */
static void running(void) {
  struct owner owners[OWNERS];
  int clients[4];
  wsgate_server *server = owning_server(owners);
  int port = start(server);
  for (int c = 0; c < 4; c++) {
    clients[c] = open_client(port);
    for (int i = 0; i < 100; i++)
      send_text(clients[c], "x");
  }
  all_are_freed_with(server, owners);
  CHECK(owners[ACCEPTS].calls == owners[CLOSES].calls && owners[OTHERS].calls >= 1); /* STOPPED */
  for (int c = 0; c < 4; c++)
    close(clients[c]);
}

/* A second registration replaces the first, whose user data nobody needs any more. */
static void replaced(void) {
  struct owner first = {0, 0}, second = {0, 0};
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_event(server, on_call, &first, on_free));
  CHECK_OK(wsgate_server_on_event(server, on_call, &second, on_free));
  start(server);
  CHECK_OK(wsgate_server_free(server));
  CHECK(first.freed == 1 && first.calls == 0);
  CHECK(second.freed == 1 && second.calls >= 1);
}

/* What was not registered stays the caller's. */
static void refused(void) {
  struct owner owner = {0, 0};
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  start(server);
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_on_event(server, on_call, &owner, on_free));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_on_event(NULL, on_call, &owner, on_free));
  CHECK_OK(wsgate_server_free(server));
  CHECK(owner.freed == 0);
}

int main(void) {
  never_started();
  could_not_start();
  for (int i = 0; i < 20; i++)
    running();
  replaced();
  refused();
  return 0;
}
