/* auth [ADDRESS]: lets in who has a token, and looks it up on a thread of its own.
 *
 * The tokens "tea" and "coffee", in the header `Authorization: Bearer TOKEN`, are Ann's and Ben's, who are greeted by
 * name; others get a 401 with a JSON body.
 *
 * The endpoint leaves the decision to the program: each handshake is a HANDSHAKE event, and waits for wsgate_accept() or
 * wsgate_reject(), from any thread, up to its timeout. A look-up may take long (a database, another service), so the
 * callback only passes the handshake's id on. If the peer hangs up meanwhile the id is stale, the decision answers
 * CLOSED, and there is nothing to undo.
 *
 *   cc -std=c99 auth.c -o auth -lwsgate -pthread && ./auth 127.0.0.1:9001
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wsgate.h>

struct user {
  const char *token, *name;
};

static const struct user users[] = {{"tea", "Ann"}, {"coffee", "Ben"}};

static wsgate_server *server;
static int waiting[2]; /* a pipe of handshakes' ids: its writes are whole, and it has a bound */
static sem_t stopped;

/* The user whose token the request's Authorization header has, or NULL. It takes its time, as a database would. */
static const struct user *look_up(uint64_t handshake) {
  static const struct timespec slow = {0, 50 * 1000 * 1000};
  static const char scheme[] = "Bearer ";
  char value[64];
  uint64_t length;
  if (wsgate_handshake_header(server, handshake, "Authorization", strlen("Authorization"), value, sizeof value - 1,
                              &length) != WSGATE_STATUS_OK || length >= sizeof value)
    return NULL; /* gone, or there is none (UINT64_MAX), or too long for any of ours */
  value[length] = '\0';
  if (strncmp(value, scheme, strlen(scheme)) != 0)
    return NULL;
  nanosleep(&slow, NULL);
  for (size_t i = 0; i < sizeof users / sizeof *users; i++)
    if (strcmp(value + strlen(scheme), users[i].token) == 0)
      return &users[i];
  return NULL;
}

static void *decide(void *nothing) {
  /* A name, a NUL, its value, a NUL: sizeof counts the last one. */
  static const char headers[] = "Content-Type\0application/json\0WWW-Authenticate\0Bearer";
  static const char body[] = "{\"error\":\"unknown token\"}";
  uint64_t handshake;
  while (read(waiting[0], &handshake, sizeof handshake) == (ssize_t)sizeof handshake) {
    const struct user *user = look_up(handshake);
    if (user != NULL)
      /* The word comes back with each of the client's events: no table from ids to users is needed. */
      wsgate_accept(server, handshake, NULL, 0, NULL, 0, 0, (uint64_t)(uintptr_t)user);
    else
      wsgate_reject(server, handshake, 401, headers, sizeof headers, body, strlen(body));
  }
  return nothing;
}

static void on_event(wsgate_server *its_server, const wsgate_event *event, void *user_data) {
  const struct user *user = (const struct user *)(uintptr_t)event->user_data;
  char text[64];
  (void)user_data;
  switch (event->kind) {
  case WSGATE_EVENT_KIND_HANDSHAKE:
    /* A callback must not block: who comes when the pipe is full has to come again. */
    if (write(waiting[1], &event->client, sizeof event->client) < 0)
      wsgate_reject(its_server, event->client, 503, NULL, 0, NULL, 0);
    break;
  case WSGATE_EVENT_KIND_ACCEPT:
    snprintf(text, sizeof text, "hello %s", user->name);
    wsgate_client_send_text(its_server, event->client, text, strlen(text));
    break;
  case WSGATE_EVENT_KIND_MESSAGE:
    snprintf(text, sizeof text, "%s said %d bytes", user->name, (int)event->length);
    wsgate_client_send_text(its_server, event->client, text, strlen(text));
    break;
  case WSGATE_EVENT_KIND_STOPPED:
    sem_post(&stopped);
    break;
  default: /* HANDSHAKE_GONE, CLOSE and others need nothing; there may be kinds that this program does not know */
    break;
  }
}

/* The last error belongs to the latest call that failed on this thread: ask for it before any other call. */
static void require(wsgate_status status, const char *what) {
  if (status != WSGATE_STATUS_OK) {
    fprintf(stderr, "auth: %s: %s: %s\n", what, wsgate_status_text(status), wsgate_last_error());
    exit(1);
  }
}

int main(int argc, char **argv) {
  const char *address = argc > 1 ? argv[1] : "127.0.0.1:9001";
  pthread_t decider;
  uint32_t endpoint;

  /* Blocked before any thread starts, so that these signals wait for sigwait() below. */
  sigset_t signals;
  int signal_number;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  sem_init(&stopped, 0, 0);
  if (pipe(waiting) != 0 || fcntl(waiting[1], F_SETFL, O_NONBLOCK) != 0) {
    perror("auth: pipe");
    return 1;
  }

  server = wsgate_server_new();
  require(wsgate_server_listen(server, address, strlen(address)), address);
  require(wsgate_server_add_endpoint(server, "/", 1, &endpoint), "endpoint /");
  require(wsgate_endpoint_set_acceptor(server, endpoint, 1), "acceptor");
  require(wsgate_endpoint_set_handshake_timeout(server, endpoint, 5000), "handshake timeout");
  require(wsgate_server_on_event(server, on_event, NULL, NULL), "on_event");
  require(wsgate_server_start(server), address);
  if (pthread_create(&decider, NULL, decide, NULL) != 0)
    abort();

  /* With port 0 the system chose one. */
  int host_length = (int)(strrchr(address, ':') - address);
  printf("listening on ws://%.*s:%d/\n", host_length, address, (int)wsgate_server_port(server, 0));
  fflush(stdout);

  sigwait(&signals, &signal_number);
  require(wsgate_server_stop(server, 3000), "stop"); /* clients get 1001 and 3 s to answer it */
  sem_wait(&stopped);

  /* STOPPED was the last event: nobody writes to the pipe any more, and its end ends the thread. */
  close(waiting[1]);
  pthread_join(decider, NULL);
  close(waiting[0]);
  wsgate_server_free(server);
  return 0;
}
