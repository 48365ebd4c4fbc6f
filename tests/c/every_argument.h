/* The frame of a program that tests/c_api/every_argument.rs makes of wsgate.h: each function is tried with all combinations
 * of the values below, in every state of a server. Nothing crashes, what can't be right is refused, a refusal says
 * why and leaves the out-parameters alone, and the servers work afterwards. */
#include "check.h"

#include <sys/wait.h>

#define EACH(index, list) for (size_t index = 0; index < sizeof list / sizeof *list; index++)

void try_all(wsgate_server *server);

/* ---- values */

struct block {
  const void *data;
  size_t length;
  int impossible;
};

#define UNTOUCHED 0xabababababababab
#define STALE 0x3fffffffffff

static union {
  uint64_t words[64]; /* larger than any struct that is filled */
  char bytes[512];
} room;
static const uint64_t numbers[2] = {1, STALE};

static const struct block texts[] = {
  {NULL, 0, 0}, {NULL, 1, 1}, {"x", SIZE_MAX, 1}, {"", 0, 0}, {"/x", 2, 0}, {"\xff\xfe", 2, 0}, {"a\0b", 4, 0},
};
static const struct block rooms[] = {{NULL, 0, 0}, {NULL, 1, 1}, {room.bytes, SIZE_MAX, 1}, {room.bytes, 0, 0}, {room.bytes, 512, 0}};
static const struct block arrays[] = {
  {NULL, 0, 0}, {NULL, 1, 1}, {numbers, SIZE_MAX, 1}, {numbers, SIZE_MAX / 8, 1}, {(const char *)numbers + 1, 1, 1}, {numbers, 0, 0}, {numbers, 2, 0},
};
static const struct block places[] = {
  {NULL, 0, 0}, {NULL, 1, 1}, {room.words, SIZE_MAX, 1}, {room.bytes + 1, 1, 1}, {room.words, 0, 0}, {room.words, 8, 0},
};
/* The length is how much of the struct the caller knows. */
static const struct block structs[] = {
  {NULL, 0, 1}, {NULL, 64, 1}, {room.bytes + 1, 64, 0}, {room.words, 0, 1}, {room.words, 7, 1}, {room.words, 8, 0}, {room.words, SIZE_MAX, 0},
};
static const struct block outs[] = {{NULL, 0, 1}, {room.bytes + 1, 0, 1}, {room.words, 0, 0}};
static const uint32_t words[] = {0, 1, 1000, UINT32_MAX};
static const int32_t timeouts[] = {0, 1};
static void *const pointers[] = {NULL, room.bytes};
static uint64_t ids[] = {0, 1, STALE, (uint64_t)1 << 63, UINT64_MAX, 0 /* a gateway */, 0 /* a client */};
static wsgate_batch *batches[] = {NULL, NULL};

static void no_callback(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)server;
  (void)event;
  (void)user_data;
}

static unsigned owned, freed;
static void on_free(void *user_data) {
  (void)user_data;
  freed++;
}

static const wsgate_event_fn callbacks[] = {NULL, no_callback};
static const wsgate_free_fn frees[] = {NULL, on_free};

/* ---- checks */

static unsigned long calls;
static int short_form; /* for valgrind: what a forked child leaves behind it would call leaks */

static void before(void) {
  for (size_t i = 0; i < sizeof room.words / sizeof *room.words; i++)
    room.words[i] = UNTOUCHED;
  calls++;
}

static void after(const char *function, int status, int impossible) {
  const char *problem = NULL;
  int touched = 0;
  for (size_t i = 0; i < sizeof room.words / sizeof *room.words; i++)
    touched |= room.words[i] != UNTOUCHED;
  if (status < WSGATE_STATUS_FORKED)
    problem = "is no answer";
  else if (impossible && status >= 0)
    problem = "to arguments that can not be right";
  else if (status < 0 && touched && strcmp(function, "wsgate_submit") != 0)
    problem = "and yet wrote to an out-parameter";
  else if (status < 0 && wsgate_last_error()[0] == '\0')
    problem = "without a last error";
  if (problem != NULL) {
    fprintf(stderr, "%s answered %d %s (last error: \"%s\")\n", function, status, problem, wsgate_last_error());
    _exit(1);
  }
}

static void made(const char *function, const void *what) {
  CHECK(what != NULL);
  if (strcmp(function, "wsgate_batch_new") == 0)
    wsgate_batch_free((wsgate_batch *)(uintptr_t)what);
}

/* Some of what is tried ends the gateway. */
static void refresh(wsgate_server *server) {
  if (server != NULL && wsgate_gateway_count(server, ids[5]) < 0)
    wsgate_gateway_new(server, &ids[5]);
}

/* ---- states */

static void echoes(int port, wsgate_server *server) {
  int client = open_client(port);
  wsgate_batch *batch = wsgate_batch_new();
  int32_t got;
  send_text(client, "still there");
  for (uint64_t done = 0; done == 0;) {
    got = wsgate_server_take(server, batch, 1, 1000 * PATIENCE_S);
    CHECK(got == 1);
    if (batch->events->kind == WSGATE_EVENT_KIND_MESSAGE) {
      CHECK_OK(wsgate_client_send_text(server, batch->events->client, batch->events->data, batch->events->length));
      done = 1;
    }
  }
  EXPECT_TEXT(client, "still there");
  wsgate_batch_free(batch);
  close(client);
}

static void without_a_server(void) {
  CHECK_OK(wsgate_server_free(NULL));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_start(NULL));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_stop(NULL, 0));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_drain(NULL, 0, 0));
  wsgate_batch_free(NULL);
  try_all(NULL);
}

static void before_the_start(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_stop(server, 0));
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_drain(server, 0, 0));
  try_all(server);
  CHECK_OK(wsgate_server_free(server));
}

/* In a child of fork() everything but the settings of the process is refused. */
static void forked(wsgate_server *server) {
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(2 * PATIENCE_S);
    CHECK_STATUS(WSGATE_STATUS_FORKED, wsgate_server_start(server));
    CHECK_STATUS(WSGATE_STATUS_FORKED, wsgate_server_stop(server, 0));
    CHECK_STATUS(WSGATE_STATUS_FORKED, wsgate_server_drain(server, 0, 0));
    try_all(server);
    CHECK_OK(wsgate_server_free(server));
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void running_and_stopped(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  int port = start(server), client = open_client(port);
  ids[6] = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_start(server));
  try_all(server);
  echoes(port, server);
  if (!short_form) {
    forked(server);
    echoes(port, server);
  }

  CHECK_OK(wsgate_server_stop(server, 0));
  while (wsgate_server_take(server, batch, 0, 1000 * PATIENCE_S) >= 0)
    ;
  CHECK_STATUS(WSGATE_STATUS_INVALID, wsgate_server_start(server));
  try_all(server);
  CHECK_OK(wsgate_server_stop(server, 0));
  CHECK_OK(wsgate_server_drain(server, 0, 0));
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
}

static struct tally tally = TALLY;
static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  if (event_is(event, "try")) {
    ids[6] = event->client;
    try_all(server);
    CHECK_STATUS(WSGATE_STATUS_REENTRANT, wsgate_server_free(server));
  } else {
    CHECK_OK(wsgate_client_send_text(server, event->client, event->data, event->length));
  }
  tally_event(&tally, event);
}

static void inside_a_callback(void) {
  uint32_t endpoint;
  wsgate_server *server = new_server(&endpoint);
  CHECK_OK(wsgate_server_on_message(server, on_message, NULL, NULL));
  int port = start(server), client = open_client(port), another;
  send_text(client, "try");
  tally_wait(&tally, WSGATE_EVENT_KIND_MESSAGE, 1);
  another = open_client(port);
  send_text(another, "still there");
  EXPECT_TEXT(another, "still there");
  CHECK_OK(wsgate_server_free(server));
  close(another);
  close(client);
}

int main(int argc, char **argv) {
  (void)argv;
  short_form = argc > 1;
  batches[1] = wsgate_batch_new();
  before_the_start();
  CHECK(freed > 0);
  owned = freed;
  running_and_stopped();
  CHECK(freed == owned); /* no callback was taken after the start, so none was freed */
  if (!short_form) {
    without_a_server();
    inside_a_callback();
  }
  wsgate_batch_free(batches[1]);
  printf("%lu calls\n", calls);
  return 0;
}
