/* wsgate_server_fd() is readable exactly while events wait. */
#include "check.h"

#include <fcntl.h>

static int readable(int descriptor, int milliseconds) {
  struct pollfd poll_fd = {descriptor, POLLIN, 0};
  int ready = poll(&poll_fd, 1, milliseconds);
  CHECK(ready >= 0);
  return ready;
}

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int port = start(server);
  int early = open_client(port); /* its event waits before anybody asks for the descriptor */
  int descriptor = wsgate_server_fd(server);
  CHECK(descriptor >= 0 && descriptor == wsgate_server_fd(server));
  CHECK(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);

  CHECK(readable(descriptor, 1000 * PATIENCE_S));
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  CHECK(!readable(descriptor, 0));

  for (int round = 0; round < 200; round++) {
    for (int i = 0; i < 3; i++)
      send_text(early, "x");
    for (int i = 0; i < 3; i++) {
      CHECK(readable(descriptor, 1000 * PATIENCE_S));
      take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
      CHECK(batch->pending == 0 || readable(descriptor, 0));
    }
    CHECK(batch->pending == 0 && !readable(descriptor, 0));
  }

  CHECK_OK(wsgate_server_stop(server, 0));
  CHECK(readable(descriptor, 1000 * PATIENCE_S));
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK(readable(descriptor, 1000 * PATIENCE_S));
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_OK(wsgate_server_free(server));
  CHECK(fcntl(descriptor, F_GETFD) < 0 && errno == EBADF);
  wsgate_batch_free(batch);
  close(early);
  return 0;
}
