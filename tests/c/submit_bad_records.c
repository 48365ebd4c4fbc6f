/* A record that can not be carried out gets its own status and the rest proceed; one whose lengths are impossible
 * ends the submit. Nothing is read past the buffer. */
#include "records.h"

#define INVALID WSGATE_STATUS_INVALID

static struct records records;
static wsgate_server *server;
static uint64_t id;
static int client;

/* The record added last was spoiled; one before and one after are good. */
static void is_skipped(const char *what, int32_t expected) {
  int32_t statuses[3] = {0};
  add_text(&records, id, "after");
  int applied = submit(server, &records, statuses, 3);
  if (applied != 2 || statuses[0] != WSGATE_STATUS_OK || statuses[1] != expected || statuses[2] != WSGATE_STATUS_OK) {
    fprintf(stderr, "%s: %d applied, statuses %d %d %d\n", what, applied, statuses[0], statuses[1], statuses[2]);
    _exit(1);
  }
  EXPECT_TEXT(client, "before");
  EXPECT_TEXT(client, "after");
}

static wsgate_record *record(uint16_t op, uint64_t target, const uint64_t *ids, uint32_t count, const char *payload) {
  add_text(&records, id, "before");
  return add_record(&records, op, target, ids, count, payload);
}

static void wrong_in_themselves(uint64_t gateway) {
  const uint64_t ids[2] = {id ^ 1, id};
  char long_text[125];
  memset(long_text, 'x', sizeof long_text);

  record(0, id, NULL, 0, "x");
  is_skipped("op 0", INVALID);
  record(999, id, NULL, 0, "x");
  is_skipped("op 999", INVALID);
  record(WSGATE_OP_SEND_TEXT, id, NULL, 0, "\xff");
  is_skipped("text that is not UTF-8", INVALID);
  record(WSGATE_OP_BROADCAST_TEXT, gateway, NULL, 0, "\xff");
  is_skipped("broadcast that is not UTF-8", INVALID);
  record(WSGATE_OP_CLOSE, id, NULL, 0, NULL)->flags = 1005;
  is_skipped("close code 1005", INVALID);
  record(WSGATE_OP_CLOSE, id, NULL, 0, NULL)->flags = 0;
  is_skipped("close code 0", INVALID);
  long_text[124] = '\0';
  record(WSGATE_OP_CLOSE, id, NULL, 0, long_text)->flags = 1000;
  is_skipped("reason of 124 bytes", INVALID);
  record(WSGATE_OP_SEND_TEXT, id ^ 1, NULL, 0, "x");
  is_skipped("stale client", WSGATE_STATUS_CLOSED);
  record(WSGATE_OP_GATEWAY_ADD, gateway ^ 1, &id, 1, NULL);
  is_skipped("stale gateway", WSGATE_STATUS_CLOSED);
  record(WSGATE_OP_GATEWAY_ADD, gateway, ids, 2, NULL);
  is_skipped("stale client among good ones", WSGATE_STATUS_CLOSED);
}

/* A copy at the end of a heap block, where the sanitizer sees every byte read too far. */
static int32_t submit_from_heap(size_t length, size_t offset, int32_t *statuses, size_t count) {
  char *copy = malloc(length + offset);
  CHECK(copy != NULL);
  memcpy(copy + offset, records.buffer.data, length);
  int32_t applied = wsgate_submit(server, copy + offset, length, statuses, count);
  free(copy);
  records.length = 0;
  return applied;
}

/* The second record was spoiled: the first is applied, the second and what is behind it are not. */
static void is_the_end(size_t length) {
  int32_t statuses[3] = {7, 7, 7};
  CHECK_STATUS(INVALID, submit_from_heap(length, 0, statuses, 3));
  CHECK(statuses[0] == WSGATE_STATUS_OK && statuses[1] == INVALID && statuses[2] == 7);
  EXPECT_TEXT(client, "before");
}

static void impossible_lengths(uint64_t gateway) {
  static const uint32_t sizes[] = {0, 8, 31, 33, 36, 1024, UINT32_MAX & ~7u, UINT32_MAX};
  static const uint32_t id_counts[] = {3, 0x20000000 /* times 8 it is 0 in 32 bits */, UINT32_MAX};

  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    record(WSGATE_OP_SEND_TEXT, id, NULL, 0, "lost")->size = sizes[i]; /* is 40 */
    add_text(&records, id, "lost");
    is_the_end(records.length);
  }
  for (size_t i = 0; i < sizeof id_counts / sizeof *id_counts; i++) {
    record(WSGATE_OP_BROADCAST_TEXT, gateway, &id, 1, "lost")->ids = id_counts[i];
    add_text(&records, id, "lost");
    is_the_end(records.length);
  }
  record(WSGATE_OP_SEND_TEXT, id, NULL, 0, "x")->length = 9; /* there is room for 8 */
  is_the_end(records.length);
  record(WSGATE_OP_SEND_TEXT, id, NULL, 0, "x")->length = UINT32_MAX;
  is_the_end(records.length);
  for (size_t missing = 1; missing < 40; missing++) {
    record(WSGATE_OP_SEND_TEXT, id, NULL, 0, "lost");
    is_the_end(records.length - missing);
  }
}

static void statuses_are_bounded(void) {
  int32_t statuses[3] = {7, 7, 7};
  for (int i = 0; i < 3; i++)
    add_text(&records, id, "counted");
  CHECK(submit(server, &records, statuses, 1) == 3);
  CHECK(statuses[0] == WSGATE_STATUS_OK && statuses[1] == 7 && statuses[2] == 7);
  for (int i = 0; i < 3; i++)
    EXPECT_TEXT(client, "counted");
}

int main(void) {
  uint32_t endpoint;
  uint64_t gateway;
  server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  client = open_client(start(server));
  id = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  wrong_in_themselves(gateway);
  impossible_lengths(gateway);
  statuses_are_bounded();

  /* The buffer itself may lie anywhere. */
  for (size_t offset = 1; offset < 8; offset++) {
    add_text(&records, id, "before");
    add_record(&records, WSGATE_OP_GATEWAY_ADD, gateway, &id, 1, NULL);
    CHECK(submit_from_heap(records.length, offset, NULL, 0) == 2);
    EXPECT_TEXT(client, "before");
  }

  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(client);
  return 0;
}
