/* A record with a message for each of its ids is so many sends in their order, with a status each; when its lengths
 * are not those of its payload, none of them is sent, and the rest of the buffer is. */
#include "records.h"

#define COUNT 4
#define INVALID WSGATE_STATUS_INVALID

static struct records records;

/* `payload` has the lengths in front, and is as long as `length` says. */
static void add_each(uint16_t op, const uint64_t *ids, const void *payload, size_t length) {
  size_t size = (sizeof(wsgate_record) + 8 * COUNT + length + 7) & ~(size_t)7;
  char *at = records.buffer.data + records.length;
  wsgate_record head = {.op = op, .size = (uint32_t)size, .ids = COUNT, .length = (uint32_t)length};
  CHECK(records.length + size <= sizeof records.buffer.data);
  memset(at, 0, size);
  memcpy(at, &head, sizeof head);
  memcpy(at + sizeof head, ids, 8 * COUNT);
  memcpy(at + sizeof head + 8 * COUNT, payload, length);
  records.length += size;
}

struct each {
  uint32_t lengths[COUNT];
  char data[16];
};

int main(void) {
  static struct frame frame;
  static const struct each good = {{3, 0, 5, 3}, "one" "three" "two"};
  uint32_t endpoint;
  int32_t statuses[COUNT + 2];
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  unsigned port = start(server);
  int first = open_client(port);
  uint64_t a = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  int second = open_client(port);
  uint64_t b = take(server, batch, WSGATE_EVENT_KIND_ACCEPT).client;
  const uint64_t ids[COUNT] = {a, b, b ^ 1, b}; /* the third is stale */

  add_text(&records, b, "before");
  add_each(WSGATE_OP_SEND_EACH_TEXT, ids, &good, sizeof good.lengths + 11);
  add_text(&records, b, "after");
  CHECK(submit(server, &records, statuses, COUNT + 2) == COUNT + 1);
  for (int i = 0; i < COUNT + 2; i++)
    CHECK(statuses[i] == (i == 3 ? WSGATE_STATUS_CLOSED : WSGATE_STATUS_OK));
  EXPECT_TEXT(first, "one");
  EXPECT_TEXT(second, "before");
  EXPECT_TEXT(second, "");
  EXPECT_TEXT(second, "two");
  EXPECT_TEXT(second, "after");

  add_each(WSGATE_OP_SEND_EACH_BINARY, ids, &good, sizeof good.lengths + 11);
  CHECK(submit(server, &records, NULL, 0) == COUNT - 1);
  read_frame(first, &frame);
  CHECK(frame.opcode == BINARY && frame.length == 3 && memcmp(frame.data, "one", 3) == 0);
  read_frame(second, &frame);
  CHECK(frame.opcode == BINARY && frame.length == 0);
  read_frame(second, &frame);
  CHECK(frame.opcode == BINARY && frame.length == 3 && memcmp(frame.data, "two", 3) == 0);

  /* A text that is not UTF-8 is refused alone. */
  add_each(WSGATE_OP_SEND_EACH_TEXT, ids, &(struct each){{1, 1, 0, 2}, "a\xffok"}, sizeof good.lengths + 4);
  CHECK(submit(server, &records, statuses, COUNT) == 2);
  CHECK(statuses[0] == WSGATE_STATUS_OK && statuses[1] == INVALID && statuses[3] == WSGATE_STATUS_OK);
  EXPECT_TEXT(first, "a");
  EXPECT_TEXT(second, "ok");

  static const struct {
    struct each each;
    size_t length;
  } wrong[] = {
      {{{3, 0, 5, 3}, "one" "three" "two"}, sizeof good.lengths + 10},
      {{{3, 0, 5, 3}, "one" "three" "two"}, sizeof good.lengths + 12},
      {{{3, 0, 5, UINT32_MAX}, "one" "three" "two"}, sizeof good.lengths + 11},
      {{{0, 0, 0, 0}, ""}, sizeof good.lengths - 1},
      {{{0, 0, 0, 0}, ""}, 0},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    add_text(&records, b, "before");
    add_each(WSGATE_OP_SEND_EACH_TEXT, ids, &wrong[i].each, wrong[i].length);
    add_text(&records, b, "after");
    CHECK(submit(server, &records, statuses, COUNT + 2) == 2);
    for (int j = 0; j < COUNT + 2; j++)
      CHECK(statuses[j] == (j == 0 || j == COUNT + 1 ? WSGATE_STATUS_OK : INVALID));
    EXPECT_TEXT(second, "before");
    EXPECT_TEXT(second, "after");
  }

  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(first);
  close(second);
  return 0;
}
