/* What the C servers do in each mode. How events reach them and how answers leave differs: push.c and pull.c
 * bring a main() and the replies. */
#ifndef MODES_H
#define MODES_H

#include <wsgate.h>

/* A server for `MODE PORT`, configured and not started. Exits with a usage line if the arguments are wrong. */
wsgate_server *modes_server(int argc, char **argv);

/* Starts it and says where it listens. */
void modes_start(wsgate_server *server);

/* Replies to one event. */
void modes_event(wsgate_server *server, const wsgate_event *event);

/* Prints what failed, with the last error, and exits. */
void modes_require(int32_t status, const char *what);

/* For conformance.c. */
uint32_t add_endpoint(wsgate_server *server, const char *path);
uint64_t new_gateway(wsgate_server *server);
int is_binary(const wsgate_event *event);
void echo(wsgate_server *server, const wsgate_event *event);

/* For the mode stream, and one endpoint of conformance.c. */
void stream_event(wsgate_server *server, const wsgate_event *event);

void conformance_configure(wsgate_server *server);
void conformance_event(wsgate_server *server, const wsgate_event *event);

/* The replies, made in the order of the calls. Data is copied or sent before they return. What fails because the
 * client is gone or does not read is dropped, as a benchmark's load means it to be. */
void reply_send(wsgate_server *server, uint64_t client, int binary, const void *data, uint64_t length);
void reply_ping(wsgate_server *server, uint64_t client, uint64_t ticket);
void reply_close(wsgate_server *server, uint64_t client, uint32_t code, const char *reason, uint64_t length);
/* To all members but `except`; 0 excepts nobody. */
void reply_broadcast(wsgate_server *server, uint64_t gateway, int binary, const void *data, uint64_t length,
                     uint64_t except);
void reply_add(wsgate_server *server, uint64_t gateway, uint64_t client);
void reply_remove(wsgate_server *server, uint64_t gateway, uint64_t client);

#endif
