/* Builds the buffer of a wsgate_submit(). */
#ifndef RECORDS_H
#define RECORDS_H

#include "check.h"

struct records {
  size_t length;
  union {
    uint64_t align;
    char data[1 << 16];
  } buffer;
};

/* Appends a record, and returns its head for a test to spoil. */
static inline wsgate_record *add_record(struct records *records, uint16_t op, uint64_t target, const uint64_t *ids,
                                        uint32_t id_count, const char *payload) {
  size_t length = payload ? strlen(payload) : 0;
  size_t size = (sizeof(wsgate_record) + 8 * (size_t)id_count + length + 7) & ~(size_t)7;
  char *at = records->buffer.data + records->length;
  wsgate_record *head = (wsgate_record *)(void *)at;
  CHECK(records->length + size <= sizeof records->buffer.data);
  memset(at, 0, size);
  head->op = op;
  head->size = (uint32_t)size;
  head->target = target;
  head->ids = id_count;
  head->length = (uint32_t)length;
  if (id_count > 0)
    memcpy(at + sizeof *head, ids, 8 * (size_t)id_count);
  if (length > 0)
    memcpy(at + sizeof *head + 8 * (size_t)id_count, payload, length);
  records->length += size;
  return head;
}

static inline wsgate_record *add_text(struct records *records, uint64_t client, const char *text) {
  return add_record(records, WSGATE_OP_SEND_TEXT, client, NULL, 0, text);
}

/* Submits what was added, and empties the buffer. */
static inline int submit(wsgate_server *server, struct records *records, int32_t *statuses, size_t count) {
  int applied = wsgate_submit(server, records->buffer.data, records->length, statuses, count);
  records->length = 0;
  return applied;
}

#endif
