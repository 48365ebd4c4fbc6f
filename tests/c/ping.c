/* A pong that answers a ping of ours brings its ticket back; any other pong, and the peer's own pings, raise nothing,
 * and each of those is answered. */
#include "check.h"

int main(void) {
  static struct frame frame, second;
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int client = open_client(start(server));
  uint64_t id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;

  CHECK_OK(wsgate_client_ping(server, id, 0x0123456789abcdefu));
  read_frame(client, &frame);
  CHECK(frame.opcode == PING && frame.length <= 125);
  send_frame(client, PONG, "unasked", 7);
  send_frame(client, PONG, frame.data, frame.length);
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_PONG);
  CHECK(event.client == id && event.value == 0x0123456789abcdefu);

  CHECK_OK(wsgate_client_ping(server, id, 1));
  CHECK_OK(wsgate_client_ping(server, id, 2));
  read_frame(client, &frame);
  read_frame(client, &second);
  CHECK(frame.opcode == PING && second.opcode == PING);
  send_frame(client, PONG, second.data, second.length);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_PONG).value == 2);

  send_frame(client, PING, "mine", 4);
  read_frame(client, &frame);
  CHECK(frame.opcode == PONG && strcmp(frame.data, "mine") == 0);
  send_text(client, "next");
  take(server, batch, WSGATE_EVENT_KIND_MESSAGE); /* and nothing for the ping */
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
  return 0;
}
