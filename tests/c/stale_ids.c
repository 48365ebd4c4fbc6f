/* An id whose client or gateway is gone, that never was, or that belongs elsewhere gives CLOSED, whatever it is
 * used for. */
#include "check.h"

#define CLOSED WSGATE_STATUS_CLOSED

static void is_no_client(wsgate_server *server, uint64_t gateway, uint64_t id) {
  CHECK_STATUS(CLOSED, wsgate_client_send_text(server, id, "x", 1));
  CHECK_STATUS(CLOSED, wsgate_client_send_binary(server, id, "x", 1));
  CHECK_STATUS(CLOSED, wsgate_client_ping(server, id, 1));
  CHECK_STATUS(CLOSED, wsgate_client_close(server, id, 1000, NULL, 0));
  CHECK_STATUS(CLOSED, wsgate_client_set_user_data(server, id, 1));
  CHECK_STATUS(CLOSED, wsgate_gateway_add(server, gateway, id));
  CHECK_STATUS(CLOSED, wsgate_gateway_remove(server, gateway, id));
}

static void is_no_gateway(wsgate_server *server, uint64_t client, uint64_t id) {
  CHECK_STATUS(CLOSED, wsgate_gateway_add(server, id, client));
  CHECK_STATUS(CLOSED, wsgate_gateway_remove(server, id, client));
  CHECK_STATUS(CLOSED, wsgate_gateway_broadcast_text(server, id, "x", 1, NULL, 0));
  CHECK_STATUS(CLOSED, wsgate_gateway_broadcast_binary(server, id, "x", 1, NULL, 0));
  CHECK_STATUS(CLOSED, wsgate_gateway_free(server, id));
}

static uint64_t next_random(uint64_t *state) { /* xorshift: every run tries the same ids */
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

int main(void) {
  uint32_t endpoint;
  uint64_t gateway, other_gateway, random = 88172645463325252u;
  wsgate_server *server = new_server(&endpoint), *other = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_gateway_new(other, &other_gateway));
  CHECK(gateway != other_gateway && gateway >> 63 == 0);
  int port = start(server), other_port = start(other);

  int gone = open_client(port);
  uint64_t gone_id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  close_client(gone);
  CHECK(take(server, batch, WSGATE_EVENT_KIND_CLOSE).client == gone_id);

  int here = open_client(port), elsewhere = open_client(other_port);
  uint64_t here_id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  uint64_t elsewhere_id = take(other, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK(here_id != gone_id && here_id != elsewhere_id && here_id >> 63 == 0);

  is_no_client(server, gateway, gone_id);
  is_no_client(server, gateway, elsewhere_id);
  is_no_client(server, gateway, gateway);
  is_no_client(server, gateway, 0);
  is_no_client(server, gateway, UINT64_MAX);
  is_no_gateway(server, here_id, other_gateway);
  is_no_gateway(server, here_id, here_id);
  is_no_gateway(server, here_id, 0);
  for (int i = 0; i < 10000; i++) {
    uint64_t id = next_random(&random) >> (i % 64);
    if (id != here_id)
      is_no_client(server, gateway, id);
    if (id != gateway)
      is_no_gateway(server, here_id, id);
    id = here_id ^ (1ull << (i % 64)); /* a bit beside the right one */
    is_no_client(server, gateway, id);
  }

  CHECK_OK(wsgate_gateway_free(server, gateway));
  is_no_gateway(server, here_id, gateway);

  /* The two that are there are none the worse for it. */
  CHECK_OK(wsgate_client_send_text(server, here_id, "here", 4));
  CHECK_OK(wsgate_client_send_text(other, elsewhere_id, "elsewhere", 9));
  EXPECT_TEXT(here, "here");
  EXPECT_TEXT(elsewhere, "elsewhere");

  CHECK_OK(wsgate_server_free(server));
  CHECK_OK(wsgate_server_free(other));
  wsgate_batch_free(batch);
  close(here);
  close(elsewhere);
  return 0;
}
