/* The word given to a client comes back in its later events, the last of them CLOSE, and only in its own. */
#include "check.h"

#define WORD 0xfedcba9876543210u

static struct tally tally = TALLY;

static void on_accept(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  CHECK(event->user_data == 0);
  if (tally_count(&tally, WSGATE_EVENT_KIND_ACCEPT) == 0)
    CHECK_OK(wsgate_client_set_user_data(server, event->client, WORD));
  tally_event(&tally, event);
}

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_accept(server, on_accept, NULL, NULL));
  CHECK_OK(wsgate_server_on_event(server, on_tally, &tally, NULL));
  int port = start(server);

  int client = open_client(port);
  send_text(client, "with a word"); /* may come in one turn with the handshake */
  wsgate_event event = tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 1);
  CHECK(event.user_data == WORD);
  int other = open_client(port);
  send_text(other, "without");
  CHECK(tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 2).user_data == 0);

  CHECK_OK(wsgate_client_set_user_data(server, event.client, 7));
  send_text(client, "another word");
  CHECK(tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 3).user_data == 7);
  close_client(client);
  CHECK(tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, 1).user_data == 7);
  close_client(other);
  CHECK(tally_wait(&tally, WSGATE_EVENT_KIND_CLOSE, 2).user_data == 0);
  CHECK_OK(wsgate_server_free(server));
  return 0;
}
