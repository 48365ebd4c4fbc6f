/* Where only text is taken, a binary message is closed with 1003, on its first frame; text still comes. */
#include "check.h"

int main(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_text_only(server, endpoint, 1));
  int client = open_client(start(server));
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  send_text(client, "text");
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK(event_is(&event, "text"));
  write_all(client, "\x02\x85", 2); /* the first fragment of one, and not even its mask */
  write_all(client, "\0\0\0\0", 4);
  EXPECT_CLOSE(client, 1003);
  event = take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK(event.code == 1003 && event.value == WSGATE_CLOSE_CAUSE_LIMIT);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
  return 0;
}
