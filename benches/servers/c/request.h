/* The request that HANDSHAKE, ACCEPT and REQUEST carry, read in place. */
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>
#include <wsgate.h>

struct text {
  const char *data;
  size_t length;
};

enum request_part { METHOD, TARGET, PEER, LOCAL, SUBPROTOCOL, PARTS };

struct text request_part(const wsgate_event *event, enum request_part part);
/* The target behind its question mark. */
struct text request_query(const wsgate_event *event);
/* The first of this name; empty if there is none. */
struct text request_header(const wsgate_event *event, const char *name);
struct text request_parameter(const wsgate_event *event, const char *name);
struct text request_body(const wsgate_event *event);

/* The data of any event. */
struct text text_of(const wsgate_event *event);
/* Takes `word`, and the space after it, from the front of a text. */
int take_word(struct text *text, const char *word);

#endif
