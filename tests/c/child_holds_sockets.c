/* A forked child that goes on to live holds copies of all sockets. The parent's clients don't hang on them: each close
 * is seen by its peer at once, by a client's close, by the end of the server, and for the address. */
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

/* The end of the stream, which comes though the child never closes its copy. */
static void ended(int client) {
  char byte;
  CHECK(recv(client, &byte, 1, 0) == 0);
  close(client);
}

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int port = start(server);
  int one = open_client(port), two = open_client(port);
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  CHECK_OK(wsgate_client_set_user_data(server, id, 1));

  pid_t child = fork();
  if (child == 0) {
    close(one); /* the peers' ends are not what this is about */
    close(two);
    pause();
    _exit(0);
  }
  CHECK(child > 0);

  /* Which of the two it is can be told by who is closed. */
  CHECK_OK(wsgate_client_close(server, id, 4000, "one", 3));
  struct pollfd either[2] = {{one, POLLIN, 0}, {two, POLLIN, 0}};
  CHECK(poll(either, 2, 1000 * PATIENCE_S) > 0);
  int closing = either[0].revents ? one : two, other = closing == one ? two : one;
  EXPECT_CLOSE(closing, 4000);
  send_close(closing, 4000, "");
  ended(closing);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).code == 4000);

  send_text(other, "still there");
  uint64_t other_id = take(server, batch, WSGATE_EVENT_KIND_MESSAGE).client;
  CHECK_OK(wsgate_client_send_text(server, other_id, "yes", 3));
  EXPECT_TEXT(other, "yes");
  CHECK_OK(wsgate_server_free(server));
  EXPECT_CLOSE(other, 1001);
  ended(other);

  CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
  wsgate_batch_free(batch);
  return 0;
}
