/* A child of fork() gets FORKED for its parent's server, may free it, and may run a server of its own; the parent's
 * goes on. */
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

#define FORKED WSGATE_STATUS_FORKED

static wsgate_server *server;
static wsgate_batch *batch;
static uint64_t gateway, id;
static struct tally tally = TALLY;

static void every_call_is_forked(void) {
  uint32_t endpoint;
  uint64_t another;
  CHECK_ERROR(FORKED, "fork", wsgate_client_send_text(server, id, "x", 1));
  CHECK_STATUS(FORKED, wsgate_client_send_binary(server, id, "x", 1));
  CHECK_STATUS(FORKED, wsgate_client_ping(server, id, 1));
  CHECK_STATUS(FORKED, wsgate_client_close(server, id, 1000, NULL, 0));
  CHECK_STATUS(FORKED, wsgate_client_set_user_data(server, id, 1));
  CHECK_STATUS(FORKED, wsgate_gateway_new(server, &another));
  CHECK_STATUS(FORKED, wsgate_gateway_add(server, gateway, id));
  CHECK_STATUS(FORKED, wsgate_gateway_remove(server, gateway, id));
  CHECK_STATUS(FORKED, wsgate_gateway_broadcast_text(server, gateway, "x", 1, NULL, 0));
  CHECK_STATUS(FORKED, wsgate_gateway_broadcast_binary(server, gateway, "x", 1, NULL, 0));
  CHECK_STATUS(FORKED, wsgate_gateway_free(server, gateway));
  CHECK_STATUS(FORKED, wsgate_server_take(server, batch, 0, -1));
  CHECK_STATUS(FORKED, wsgate_server_fd(server));
  CHECK_STATUS(FORKED, wsgate_server_port(server, 0));
  CHECK_STATUS(FORKED, wsgate_submit(server, &endpoint, 0, NULL, 0));
  CHECK_STATUS(FORKED, wsgate_server_stop(server, 0));
  CHECK_STATUS(FORKED, wsgate_server_start(server));
  CHECK_STATUS(FORKED, wsgate_server_add_endpoint(server, "/x", 2, &endpoint));
}

static void a_server_of_its_own(void) {
  uint32_t endpoint;
  wsgate_server *own = new_server(&endpoint);
  wsgate_batch *own_batch = wsgate_batch_new();
  int client = open_client(start(own));
  uint64_t own_id = take(own, own_batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_OK(wsgate_client_send_text(own, own_id, "child", 5));
  EXPECT_TEXT(client, "child");
  CHECK_OK(wsgate_server_free(own));
  wsgate_batch_free(own_batch);
  close(client);
}

static void in_a_child(void (*test)(void)) {
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(2 * PATIENCE_S); /* nobody else would end it */
    test();
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void calls_free_and_restart(void) {
  every_call_is_forked();
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  a_server_of_its_own();
}

/* Without freeing the parent's, and through the handlers of exit(). */
static void leaves_it_alone(void) {
  a_server_of_its_own();
  exit(0);
}

static void free_push(void) { CHECK_OK(wsgate_server_free(server)); }

static void pull(void) {
  uint32_t endpoint;
  server = new_server(&endpoint);
  batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  int client = open_client(start(server));
  id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  in_a_child(calls_free_and_restart);
  in_a_child(leaves_it_alone);

  /* Neither the child's free nor its end closed the connection. */
  CHECK_OK(wsgate_client_send_text(server, id, "parent", 6));
  EXPECT_TEXT(client, "parent");
  send_text(client, "heard");
  take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
}

static void push(void) {
  uint32_t endpoint;
  server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_event(server, on_tally, &tally, NULL));
  int client = open_client(start(server));
  id = tally_wait(&tally, WSGATE_EVENT_KIND_ACCEPT, 1).client;
  in_a_child(free_push);
  CHECK_OK(wsgate_client_send_text(server, id, "parent", 6));
  EXPECT_TEXT(client, "parent");
  CHECK_OK(wsgate_server_free(server));
  close(client);
}

int main(void) {
  pull();
  push();
  return 0;
}
