/* A gateway tells who is in it and how many, across workers, and is found by its name. */
#include "check.h"

#define CLIENTS 5

static wsgate_server *server;

/* An add or remove is seen once its worker has come to it. */
static void await_count(uint64_t gateway, int count) {
  for (int i = 0; wsgate_gateway_count(server, gateway) != count; i++) {
    CHECK(i < 1000 * PATIENCE_S);
    poll(NULL, 0, 1);
  }
}

static int lists(uint64_t gateway, uint64_t client) {
  uint64_t ids[CLIENTS];
  int found = 0, count = wsgate_gateway_clients(server, gateway, ids, CLIENTS);
  CHECK(count >= 0 && count <= CLIENTS);
  for (int i = 0; i < count; i++)
    found += ids[i] == client;
  return found;
}

static void members(int port, wsgate_batch *batch, uint64_t everybody) {
  int clients[CLIENTS];
  uint64_t ids[CLIENTS], chosen, one = 0;
  CHECK_OK(wsgate_gateway_new(server, &chosen));
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = open_client(port);
    ids[i] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
    CHECK(wsgate_gateway_count(server, everybody) == i + 1); /* before its ACCEPT */
  }
  CHECK(wsgate_gateway_clients(server, chosen, NULL, 0) == 0);
  for (int i = 0; i < 3; i++)
    CHECK_OK(wsgate_gateway_add(server, chosen, ids[i]));
  await_count(chosen, 3);
  for (int i = 0; i < CLIENTS; i++)
    CHECK(lists(everybody, ids[i]) == 1 && lists(chosen, ids[i]) == (i < 3));
  /* The count tells that there are more. */
  CHECK(wsgate_gateway_clients(server, everybody, &one, 1) == CLIENTS && one != 0);
  CHECK_OK(wsgate_gateway_remove(server, chosen, ids[1]));
  await_count(chosen, 2);
  CHECK(!lists(chosen, ids[1]) && lists(everybody, ids[1]));

  close_client(clients[0]);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  CHECK(!lists(everybody, ids[0]) && !lists(chosen, ids[0]));
  CHECK(wsgate_gateway_count(server, everybody) == CLIENTS - 1);

  CHECK_OK(wsgate_gateway_free(server, chosen));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_count(server, chosen));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_clients(server, chosen, &one, 1));
  CHECK(wsgate_gateway_count(server, everybody) == CLIENTS - 1);
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_gateway_clients(server, everybody, NULL, 1));
  for (int i = 1; i < CLIENTS; i++)
    close(clients[i]);
}

/* `named` was named "lobby" before the start. */
static void names(uint64_t named) {
  uint64_t other, found = 0;
  char name[255], long_name[256];
  CHECK_OK(wsgate_gateway_find(server, "lobby", 5, &found));
  CHECK(found == named);
  CHECK(wsgate_gateway_name(server, named, name, sizeof name) == 5 && memcmp(name, "lobby", 5) == 0);
  CHECK_ERROR(WSGATE_STATUS_INVALID, "capacity", wsgate_gateway_name(server, named, name, 4));
  CHECK_OK(wsgate_gateway_new(server, &other));
  CHECK(wsgate_gateway_name(server, other, NULL, 0) == 0);
  CHECK_ERROR(WSGATE_STATUS_BUSY, "lobby", wsgate_gateway_set_name(server, other, "lobby", 5));
  CHECK_OK(wsgate_gateway_set_name(server, named, "foyer", 5));
  CHECK_OK(wsgate_gateway_set_name(server, other, "lobby", 5));
  CHECK_OK(wsgate_gateway_find(server, "lobby", 5, &found));
  CHECK(found == other);
  CHECK_OK(wsgate_gateway_free(server, other)); /* frees the name */
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_find(server, "lobby", 5, &found));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_set_name(server, other, "x", 1));
  CHECK_OK(wsgate_gateway_set_name(server, named, NULL, 0));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_find(server, "foyer", 5, &found));
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_gateway_find(server, "", 0, &found));
  memset(long_name, 'x', sizeof long_name);
  CHECK_OK(wsgate_gateway_set_name(server, named, long_name, 255));
  CHECK_ERROR(WSGATE_STATUS_CONFIG, "255", wsgate_gateway_set_name(server, named, long_name, 256));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_gateway_set_name(server, named, "\xff", 1));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_gateway_find(server, "x", 1, NULL));
}

int main(void) {
  uint32_t endpoint;
  uint64_t everybody, found;
  server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &everybody));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, everybody));
  CHECK_OK(wsgate_gateway_set_name(server, everybody, "lobby", 5));
  CHECK_OK(wsgate_gateway_find(server, "lobby", 5, &found));
  CHECK(found == everybody && wsgate_gateway_count(server, everybody) == 0);
  CHECK(wsgate_gateway_clients(server, everybody, NULL, 0) == 0);
  int port = start(server);
  members(port, batch, everybody);
  names(everybody);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  return 0;
}
