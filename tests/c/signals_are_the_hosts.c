/* The library installs no signal handler and changes no mask of the host's threads; its own threads, on which
 * callbacks run, block every signal that could be sent to the process. */
#include "check.h"

#include <dirent.h>
#include <signal.h>

static struct tally tally = TALLY;
static pthread_t main_thread;

static const int sent_to_processes[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,   SIGPIPE, SIGALRM, SIGTERM,
                                        SIGCHLD, SIGCONT, SIGTSTP, SIGURG,  SIGVTALRM, SIGPROF, SIGWINCH};
#define SIGNALS (sizeof sent_to_processes / sizeof *sent_to_processes)

static void on_event(wsgate_server *server, const wsgate_event *event, void *user_data) {
  sigset_t blocked;
  (void)user_data;
  CHECK(!pthread_equal(pthread_self(), main_thread));
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  for (size_t i = 0; i < SIGNALS; i++)
    CHECK(sigismember(&blocked, sent_to_processes[i]));
  if (event->kind == WSGATE_EVENT_KIND_MESSAGE)
    wsgate_client_send_text(server, event->client, event->data, event->length);
  tally_event(&tally, event);
}

/* Every thread but this one is the library's. */
static void check_all_threads(void) {
  char path[300], line[256];
  int threads = 0;
  DIR *directory = opendir("/proc/self/task");
  CHECK(directory != NULL);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == (int)getpid())
      continue;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
    FILE *status = fopen(path, "r");
    CHECK(status != NULL);
    unsigned long long blocked = 0;
    while (fgets(line, sizeof line, status))
      if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
        break;
    fclose(status);
    for (size_t i = 0; i < SIGNALS; i++)
      CHECK(blocked >> (sent_to_processes[i] - 1) & 1);
    threads++;
  }
  closedir(directory);
  CHECK(threads >= 3); /* two workers and the front */
}

int main(void) {
  uint32_t endpoint;
  struct sigaction before[65], after;
  sigset_t mask_before, mask_after;
  main_thread = pthread_self();
  signal(SIGPIPE, SIG_DFL);
  for (int s = 1; s < 65; s++)
    sigaction(s, NULL, &before[s]);
  sigemptyset(&mask_before); /* glibc leaves the rest of the set alone */
  sigemptyset(&mask_after);
  pthread_sigmask(SIG_BLOCK, NULL, &mask_before);

  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_event(server, on_event, NULL, NULL));
  int port = start(server), client = open_client(port), lost = open_client(port);
  send_text(client, "x");
  EXPECT_TEXT(client, "x");
  check_all_threads();
  reset_client(lost);
  tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, 1);
  CHECK_OK(wsgate_server_free(server));

  pthread_sigmask(SIG_BLOCK, NULL, &mask_after);
  for (int s = 1; s < 65; s++) {
    if (sigaction(s, NULL, &after) == 0)
      CHECK(after.sa_handler == before[s].sa_handler && after.sa_flags == before[s].sa_flags);
    CHECK(sigismember(&mask_before, s) == sigismember(&mask_after, s));
  }
  close(client);
  return 0;
}
