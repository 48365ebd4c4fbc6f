/* A client that resets its connection while it is sent to ends in one CLOSE, 1006 and LOST, and in CLOSED for the
 * sender; other clients notice nothing, and no SIGPIPE kills the host. */
#include "check.h"

#include <signal.h>

static struct tally tally = TALLY;

static void vanish(wsgate_server *server, int port, unsigned turn, const char *block, size_t size) {
  int client = connect_to(port, 4096);
  upgrade(client, "/");
  uint64_t id = tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, turn + 2).client;
  int status = WSGATE_STATUS_OK;
  unsigned sent = 0;
  /* Until what it does not read fills its outbox: from then on there is always something to write. */
  while ((status = wsgate_client_send_binary(server, id, block, size)) == WSGATE_STATUS_OK)
    CHECK(++sent < 4096);
  CHECK(status == WSGATE_STATUS_FULL);
  reset_client(client);
  do
    status = wsgate_client_send_binary(server, id, block, size);
  while (status == WSGATE_STATUS_OK || status == WSGATE_STATUS_FULL);
  CHECK(status == WSGATE_STATUS_CLOSED);

  wsgate_event event = tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, turn + 1);
  CHECK(event.client == id && event.code == 1006 && event.value == WSGATE_CLOSE_CAUSE_LOST);
  CHECK((event.flags & WSGATE_EVENT_FLAG_CLEAN) == 0);
}

int main(void) {
  static char block[32768];
  uint32_t endpoint;
  CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR); /* whatever the runner had */
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_event(server, on_tally, &tally, NULL));
  int port = start(server), bystander = open_client(port);
  uint64_t bystander_id = tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, 1).client;

  for (unsigned turn = 0; turn < 20; turn++) {
    vanish(server, port, turn, block, sizeof block);
    CHECK_OK(wsgate_client_send_text(server, bystander_id, "fine", 4));
    EXPECT_TEXT(bystander, "fine");
  }
  CHECK_OK(wsgate_server_free(server));
  CHECK(tally.count[WSGATE_EVENT_KIND_CLOSE] == 21); /* free closed the bystander */
  close(bystander);
  return 0;
}
