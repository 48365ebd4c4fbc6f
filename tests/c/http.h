/* Plain requests and undecided handshakes, on top of check.h. */
#ifndef HTTP_H
#define HTTP_H

#include "check.h"

struct answer {
  int status;
  char head[4096]; /* NUL after it, as after the body */
  char body[4096];
  size_t length;
};

/* Opens the handshake for a target and does not wait for the answer; `more` is header lines with their CRLF. */
static inline void ask_upgrade(int client, const char *target, const char *more) {
  char text[1024];
  int length = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                        target, more);
  CHECK(length > 0 && (size_t)length < sizeof text);
  write_all(client, text, (size_t)length);
}

/* Reads one response with its body, if it has one. */
static inline void read_answer(int client, struct answer *answer) {
  size_t length = 0;
  const char *found;
  memset(answer, 0, sizeof *answer);
  while (strstr(answer->head, "\r\n\r\n") == NULL) {
    CHECK(length + 1 < sizeof answer->head);
    read_all(client, answer->head + length++, 1);
  }
  CHECK(sscanf(answer->head, "HTTP/1.1 %d", &answer->status) == 1);
  if ((found = strstr(answer->head, "content-length: ")) != NULL)
    answer->length = strtoul(found + 16, NULL, 10);
  CHECK(answer->length < sizeof answer->body);
  read_all(client, answer->body, answer->length);
}

static inline void expect_answer(int client, int status, const char *body) {
  struct answer answer;
  read_answer(client, &answer);
  if (answer.status != status || strcmp(answer.body, body) != 0) {
    fprintf(stderr, "came %d \"%s\", expected %d \"%s\"\n", answer.status, answer.body, status, body);
    _exit(1);
  }
}

#endif
