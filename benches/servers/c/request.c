#define _POSIX_C_SOURCE 200809L
#include "request.h"

#include <string.h>
#include <strings.h>

/* Lengths and counts, in this order; a pair of lengths for each header and parameter; then all the bytes. */
struct lengths {
  uint32_t headers, parts[PARTS], parameters, body;
};

static struct lengths lengths_of(const wsgate_event *event) {
  struct lengths lengths;
  memcpy(&lengths, event->data, sizeof lengths);
  return lengths;
}

struct text request_part(const wsgate_event *event, enum request_part part) {
  struct lengths lengths = lengths_of(event);
  const char *at = (const char *)event->data + sizeof lengths + 8 * ((size_t)lengths.headers + lengths.parameters);
  for (int before = 0; before < (int)part; before++)
    at += lengths.parts[before];
  struct text text = {at, lengths.parts[part]};
  return text;
}

struct text request_query(const wsgate_event *event) {
  struct text target = request_part(event, TARGET), query = {"", 0};
  const char *mark = memchr(target.data, '?', target.length);
  if (mark != NULL) {
    query.data = mark + 1;
    query.length = target.length - (size_t)(query.data - target.data);
  }
  return query;
}

/* The value of the first pair from the `first` on, and before `end`, that has this name. */
static struct text pair_of(const wsgate_event *event, size_t first, size_t end, const char *name) {
  const char *pairs = (const char *)event->data + sizeof(struct lengths);
  struct text value = {"", 0}, last = request_part(event, SUBPROTOCOL);
  const char *at = last.data + last.length;
  uint32_t pair[2];
  for (size_t i = 0; i < end; i++) {
    memcpy(pair, pairs + 8 * i, sizeof pair);
    if (i >= first && pair[0] == strlen(name) && strncasecmp(at, name, pair[0]) == 0) {
      value.data = at + pair[0];
      value.length = pair[1];
      break;
    }
    at += (size_t)pair[0] + pair[1];
  }
  return value;
}

struct text request_header(const wsgate_event *event, const char *name) {
  return pair_of(event, 0, lengths_of(event).headers, name);
}

struct text request_parameter(const wsgate_event *event, const char *name) {
  struct lengths lengths = lengths_of(event);
  return pair_of(event, lengths.headers, (size_t)lengths.headers + lengths.parameters, name);
}

struct text request_body(const wsgate_event *event) {
  uint32_t length = lengths_of(event).body;
  struct text body = {(const char *)event->data + event->length - length, length};
  return body;
}

struct text text_of(const wsgate_event *event) {
  struct text text = {event->data, event->length};
  return text;
}

int take_word(struct text *text, const char *word) {
  size_t length = strlen(word);
  if (text->length < length || memcmp(text->data, word, length) != 0)
    return 0;
  if (text->length > length && text->data[length++] != ' ')
    return 0;
  text->data += length;
  text->length -= length;
  return 1;
}
