/* A signal ends a blocking take, also if its handler was installed with SA_RESTART, so that the host's own
 * language can run its handlers. */
#include "check.h"

#include <signal.h>

static volatile sig_atomic_t signals;

static void count(int signal_number) {
  (void)signal_number;
  signals++;
}

int main(void) {
  uint32_t endpoint;
  struct sigaction action;
  /* Again and again: the first may come before the take waits. */
  struct itimerval timer = {{0, 20000}, {0, 20000}}, off = {{0, 0}, {0, 0}};
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  memset(&action, 0, sizeof action);
  action.sa_handler = count;
  start(server);

  const int flags[] = {0, SA_RESTART};
  for (int i = 0; i < 4; i++) {
    action.sa_flags = flags[i % 2];
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    if (i == 2)
      CHECK(wsgate_server_fd(server) >= 0); /* and no different once the descriptor is in use */
    signals = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
    CHECK(wsgate_server_take(server, batch, 0, -1) == 0);
    setitimer(ITIMER_REAL, &off, NULL);
    CHECK(signals > 0 && batch->count == 0);
  }
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
