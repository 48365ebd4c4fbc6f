/* A process may end in any way while its servers run: by return from main, by exit() on another thread, with clients
 * that send. It ends with the status it chose. */
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

static struct tally tally = TALLY;
static wsgate_server *push_server, *pull_server; /* reachable to the end: no leak */

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    wsgate_client_send_text(server, event->client, event->data, event->length);
  tally_event(&tally, event);
}

static void *send_for_ever(void *client) {
  for (;;)
    if (send(*(int *)client, "\x81\x81\0\0\0\0x", 7, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
      return NULL;
}

static void *exit_here(void *nothing) {
  (void)nothing;
  exit(3);
}

static void live_and_end(int on_another_thread) {
  static int client;
  uint32_t endpoint;
  pthread_t sender, ender;
  push_server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_event(push_server, on_event, NULL, NULL));
  client = open_client(start(push_server));
  pull_server = new_server(&endpoint);
  open_client(start(pull_server));
  CHECK(pthread_create(&sender, NULL, send_for_ever, &client) == 0);
  tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 50);
  if (on_another_thread) {
    CHECK(pthread_create(&ender, NULL, exit_here, NULL) == 0);
    pthread_join(ender, NULL);
  }
  exit(3);
}

int main(void) {
  int status;
  for (int i = 0; i < 10; i++) {
    pid_t child = fork(); /* before this process has any thread */
    CHECK(child >= 0);
    if (child == 0) {
      alarm(PATIENCE_S);
      live_and_end(i % 2);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 3) {
      fprintf(stderr, "the child ended with wait status %d\n", status);
      return 1;
    }
  }
  return 0;
}
