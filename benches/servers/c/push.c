/* push MODE PORT: callbacks on the server's threads. */
#define _POSIX_C_SOURCE 200809L
#include "modes.h"

#include <semaphore.h>
#include <signal.h>

static sem_t stopped;

void reply_send(wsgate_server *server, uint64_t client, int binary, const void *data, uint64_t length) {
  if (binary)
    wsgate_client_send_binary(server, client, data, length);
  else
    wsgate_client_send_text(server, client, data, length);
}

void reply_ping(wsgate_server *server, uint64_t client, uint64_t ticket) { wsgate_client_ping(server, client, ticket); }

void reply_close(wsgate_server *server, uint64_t client, uint32_t code, const char *reason, uint64_t length) {
  wsgate_client_close(server, client, code, reason, length);
}

void reply_broadcast(wsgate_server *server, uint64_t gateway, int binary, const void *data, uint64_t length,
                     uint64_t except) {
  if (binary)
    wsgate_gateway_broadcast_binary(server, gateway, data, length, &except, except != 0);
  else
    wsgate_gateway_broadcast_text(server, gateway, data, length, &except, except != 0);
}

void reply_add(wsgate_server *server, uint64_t gateway, uint64_t client) {
  wsgate_gateway_add(server, gateway, client);
}

void reply_remove(wsgate_server *server, uint64_t gateway, uint64_t client) {
  wsgate_gateway_remove(server, gateway, client);
}

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_STOPPED)
    sem_post(&stopped);
  else
    modes_event(server, event);
}

int main(int argc, char **argv) {
  sigset_t signals;
  int signal_number;

  /* Blocked before any thread starts, for sigwait() below. */
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  sem_init(&stopped, 0, 0);

  wsgate_server *server = modes_server(argc, argv);
  modes_require(wsgate_server_on_event(server, on_event, NULL, NULL), "on_event");
  modes_start(server);

  sigwait(&signals, &signal_number);
  modes_require(wsgate_server_stop(server, 3000), "stop");
  sem_wait(&stopped);
  modes_require(wsgate_server_free(server), "free");
  return 0;
}
