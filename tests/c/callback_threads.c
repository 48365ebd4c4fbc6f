/* Callbacks run on the library's own threads, never on one of the program's, and all of one client's on the same.
 * These threads block every signal, and have a last error of their own. */
#include "check.h"

#include <signal.h>

static struct tally tally = TALLY;
static pthread_t program, first;
static int known;

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  sigset_t blocked;
  (void)user_data;
  CHECK(!pthread_equal(pthread_self(), program));
  CHECK(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
  CHECK(sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGPIPE) == 1 && sigismember(&blocked, SIGUSR1) == 1);
  if (event->client != 0) {
    if (!known++)
      first = pthread_self();
    CHECK(pthread_equal(pthread_self(), first));
  }
  if (event->kind == WSGATE_EVENT_KIND_ACCEPT) {
    CHECK(strcmp(wsgate_last_error(), "") == 0); /* the program's is not seen here */
    CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_client_send_text(server, 1, "x", 1));
  }
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    CHECK_OK(wsgate_client_ping(server, event->client, 7));
  tally_event(&tally, event);
}

int main(void) {
  static struct frame frame;
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  program = pthread_self();
  CHECK_OK(wsgate_server_on_event(server, on_event, NULL, NULL));
  int client = open_client(start(server));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_set_workers(server, 1));
  char ours[256];
  snprintf(ours, sizeof ours, "%s", wsgate_last_error());
  send_text(client, "hello");
  read_frame(client, &frame);
  CHECK(frame.opcode == PING);
  send_frame(client, PONG, frame.data, frame.length);
  CHECK(tally_wait(&tally, WSGATE_EVENT_KIND_PONG, 1).value == 7);
  close_client(client);
  tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, 1);
  CHECK(strcmp(wsgate_last_error(), ours) == 0); /* nor is a callback's seen here */
  CHECK_OK(wsgate_server_free(server));
  CHECK(tally_count(&tally, WSGATE_EVENT_KIND_STOPPED) == 1); /* within free, and on the library's thread too */
  return 0;
}
