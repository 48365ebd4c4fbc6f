/* Single frames of messages in parts, both ways. */
#ifndef PARTS_H
#define PARTS_H

#include "check.h"

enum { GOES_ON = 0, FIN = 0x80 };

/* A masked frame whose first byte is FIN or not, and the opcode. */
static inline void send_fragment(int client, unsigned first, const void *data, size_t length) {
  static const unsigned char mask[4] = {9, 8, 7, 6};
  unsigned char head[14] = {(unsigned char)first, 0x80 | 127};
  unsigned char *masked = malloc(length + 1);
  size_t size = 2;
  CHECK(masked != NULL);
  if (length < 126) {
    head[1] = (unsigned char)(0x80 | length);
  } else {
    int bytes = length < 65536 ? 2 : 8;
    head[1] = bytes == 2 ? 0x80 | 126 : 0x80 | 127;
    while (bytes-- > 0)
      head[size++] = (unsigned char)(length >> (8 * bytes));
  }
  memcpy(head + size, mask, 4);
  write_all(client, head, size + 4);
  for (size_t i = 0; i < length; i++)
    masked[i] = ((const unsigned char *)data)[i] ^ mask[i % 4];
  write_all(client, masked, length);
  free(masked);
}

/* Reads one frame of up to 64 KiB; returns its first byte. */
static inline unsigned read_fragment(int client, struct frame *frame) {
  unsigned char head[8];
  read_all(client, head, 2);
  unsigned first = head[0];
  size_t length = head[1];
  if (length >= 126) {
    int bytes = length == 126 ? 2 : 8;
    read_all(client, head, (size_t)bytes);
    length = 0;
    for (int i = 0; i < bytes; i++)
      length = length << 8 | head[i];
  }
  CHECK(length < sizeof frame->data);
  read_all(client, frame->data, length);
  frame->length = length;
  frame->data[length] = '\0';
  frame->opcode = first & 0x0f;
  return first;
}

#define EXPECT_FRAGMENT(client, first, text) expect_fragment(__FILE__, __LINE__, client, first, text)

static inline void expect_fragment(const char *file, int line, int client, unsigned first, const char *text) {
  struct frame frame;
  unsigned got = read_fragment(client, &frame);
  if (got != first || frame.length != strlen(text) || memcmp(frame.data, text, frame.length) != 0) {
    fprintf(stderr, "first byte %#x, expected %#x \"%s\"\n", got, first, text);
    fail(file, line, frame.data, "came as the next frame");
  }
}

#endif
