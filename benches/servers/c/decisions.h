/* What a server says before a connection is a client: endpoints whose clients are told how they came in, handshakes and
 * requests that are decided when another client says so, and the words of refusals. */
#ifndef DECISIONS_H
#define DECISIONS_H

#include <wsgate.h>

void decisions_configure(wsgate_server *server);
/* Replies to an event, if it is one of these; 0 if not. */
int decisions_event(wsgate_server *server, const wsgate_event *event);

#endif
