/* A program loads the library, asks it things, makes a server, and turns itself into a daemon as daemons do: two forks,
 * a session of its own. What it made before, and starts afterwards, works. */
#include "check.h"

#include <sys/wait.h>

static void serve(wsgate_server *server) {
  wsgate_batch *batch = wsgate_batch_new();
  int client = open_client(start(server));
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  send_text(client, "heard");
  CHECK(event_is(batch->events, "heard") || take(server, batch, WSGATE_EVENT_KIND_MESSAGE).client == id);
  CHECK_OK(wsgate_client_send_text(server, id, "daemon", 6));
  EXPECT_TEXT(client, "daemon");
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
}

int main(void) {
  uint32_t endpoint;
  int done[2];
  char byte = 'n';
  CHECK(wsgate_version() != NULL);
  CHECK_ERROR(WSGATE_STATUS_INVALID, "server", wsgate_server_start(NULL)); /* this thread has a last error */
  wsgate_server *server = new_server(&endpoint);
  CHECK(pipe(done) == 0);

  pid_t first = fork();
  CHECK(first >= 0);
  if (first == 0) {
    CHECK(setsid() > 0);
    pid_t second = fork();
    CHECK(second >= 0);
    if (second > 0)
      _exit(0);
    alarm(2 * PATIENCE_S);
    serve(server);
    CHECK(write(done[1], "y", 1) == 1);
    _exit(0);
  }
  int status;
  CHECK(waitpid(first, &status, 0) == first && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  /* If the daemon dies, the pipe ends without a word. */
  close(done[1]);
  CHECK(read(done[0], &byte, 1) == 1 && byte == 'y');
  close(done[0]);

  /* The parent never started it, and may still. */
  serve(server);
  return 0;
}
