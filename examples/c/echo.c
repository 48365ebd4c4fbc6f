/* echo [ADDRESS]: sends every message back as it came, text as text and binary as binary.
 *
 * Push delivery: the server's own threads call on_message, the main thread only waits for a signal.
 *
 *   cc -std=c99 echo.c -o echo -lwsgate -pthread && ./echo 127.0.0.1:9001
 */
#define _POSIX_C_SOURCE 200809L
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wsgate.h>

static sem_t stopped;

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  /* event->data is ours only until we return; sending copies it. */
  wsgate_status status = event->flags & WSGATE_EVENT_FLAG_BINARY
    ? wsgate_client_send_binary(server, event->client, event->data, event->length)
    : wsgate_client_send_text(server, event->client, event->data, event->length);

  /* FULL: this client sends faster than it reads, and an echo with holes is worse than none.
   * CLOSED needs no care: the client went away meanwhile. */
  if (status == WSGATE_STATUS_FULL)
    wsgate_client_close(server, event->client, 1013, "Too slow", strlen("Too slow"));
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
    fprintf(stderr, "echo: %s: %s: %s\n", what, wsgate_status_text(status), wsgate_last_error());
    exit(1);
  }
}

int main(int argc, char **argv) {
  const char *address = argc > 1 ? argv[1] : "127.0.0.1:9001";
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
  require(wsgate_server_add_endpoint(server, "/", 1, &endpoint), "endpoint /");
  require(wsgate_server_on_message(server, on_message, NULL, NULL), "on_message");
  require(wsgate_server_on_event(server, on_event, NULL, NULL), "on_event");
  require(wsgate_server_start(server), address);

  /* With port 0 the system chose one. */
  int host_length = (int)(strrchr(address, ':') - address);
  printf("listening on ws://%.*s:%d/\n", host_length, address, (int)wsgate_server_port(server, 0));
  fflush(stdout);

  sigwait(&signals, &signal_number);
  require(wsgate_server_stop(server, 3000), "stop"); /* clients get 1001 and 3 s to answer it */
  sem_wait(&stopped);
  wsgate_server_free(server);
  return 0;
}
