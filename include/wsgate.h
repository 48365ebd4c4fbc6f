/**
 * @file wsgate.h
 * @brief wsgate: a WebSocket server and gateway. ABI version 0; 64-bit Linux.
 *
 * Generated from src/ffi by tests/generated.rs: changes here are lost.
 *
 * What holds for every function, unless its text says otherwise:
 * - Any thread may call it, several at once too.
 * - It does not block. wsgate_server_free and wsgate_server_take wait.
 * - Data that are passed in are borrowed for the call, and copied where they are kept. Lengths are in bytes; no
 *   NUL is needed behind a text. A pointer may be NULL when its length is 0.
 * - Out-parameters are written on success only (wsgate_submit's statuses apart).
 * - What it returns is never to be freed, but by the function that the text names.
 * - A call that fails leaves a text in wsgate_last_error().
 */


#ifndef WSGATE_H
#define WSGATE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup version Version
 *
 * The interface has a version of its own, apart from the release's. A program that is linked with the library gets the
 * right one by the library's SONAME, `libwsgate.so.0`; one that loads it at run time compares.
 *
 * @{
 */

/**
 * The version of the binary interface. It is 0 until the interface is settled; the library's SONAME
 * carries it.
 */
#define WSGATE_ABI_VERSION 0

/**
 * The version of the binary interface that this library has; compare it with
 * `WSGATE_ABI_VERSION` after loading at run time.
 *
 * @return the version
 * @threads any
 */
uint32_t wsgate_abi_version(void);

/**
 * The library's release, "0.1.0".
 *
 * @return a static text: nothing to free
 * @threads any
 */
const char *wsgate_version(void);

/** @} */

/**
 * @defgroup errors Errors
 *
 * Functions that only tell whether they worked return a `wsgate_status`; those that count return the count, or a
 * negative status as an `int32_t`. Each function names what it answers under "Returns". Any of them can answer three more:
 * - INVALID, when a handle or a pointer is NULL that must not be, when a length is impossible, or text is not UTF-8;
 * - FORKED, in a child process, for a server that the parent started;
 * - PANIC, when a bug of the library was caught. The server may go on, less the client that it concerned.
 *
 * After a failure, `wsgate_last_error` says in words what was wrong, with the setting, the value and its bounds.
 *
 * @{
 */

/**
 * What a call answers: 0 is success, negatives are errors, named by what the caller does next.
 */
typedef enum {
  /**
   * It is done, or queued.
   */
  WSGATE_STATUS_OK = 0,
  /**
   * A bad argument, or a call in the wrong order: mend the program.
   */
  WSGATE_STATUS_INVALID = -1,
  /**
   * The id is stale (that client or gateway is gone), or the server has stopped: forget it.
   */
  WSGATE_STATUS_CLOSED = -2,
  /**
   * The client's outbox is full: a DRAIN event tells when there is room again.
   */
  WSGATE_STATUS_FULL = -3,
  /**
   * The time given ran out.
   */
  WSGATE_STATUS_TIMEOUT = -4,
  /**
   * In use by somebody else: an address, or a batch that another thread takes into.
   */
  WSGATE_STATUS_BUSY = -5,
  /**
   * Not allowed inside a callback.
   */
  WSGATE_STATUS_REENTRANT = -6,
  /**
   * The operating system said no.
   */
  WSGATE_STATUS_IO = -7,
  /**
   * A certificate or key is bad.
   */
  WSGATE_STATUS_TLS = -8,
  /**
   * A setting is out of its bounds; the last error names it, the value and the bounds.
   */
  WSGATE_STATUS_CONFIG = -9,
  /**
   * The server was started before a fork() and this is the child process: make a new one.
   */
  WSGATE_STATUS_FORKED = -10,
  /**
   * A bug in the library was caught.
   */
  WSGATE_STATUS_PANIC = -11,
  /**
   * The library can't do that.
   */
  WSGATE_STATUS_UNSUPPORTED = -12,
} wsgate_status;

/**
 * A status in words, in English; for a number that is none, too.
 *
 * @return a static text: nothing to free
 * @threads any
 */
const char *wsgate_status_text(int32_t status);

/**
 * What was wrong with this thread's latest call that failed, in English; "" when none has.
 *
 * @return the text, never NULL; valid until this thread's next failing call, nothing to free
 * @threads any; each has its own
 */
const char *wsgate_last_error(void);

/** @} */

/**
 * @defgroup server A server and its life
 *
 * `wsgate_server_new`, settings, `wsgate_server_start`; then events and calls; `wsgate_server_stop` or
 * `wsgate_server_drain`, the STOPPED event, `wsgate_server_free`. A process may have many servers. Everything else is named by
 * ids: endpoints by small numbers of their server; handshakes, clients, requests and gateways by `uint64_t` ids that
 * are unique in the process, are below 2^63, never 0, and never used again. An id whose object is gone is stale, and every
 * call answers CLOSED for it: so no id has to be freed, and none can dangle.
 *
 * @{
 */

/**
 * A server: what it is to be until it starts, then the running one.
 */
typedef struct wsgate_server wsgate_server;

/**
 * A server's figures.
 *
 * It is part of the C ABI (`wsgate_server_counters`): fields are only ever added at the end, and `size` tells
 * how many there are.
 */
typedef struct {
  /**
   * How many bytes of this struct the library filled.
   */
  uint64_t size;
  /**
   * Clients whose ACCEPT was raised or is about to be, and whose CLOSE was not.
   */
  uint64_t clients;
  /**
   * Of them, those that wait to become clients because the event queue is full.
   */
  uint64_t arrivals;
  /**
   * Events that wait to be taken; 0 for a server with callbacks.
   */
  uint64_t events;
  /**
   * Their bytes.
   */
  uint64_t event_bytes;
  /**
   * Log lines that were dropped because the event queue was full.
   */
  uint64_t dropped_logs;
  /**
   * Clients that were closed because all outboxes together were over their budget.
   */
  uint64_t evicted;
  /**
   * Memory that holds what waits in the outboxes of all servers in the process.
   */
  uint64_t outbox_bytes;
  /**
   * What it may be.
   */
  uint64_t outbox_budget;
  /**
   * Connections that are open, clients among them.
   */
  uint64_t connections;
  /**
   * Handshakes, requests and refusals that wait for the application.
   */
  uint64_t waiting;
  /**
   * Connections that were ever accepted, those that were refused at once among them.
   */
  uint64_t connections_total;
  /**
   * Connections refused because there were too many in all.
   */
  uint64_t connections_refused;
  /**
   * Connections refused because there were too many from their address.
   */
  uint64_t address_refused;
  /**
   * Requests that were ever begun, handshakes among them.
   */
  uint64_t requests_total;
  /**
   * Requests refused because too many waited for the application.
   */
  uint64_t requests_refused;
  /**
   * Handshakes that the application accepted.
   */
  uint64_t accepted;
  /**
   * Handshakes that the application rejected.
   */
  uint64_t rejected;
  /**
   * Handshakes that ended because nobody decided in time.
   */
  uint64_t handshake_timeouts;
  /**
   * Handshakes whose peer left before the decision.
   */
  uint64_t handshakes_left;
  /**
   * Requests that ended because the application did not answer in time.
   */
  uint64_t request_timeouts;
  /**
   * Requests and handshakes refused for what they are: not found, not allowed, no WebSocket handshake.
   */
  uint64_t refused;
  /**
   * Heads that were malformed, too large or too late.
   */
  uint64_t bad_requests;
  /**
   * Of those, the ones that did not come in time.
   */
  uint64_t header_timeouts;
  /**
   * Bodies over the limit.
   */
  uint64_t bodies_refused;
  /**
   * Bodies that did not come in time.
   */
  uint64_t body_timeouts;
  /**
   * Connections that asked nothing for too long.
   */
  uint64_t idle_timeouts;
  /**
   * Responses whose peer took nothing for too long.
   */
  uint64_t write_timeouts;
  /**
   * Memory that holds the unfinished messages of all clients in the process.
   */
  uint64_t inbox_bytes;
  /**
   * What it may be.
   */
  uint64_t inbox_budget;
  /**
   * Clients of this server that were closed because it was more.
   */
  uint64_t overloads;
} wsgate_server_counters;

/**
 * Makes a server with every setting at its default. It does nothing until it starts.
 *
 * @return the server, for `wsgate_server_free`
 * @threads any; a server may be used by any number of threads at once
 */
wsgate_server *wsgate_server_new(void);

/**
 * Binds its addresses and starts its threads. A start that failed can be tried again.
 *
 * @return OK; BUSY: an address is in use; INVALID: no address was set, or it has started already; IO
 * @threads any
 */
wsgate_status wsgate_server_start(wsgate_server *server);

/**
 * The port of the address that the `index`-th `wsgate_server_listen` added, from 0: the one that the
 * system chose, where the address said 0.
 *
 * @return the port, or a negative status: INVALID before the start, and for an address that is none or has no port
 * @threads any
 */
int32_t wsgate_server_port(wsgate_server *server,
                           uint32_t index);

/**
 * Fills `out` with a server's figures as they are now: at most `size` bytes, and their number in its
 * first word.
 *
 * @param size `sizeof(wsgate_server_counters)`
 * @return OK; INVALID: before the start, `out` is NULL, or `size` under 8
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_server_info(wsgate_server *server, wsgate_server_counters *out, size_t size);

/**
 * Stops a server: no new clients; a Close frame with 1001 "Server shutting down" to each; after
 * `grace_ms` milliseconds the rest is cut. Returns at once; STOPPED is the last event, after each
 * client's CLOSE. Stopping again can only shorten the grace; in a drain it ends the spread.
 *
 * @return OK; INVALID before the start
 * @threads any, callbacks too
 */
wsgate_status wsgate_server_stop(wsgate_server *server, uint64_t grace_ms);

/**
 * Stops a server over a time, so that its clients do not all come back at once elsewhere. It stops
 * listening at once: new connections are refused, and a balancer looks for another server. Those who are
 * there are closed one by one, evenly over `spread_ms` milliseconds, with 1001 "Server shutting down"; go
 * on serving them until then. Who is left `grace_ms` milliseconds after the last close is cut. Returns at
 * once; STOPPED is the last event, after each client's CLOSE, and comes as soon as the last client is
 * gone. Draining again can only shorten it; `wsgate_server_stop` ends the spread.
 *
 * @return OK; INVALID before the start
 * @threads any, callbacks too
 */
wsgate_status wsgate_server_drain(wsgate_server *server, uint64_t spread_ms, uint64_t grace_ms);

/**
 * Ends a server in whatever state it is, at once: stops it without grace, waits for its threads, and
 * frees it. Callbacks may still run until this returns, none after. NULL is fine. In a process that
 * was forked off after the server was started it only forgets it.
 *
 * @return OK; REENTRANT inside a callback (nothing happened)
 * @threads any, but no other call with this server may run at the same time or come after
 */
wsgate_status wsgate_server_free(wsgate_server *server);

/** @} */

/**
 * @defgroup settings Settings
 *
 * One function a setting, checked and answered at once. They are for the time before the start, and INVALID afterwards,
 * unless their text says otherwise.
 * Defaults and bounds stand in brackets: [default; from to to].
 *
 * @{
 */

/**
 * What becomes of a broadcast for a client whose outbox has no room for it.
 */
typedef enum {
  /**
   * The client is closed with 1013 "Too slow".
   */
  WSGATE_SLOW_CONSUMER_CLOSE = 0,
  /**
   * This client does not get it; its info counts it as dropped.
   */
  WSGATE_SLOW_CONSUMER_DROP_NEWEST = 1,
  /**
   * The oldest broadcasts that wait for the client are dropped, and counted, until it has room. What was
   * sent to the client alone stays, and so does what has begun to leave; if that is not enough, the
   * client does not get the new one.
   */
  WSGATE_SLOW_CONSUMER_DROP_OLDEST = 2,
} wsgate_slow_consumer;

/**
 * What becomes of a client that sends more in a second than it may.
 */
typedef enum {
  /**
   * It is not read until the second is over.
   */
  WSGATE_RATE_POLICY_PAUSE = 0,
  /**
   * It is closed with 1008 "Rate limit exceeded".
   */
  WSGATE_RATE_POLICY_CLOSE = 1,
} wsgate_rate_policy;

/**
 * Adds an address to listen on: "127.0.0.1:8080", "[::1]:8080"; with port 0 the system chooses, and
 * `wsgate_server_port` tells. "unix:PATH" is a socket in the file system: a file that a dead server left
 * there is replaced, and it is removed at the stop (`wsgate_server_set_unix_mode`). "fd:3" is a
 * descriptor that listens already; it stays the caller's. May be called several times.
 *
 * @return OK; CONFIG: not an address; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_listen(wsgate_server *server, const char *address, size_t length);

/**
 * Sets how many worker threads serve the clients: 0 [the default] means one for each core, at most
 * 1,024.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_workers(wsgate_server *server, uint32_t workers);

/**
 * Adds an endpoint, a path that upgrades to WebSocket. Its number goes to `endpoint`; they count from 0.
 *
 * "/chat" is that path alone, as it is sent, the query apart. In "/rooms/:room/users/:user" each
 * parameter stands for one name between slashes; HANDSHAKE and ACCEPT tell it percent-decoded. A path
 * that ends in a slash and "*" is a prefix: it takes all below it, and the rest is told as it is sent, as
 * the parameter "*". An exact path goes before one with parameters, that before a prefix, and a longer
 * prefix before a shorter one.
 *
 * @return OK; CONFIG: not a path that begins with "/", or there already; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_add_endpoint(wsgate_server *server,
                                         const char *path,
                                         size_t length,
                                         uint32_t *endpoint);

/**
 * Serves the files of a directory to GET and HEAD requests that no endpoint takes [none: 404].
 * Files and directories whose names begin with a dot are not served.
 *
 * @return OK; CONFIG: not a directory; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_directory(wsgate_server *server, const char *path, size_t length);

/**
 * Lets the application answer requests that neither an endpoint nor a file takes [0: they get 404]:
 * each raises REQUEST and waits for `wsgate_respond`.
 *
 * @return OK; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_requests(wsgate_server *server, uint32_t on);

/**
 * Sets how long a REQUEST waits for `wsgate_respond`, in milliseconds [30,000; 1 to 3,600,000]. Then it
 * is answered with 503.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_request_timeout(wsgate_server *server, uint64_t milliseconds);

/**
 * Lets the application shape what a refused request is told: refused upgrades, and what is not found.
 * Each raises REQUEST with `WSGATE_EVENT_FLAG_REFUSED` and the status in `code`, and waits so many
 * milliseconds for `wsgate_respond` [0: it is not asked; at most 60,000]; then it gets the server's own
 * text. No more than 64 wait at a time: the others are not asked about.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_error_pages(wsgate_server *server, uint64_t milliseconds);

/**
 * Sets how long the body of a request may be, in bytes [128 KiB; 0 to 1 GiB]. A longer one gets 413.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_max_body_size(wsgate_server *server, uint64_t bytes);

/**
 * Sets how many connections there may be at once, clients among them [1,000; 0 to 2^24; 0: no limit]. One
 * more is told 503 and closed.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_max_connections(wsgate_server *server, uint64_t count);

/**
 * Sets how many connections there may be at once from one address, or from one network of 56 bits in IPv6
 * [10; 0 to 2^24; 0: no limit]. Loopback and Unix sockets are exempt. One more is told 503 and closed.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_max_connections_per_address(wsgate_server *server, uint64_t count);

/**
 * Sets how many handshakes and requests may wait for the application at once [1,000; 1 to 2^20]. One more is
 * answered with 503.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_max_requests(wsgate_server *server, uint64_t count);

/**
 * Sets how long the head of a request may be, in bytes [32 KiB; 256 to 1 MiB]. A longer one gets 431.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_max_header_size(wsgate_server *server, uint64_t bytes);

/**
 * Sets how long the head of a request may take, in milliseconds [15,000; 1 to 3,600,000]. Then it gets 408.
 * The first one is counted from the connection's start, and one that was not begun is closed without a word.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_header_timeout(wsgate_server *server, uint64_t milliseconds);

/**
 * Sets how long the body of a request may take, in milliseconds [30,000; 1 to 3,600,000]. Then it gets 408.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_body_timeout(wsgate_server *server, uint64_t milliseconds);

/**
 * Sets how long a connection may ask nothing between two requests, in milliseconds [60,000; 1 to 3,600,000].
 * Then it is closed. It does not concern clients.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_idle_timeout(wsgate_server *server, uint64_t milliseconds);

/**
 * Sets how long a peer may take nothing of a response, in milliseconds [30,000; 1 to 3,600,000]. Then it is
 * cut. It does not concern clients.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_write_timeout(wsgate_server *server, uint64_t milliseconds);

/**
 * Sets how long files may be cached without asking again, in seconds [0: that is left to the peer; at most
 * 31,536,000].
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_cache_time(wsgate_server *server, uint64_t seconds);

/**
 * Sets the permissions of the files of Unix sockets [0660 in octal; 0 to 0777].
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_unix_mode(wsgate_server *server, uint32_t mode);

/**
 * Sets which methods requests may have: a list separated by commas ["GET, HEAD, POST, PUT, PATCH, DELETE,
 * OPTIONS"]. Others get 405. Endpoints take GET alone.
 *
 * @return OK; CONFIG: not a list of methods; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_methods(wsgate_server *server, const char *methods, size_t length);

/**
 * Sets how many bytes of events may wait to be taken [16 MiB; 64 KiB to 64 GiB]. Beyond it the
 * sockets are not read, and TCP holds the peers back; nothing is lost. For pull delivery.
 *
 * @return OK; CONFIG: out of bounds; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_queue_limit(wsgate_server *server, uint64_t bytes);

/**
 * Serves the files of a directory below a path of its own: with the prefix "/assets", its file app.js is
 * "/assets/app.js". May be called several times; the longest prefix goes first.
 *
 * @return OK; CONFIG: not a directory, not a path that begins with "/", or there already; INVALID after
 * the start
 * @threads any
 */
wsgate_status wsgate_server_add_directory(wsgate_server *server,
                                          const char *prefix,
                                          size_t prefix_length,
                                          const char *path,
                                          size_t path_length);

/**
 * Sets how hard messages are compressed by permessage-deflate (RFC 7692) [0: it is off; 1, fast, to 9,
 * small]. It is agreed upon with the clients that offer it; for the others nothing changes. A client's
 * messages count against the size limits as they inflate, too.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_compression(wsgate_server *server, uint32_t endpoint, uint32_t level);

/**
 * Sets whether messages may refer to earlier ones, ours and the client's [0: each stands for itself]. It
 * makes similar messages much smaller, and costs each client a context of its own for each direction, from
 * its first compressed message on; without it a compressed client costs no more than another. Sets the
 * windows too: to 12 bits for a direction with takeover, to 15 else.
 *
 * @return OK; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_compression_takeover(wsgate_server *server,
                                                       uint32_t endpoint,
                                                       uint32_t ours,
                                                       uint32_t theirs);

/**
 * Sets the windows that we and the client compress with, as bits: 9 to 15, for 512 bytes to 32 KiB. Call it
 * after `wsgate_endpoint_set_compression_takeover`, which sets them too. With takeover, a window of ours costs
 * a client four times its size, one of its own once. A client may ask for less; one that does not let the
 * server choose (`client_max_window_bits`) is inflated with 15 bits.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_compression_window(wsgate_server *server,
                                                     uint32_t endpoint,
                                                     uint32_t ours,
                                                     uint32_t theirs);

/**
 * Sets how much memory a context of ours that is taken over has besides its window [5; 1 to 9]: `1 << (level +
 * 9)` bytes.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_compression_memory(wsgate_server *server,
                                                     uint32_t endpoint,
                                                     uint32_t level);

/**
 * Sets which messages are compressed: those of at least `threshold` bytes [861; 0 to 1 GiB], text [1] and
 * binary [1]. One that would not get smaller is sent as it is.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_compression_of(wsgate_server *server,
                                                 uint32_t endpoint,
                                                 uint64_t threshold,
                                                 uint32_t text,
                                                 uint32_t binary);

/**
 * Sets how many times its compressed size a client's message may inflate to, where that is more than 64 KiB
 * [0: the size limits alone bound it; up to 1,048,576]. Beyond it the client is closed with 1009.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_compression_ratio(wsgate_server *server, uint32_t endpoint, uint64_t ratio);

/**
 * Sets what becomes of a broadcast for a client whose outbox has no room for it: a
 * `wsgate_slow_consumer` [CLOSE]. Sends to one client answer FULL instead.
 *
 * @return OK; INVALID: no such policy, no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_slow_consumer(wsgate_server *server, uint32_t endpoint, uint32_t policy);

/**
 * Sets from which size on an outgoing message is sent in several frames, and how large they are: bytes
 * of payload [32 KiB; 128 to 1 GiB; 0: always one frame]. Pings and pongs pass between them.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_frame_split(wsgate_server *server, uint32_t endpoint, uint64_t bytes);

/**
 * Refuses binary messages (`only` is not 0) [0]: such a client is closed with 1003.
 *
 * @return OK; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_text_only(wsgate_server *server, uint32_t endpoint, uint32_t only);

/**
 * Sets how much of one client's messages the application may have in hand: bytes [1 MiB; 1 to 1 GiB]
 * and messages [64; 1 to 2^31]. A client that has filled either is not read, so that TCP holds it back,
 * until some were dealt with; the others are read on. What has been dealt with: see
 * `wsgate_endpoint_set_explicit_grants`.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_receive_window(wsgate_server *server,
                                                 uint32_t endpoint,
                                                 uint64_t bytes,
                                                 uint64_t messages);

/**
 * Sets how the receive window learns what was dealt with. 0 [the default]: all that a batch holds, when
 * the application takes again; with callbacks, a message when its callback returns. Not 0: what
 * `wsgate_client_grant` says, so that a handler may keep a message for longer than that.
 *
 * @return OK; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_explicit_grants(wsgate_server *server,
                                                  uint32_t endpoint,
                                                  uint32_t explicit_grants);

/**
 * Sets after how many milliseconds without anything read from a client it is pinged [10,000; 50 to
 * 86,400,000; 0: never], and how many of these pings may stay unanswered [3; 1 to 1,000]: with more, the
 * client is closed with 1008 "Exceeded unanswered PING limit". The pings raise no PONG. A client that is
 * not read, because it is paused or for another's sake, is not pinged.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_heartbeat(wsgate_server *server,
                                            uint32_t endpoint,
                                            uint64_t period_ms,
                                            uint64_t unanswered);

/**
 * Sets how much a client may send in a second: bytes on the wire [1 MiB; 1 to 2^40; 0: any number] and
 * frames [100; 1 to 2^31; 0: any number]. What happens then: see `wsgate_endpoint_set_rate_policy`.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_rate_limit(wsgate_server *server,
                                             uint32_t endpoint,
                                             uint64_t bytes,
                                             uint64_t frames);

/**
 * Sets what becomes of a client over its rate limit: a `wsgate_rate_policy` [PAUSE].
 *
 * @return OK; INVALID: no such policy, no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_rate_policy(wsgate_server *server, uint32_t endpoint, uint32_t policy);

/**
 * Allows an `Origin`: `https://example.org`. With `*.` in front of the host it allows all hosts below
 * that, but not the host itself; such a pattern may do without the scheme, `*.example.org`. While an
 * endpoint has none, every origin is allowed; once it has one, others and requests without an Origin are
 * refused with 403 "Origin forbidden".
 *
 * @return OK; CONFIG: not an origin; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_add_origin(wsgate_server *server,
                                         uint32_t endpoint,
                                         const char *origin,
                                         size_t length);

/**
 * Allows an `Origin` whose host and port are those of the request's `Host` [0: only those that were
 * added, if any]. The other origins that were added are allowed, too.
 *
 * @return OK; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_same_host(wsgate_server *server, uint32_t endpoint, uint32_t on);

/**
 * Adds a subprotocol that the endpoint speaks (RFC 6455 section 1.9). Of those that a client offers, the
 * one that was added first is agreed upon; without any of them the client is accepted without one.
 *
 * @return OK; CONFIG: not a token; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_add_subprotocol(wsgate_server *server,
                                              uint32_t endpoint,
                                              const char *name,
                                              size_t length);

/**
 * Lets the application decide on the endpoint's handshakes [0: all that pass the checks are accepted]:
 * each raises HANDSHAKE and waits for `wsgate_accept` or `wsgate_reject`.
 *
 * @return OK; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_acceptor(wsgate_server *server, uint32_t endpoint, uint32_t on);

/**
 * Sets how long a HANDSHAKE waits for its decision, in milliseconds [10,000; 1 to 3,600,000]. Then it is
 * answered with 503, and HANDSHAKE_GONE is raised.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_handshake_timeout(wsgate_server *server,
                                                    uint32_t endpoint,
                                                    uint64_t milliseconds);

/**
 * Lets the endpoint's clients join a gateway by themselves, before their ACCEPT is raised.
 *
 * @return OK; CLOSED: no such gateway; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_gateway(wsgate_server *server, uint32_t endpoint, uint64_t gateway);

/**
 * Sets how long a client's message may be, in bytes [10 MiB; 1 to 1 GiB]. A longer one closes with
 * 1009.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_max_message_size(wsgate_server *server, uint32_t endpoint, uint64_t bytes);

/**
 * Sets how long a client's frame may be, in bytes [1 MiB; 1 to 1 GiB]. A longer one closes with 1009.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_max_frame_size(wsgate_server *server, uint32_t endpoint, uint64_t bytes);

/**
 * Sets how many fragments a client's message may have [65,536; 1 to 2^32]. One more closes with 1009.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_max_fragments(wsgate_server *server, uint32_t endpoint, uint64_t count);

/**
 * Sets how long the closing handshake may take, in milliseconds [3,000; 1 to 3,600,000]. A peer that
 * has not answered a Close frame by then is cut.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_close_period(wsgate_server *server,
                                               uint32_t endpoint,
                                               uint64_t milliseconds);

/**
 * Sets how much may wait for one client: bytes on the wire [1 MiB; 1 to 1 GiB] and messages [10,000;
 * 1 to 100,000]. Over it a send is refused with FULL; for broadcasts see
 * `wsgate_endpoint_set_slow_consumer`. A message that finds nothing waiting always fits.
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_outbox_limit(wsgate_server *server,
                                               uint32_t endpoint,
                                               uint64_t bytes,
                                               uint64_t messages);

/**
 * Sets how much memory may hold what waits in the outboxes of all servers of the process [512 MiB; 1 MiB
 * to 2^50 bytes], from now on. Over it, the clients with the largest queues lose them and are closed with
 * 1013 "Too slow". What many clients wait for is counted once.
 *
 * @return OK; CONFIG: out of bounds
 * @threads any
 */
wsgate_status wsgate_set_outbox_budget(uint64_t bytes);

/**
 * Sets how much memory may hold the unfinished messages of all clients of the process [512 MiB; 1 MiB to 2^50
 * bytes], from now on: what came of a message whose end has not, as it came, compressed or not. Over it, clients
 * with the longest are closed with 1013 "Server overloaded". It should be more than the longest message, twice that
 * if it comes in fragments.
 *
 * @return OK; CONFIG: out of bounds
 * @threads any
 */
wsgate_status wsgate_set_inbox_budget(uint64_t bytes);

/** @} */

/**
 * @defgroup events Events
 *
 * What happens is told by events, in one of two ways, chosen by whether any callback is set before the start.
 *
 * *Push*: callbacks (`wsgate_server_on_message` and its kin) run on the library's threads, at once. They are called one at a
 * time for one client, in order, and in parallel for clients of different workers. What they are given is borrowed until they
 * return. They may call everything but `wsgate_server_free` and `wsgate_server_take`, which are REENTRANT there.
 *
 * *Pull*: events wait until `wsgate_server_take` fetches a batch of them, on a thread and at a time of the program's choice;
 * `wsgate_server_fd` tells a `poll` when. A batch's events and data are valid until it is taken into again, or freed.
 * While too much waits ([16 MiB], `wsgate_server_set_queue_limit`) the sockets are not read; nothing is lost.
 *
 * The order for one client: HANDSHAKE where its endpoint asks for it, ACCEPT, any number of MESSAGE (or of BEGIN, CHUNK and END),
 * PONG and DRAIN, then one CLOSE. A server's last event is STOPPED.
 *
 * @{
 */

/**
 * What an event tells.
 */
typedef enum {
  /**
   * A handshake waits for `wsgate_accept` or `wsgate_reject`; `client` is the id of both. `data` is the
   * request, as for ACCEPT, with the subprotocols that are offered, separated by ", ". Ends by the
   * decision or by HANDSHAKE_GONE.
   */
  WSGATE_EVENT_KIND_HANDSHAKE = 1,
  /**
   * The handshake `client` needs no decision any more, and its id is stale. `code`: 0 when the peer has
   * left, else the status that it was told, 503 when the time was over or the server stops.
   */
  WSGATE_EVENT_KIND_HANDSHAKE_GONE = 2,
  /**
   * A connection became a client. `data`, native-endian: u32 header_count, u32 method_length,
   * u32 target_length, u32 peer_length, u32 local_length, u32 subprotocol_length, u32 parameter_count,
   * u32 body_length; header_count and then parameter_count times { u32 name_length, u32 value_length };
   * then the bytes, without separators: method, target, peer ("127.0.0.1:5000"), local, subprotocol,
   * each header's name and value, each path parameter's name and value, body (of a REQUEST alone).
   */
  WSGATE_EVENT_KIND_ACCEPT = 3,
  /**
   * A whole message; `data` is its payload. Text unless `WSGATE_EVENT_FLAG_BINARY` is set; text is
   * valid UTF-8.
   */
  WSGATE_EVENT_KIND_MESSAGE = 4,
  /**
   * A message begins that comes in chunks: see `wsgate_endpoint_set_streaming`. `value` is its number; each
   * client's count from 1. Text unless `WSGATE_EVENT_FLAG_BINARY` is set.
   */
  WSGATE_EVENT_KIND_BEGIN = 5,
  /**
   * What comes next of it: `data`, 1 byte to 64 KiB. `value` and `flags` as of its BEGIN. Text may be cut
   * within a character; what has come so far may be UTF-8.
   */
  WSGATE_EVENT_KIND_CHUNK = 6,
  /**
   * It has come whole, and text was UTF-8; or `WSGATE_EVENT_FLAG_DISCARDED` is set. `value` and `flags` as of
   * its BEGIN. When the client ends first, its CLOSE comes and no END.
   */
  WSGATE_EVENT_KIND_END = 7,
  /**
   * The answer to a ping: `value` is the ping's ticket, `data` a u64, the round trip in nanoseconds.
   */
  WSGATE_EVENT_KIND_PONG = 8,
  /**
   * The outbox that answered FULL has room again: half of its limit.
   */
  WSGATE_EVENT_KIND_DRAIN = 9,
  /**
   * What became of a broadcast or multicast that asked: `value` is its ticket, `data` a
   * `wsgate_outcome` and then the ids of the clients that failed, a u64 each. Comes once for each call
   * that asked, and before STOPPED. `WSGATE_EVENT_FLAG_TRUNCATED`: not all of these ids are there; those
   * that wait to be told are 1,048,576 at most, for all calls together. The counts are always right.
   */
  WSGATE_EVENT_KIND_OUTCOME = 10,
  /**
   * The client is gone, and its id stale. `code` is the close code (RFC 6455 section 7.4; 1005: the
   * peer gave none; 1006: the connection was lost), `value` a `wsgate_close_cause`;
   * `WSGATE_EVENT_FLAG_CLEAN`: both Close frames were exchanged. `data` is a `wsgate_client_counters`,
   * whose first word is its size, and then the reason, UTF-8, to the end. Comes once for each ACCEPT.
   */
  WSGATE_EVENT_KIND_CLOSE = 11,
  /**
   * A plain request waits for `wsgate_respond`; `client` is its id. `data` is the request, as for ACCEPT.
   * With `WSGATE_EVENT_FLAG_REFUSED` the server refuses it with the status in `code`, and that response
   * may be shaped. Ends by the response; when the peer leaves, or the time is over, that gets CLOSED.
   */
  WSGATE_EVENT_KIND_REQUEST = 12,
  /**
   * A log line: `code` is a `wsgate_log_level`, `data` the text, "target: message".
   */
  WSGATE_EVENT_KIND_LOG = 13,
  /**
   * The server has stopped: its last event, after every CLOSE.
   */
  WSGATE_EVENT_KIND_STOPPED = 14,
} wsgate_event_kind;

/**
 * Bits of an event's `flags`.
 */
typedef enum {
  /**
   * MESSAGE, BEGIN, CHUNK, END: it is binary.
   */
  WSGATE_EVENT_FLAG_BINARY = 1,
  /**
   * CLOSE: both Close frames were exchanged.
   */
  WSGATE_EVENT_FLAG_CLEAN = 2,
  /**
   * ACCEPT: permessage-deflate was agreed upon.
   */
  WSGATE_EVENT_FLAG_COMPRESSED = 4,
  /**
   * END: the application has discarded the message before that, so that CHUNKs may be missing.
   */
  WSGATE_EVENT_FLAG_DISCARDED = 16,
  /**
   * REQUEST: the server refuses it.
   */
  WSGATE_EVENT_FLAG_REFUSED = 256,
  /**
   * OUTCOME: more clients failed than there are ids.
   */
  WSGATE_EVENT_FLAG_TRUNCATED = 16777216,
} wsgate_event_flag;

/**
 * One event. In a batch, step by the batch's `event_size`: events may grow at their end.
 */
typedef struct {
  /**
   * A `wsgate_event_kind`. Ignore what you don't know.
   */
  uint32_t kind;
  /**
   * `wsgate_event_flag` bits.
   */
  uint32_t flags;
  /**
   * The client's id, or that of the handshake or request; 0 for events of the server.
   */
  uint64_t client;
  /**
   * What `wsgate_client_set_user_data` gave this client; 0 else.
   */
  uint64_t user_data;
  /**
   * The payload; see the kind. Borrowed: in a callback until it returns, in a batch until the batch
   * is taken into again.
   */
  const void *data;
  /**
   * The payload's length in bytes.
   */
  uint64_t length;
  /**
   * A close code, log level or HTTP status; see the kind.
   */
  uint32_t code;
  /**
   * The number of the client's endpoint.
   */
  uint32_t endpoint;
  /**
   * A ticket or cause; see the kind.
   */
  uint64_t value;
  /**
   * Wall clock, nanoseconds since 1970.
   */
  uint64_t time_ns;
} wsgate_event;

/**
 * Events that were taken, and one block with all their payloads.
 */
typedef struct {
  /**
   * `count` events, `event_size` bytes apart.
   */
  const wsgate_event *events;
  /**
   * How far one event lies from the next.
   */
  uint64_t event_size;
  /**
   * How many there are.
   */
  uint64_t count;
  /**
   * The block that every event's `data` points into: in the order of the events, without gaps.
   */
  const void *payload;
  /**
   * Its length in bytes.
   */
  uint64_t payload_length;
  /**
   * How many events still waited in the server.
   */
  uint64_t pending;
} wsgate_batch;

/**
 * Takes one event. `event` and its data are borrowed until it returns. Called on the library's own
 * threads: one at a time and in order for one client, in parallel for clients of different workers.
 * It may send, close and broadcast; it must not block, and not leave by `longjmp` or an exception.
 */
typedef void (*wsgate_event_fn)(wsgate_server *server, const wsgate_event *event, void *user_data);

/**
 * Frees a callback's user data: called once, after the last callback that was given it.
 */
typedef void (*wsgate_free_fn)(void *user_data);

/**
 * Sets the callback for ACCEPT. Any callback makes the server a push server.
 *
 * On success the server owns `user_data` and calls `free_user_data` with it (unless NULL) once, after
 * the last callback: when the server is freed, or another callback takes its place. On failure it
 * stays the caller's.
 *
 * @return OK; INVALID: `fn` is NULL, or after the start
 * @threads any; the callback runs on the library's
 */
wsgate_status wsgate_server_on_accept(wsgate_server *server,
                                      wsgate_event_fn fn,
                                      void *user_data,
                                      wsgate_free_fn free_user_data);

/**
 * Sets the callback for MESSAGE, and for BEGIN, CHUNK and END of those that come in chunks; see `wsgate_server_on_accept`.
 *
 * @return OK; INVALID: `fn` is NULL, or after the start
 * @threads any; the callback runs on the library's
 */
wsgate_status wsgate_server_on_message(wsgate_server *server,
                                       wsgate_event_fn fn,
                                       void *user_data,
                                       wsgate_free_fn free_user_data);

/**
 * Sets the callback for CLOSE; see `wsgate_server_on_accept`.
 *
 * @return OK; INVALID: `fn` is NULL, or after the start
 * @threads any; the callback runs on the library's
 */
wsgate_status wsgate_server_on_close(wsgate_server *server,
                                     wsgate_event_fn fn,
                                     void *user_data,
                                     wsgate_free_fn free_user_data);

/**
 * Sets the callback for all events that have none of their own (PONG, DRAIN, STOPPED, and kinds that
 * later versions add); see `wsgate_server_on_accept`.
 *
 * @return OK; INVALID: `fn` is NULL, or after the start
 * @threads any; the callback runs on the library's
 */
wsgate_status wsgate_server_on_event(wsgate_server *server,
                                     wsgate_event_fn fn,
                                     void *user_data,
                                     wsgate_free_fn free_user_data);

/**
 * Makes an empty batch, for `wsgate_server_take`. It keeps its memory from one take to the next.
 *
 * @return the batch, for `wsgate_batch_free`
 * @threads any; a batch belongs to one thread at a time
 */
wsgate_batch *wsgate_batch_new(void);

/**
 * Takes the events that wait into `batch`, whose earlier content is overwritten, and whose fields then
 * describe them. Waits for the first event up to `timeout_ms` milliseconds: 0 does not wait, a negative
 * number waits for ever. Returns early, with 0, when a signal comes, so that the host's handlers run.
 * At most `max` events are taken; 0 sets no bound. Not all that waits need come at once: the batch's
 * `pending` tells how many are left.
 *
 * With one worker (`wsgate_server_set_workers`), a call that waits runs that worker on the caller's own
 * thread, which saves two thread switches a batch; while the caller does something else, the worker's
 * thread stands in for it. With several workers, or several takers, the workers' threads do all.
 *
 * Taking again tells the engine that the events before have been dealt with, by whichever thread took
 * them: the end of a client that closed behind a question waits for that, so that the answer goes out
 * first, until the close period is over.
 *
 * @return how many events, or a negative status: CLOSED once STOPPED was taken; INVALID before the
 * start, or for a server with callbacks; BUSY: another thread takes into this batch; REENTRANT inside
 * a callback
 * @threads any; events come in order to one taker at a time
 */
int32_t wsgate_server_take(wsgate_server *server, wsgate_batch *batch, uint64_t max, int32_t timeout_ms);

/**
 * A descriptor that is readable exactly while events wait: for `poll`, `epoll` (level-triggered), or an
 * event loop. Take with a timeout of 0 when it is. It stays the library's: never read or close it.
 *
 * @return the descriptor, or a negative status: INVALID before the start, or for a server with
 * callbacks
 * @threads any
 */
int32_t wsgate_server_fd(wsgate_server *server);

/**
 * Frees a batch, and with it its events' data. NULL is fine.
 *
 * @threads any, while nobody takes into it
 */
void wsgate_batch_free(wsgate_batch *batch);

/** @} */

/**
 * @defgroup handshakes Handshakes and requests
 *
 * An endpoint without `wsgate_endpoint_set_acceptor` accepts by itself who fulfils its settings. With it, each handshake is
 * an event, and the program decides, at once or later.
 *
 * @{
 */

/**
 * Bits of `wsgate_accept`'s `flags`.
 */
typedef enum {
  /**
   * This client's messages come in chunks, whatever its endpoint says: `wsgate_endpoint_set_streaming`.
   */
  WSGATE_ACCEPT_FLAG_STREAMING = 16,
} wsgate_accept_flag;

/**
 * Reads a header of a HANDSHAKE or REQUEST that still waits, whatever the name's case. Several lines are
 * joined by ", ", those of Cookie by "; ". At most `size` bytes are written to `value`, without a NUL;
 * the whole length goes to `length`, UINT64_MAX when there is no such header.
 *
 * @return OK; CLOSED: it is decided or answered already, or gone; INVALID: no header could have this
 * name
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_handshake_header(wsgate_server *server,
                                      uint64_t handshake,
                                      const char *name,
                                      size_t name_length,
                                      char *value,
                                      size_t size,
                                      uint64_t *length);

/**
 * Accepts a handshake of an endpoint with `wsgate_endpoint_set_acceptor`: the HANDSHAKE's id is the
 * client's from now on. What is sent to it reaches it first, also when that is sent before its ACCEPT;
 * it can join gateways. After OK there come one ACCEPT and one CLOSE, always.
 *
 * @param subprotocol one of those the client offers; with a length of 0, none; NULL: the one that the
 * endpoint's list (`wsgate_endpoint_add_subprotocol`) makes of the offer
 * @param headers for the response: a name, a NUL, its value, a NUL, and so on; in C the literal
 * `"Set-Cookie\0a=1"` with its `sizeof`. None of those that the handshake itself sets, and no control
 * characters
 * @param flags `wsgate_accept_flag` bits
 * @param user_data a word that comes with each of the client's events, as by
 * `wsgate_client_set_user_data`
 * @return OK; CLOSED: it is decided already, or gone; INVALID: a header or the subprotocol is bad, and
 * the handshake still waits
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_accept(wsgate_server *server,
                            uint64_t handshake,
                            const char *subprotocol,
                            size_t subprotocol_length,
                            const char *headers,
                            size_t headers_length,
                            uint32_t flags,
                            uint64_t user_data);

/**
 * Rejects a handshake: the peer gets this response, and the id is stale.
 *
 * @param status 300 to 599
 * @param headers as in `wsgate_accept`; not those that frame the message, as Content-Length. Upgrade with
 * the status 426 alone, which has `Upgrade: websocket` without one
 * @return OK; CLOSED: it is decided already, or gone; INVALID: the status or a header is bad, and the
 * handshake still waits
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_reject(wsgate_server *server,
                            uint64_t handshake,
                            uint32_t status,
                            const char *headers,
                            size_t headers_length,
                            const void *body,
                            size_t body_length);

/**
 * Answers a REQUEST: the peer gets this response. A HEAD request is answered as a GET would be, and the
 * body left out. A text that is long enough to gain by it is compressed for a peer that takes gzip, unless
 * the headers have a Content-Encoding. No event tells that the peer has left meanwhile; the answer says so.
 *
 * @param status 200 to 599
 * @param headers as in `wsgate_reject`
 * @return OK; CLOSED: it is answered already, timed out, or the peer has left; INVALID: the status or a
 * header is bad, or 204 or 304 has a body, and the request still waits
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_respond(wsgate_server *server,
                             uint64_t request,
                             uint32_t status,
                             const char *headers,
                             size_t headers_length,
                             const void *body,
                             size_t body_length);

/** @} */

/**
 * @defgroup clients Clients
 *
 * A client is a connection that was accepted. What is sent is copied before the call returns, and waits in the client's outbox
 * until its socket takes it: OK means queued. All that one thread sends, by whatever function, reaches a client in the order
 * of the calls.
 *
 * @{
 */

/**
 * Why a client was closed.
 */
typedef enum {
  /**
   * The peer closed first.
   */
  WSGATE_CLOSE_CAUSE_PEER = 1,
  /**
   * The application closed.
   */
  WSGATE_CLOSE_CAUSE_APPLICATION = 2,
  /**
   * The peer broke the protocol (1002, 1007).
   */
  WSGATE_CLOSE_CAUSE_PROTOCOL = 3,
  /**
   * The peer went over a limit, or sent what the endpoint does not take (1003, 1008, 1009).
   */
  WSGATE_CLOSE_CAUSE_LIMIT = 4,
  /**
   * Too many pings stayed unanswered (1008).
   */
  WSGATE_CLOSE_CAUSE_HEARTBEAT = 5,
  /**
   * The peer took broadcasts too slowly, or its queue was the largest when all together were over their
   * budget (1013).
   */
  WSGATE_CLOSE_CAUSE_SLOW = 6,
  /**
   * The server stopped (1001).
   */
  WSGATE_CLOSE_CAUSE_SHUTDOWN = 7,
  /**
   * The connection ended without a Close frame (1006).
   */
  WSGATE_CLOSE_CAUSE_LOST = 8,
} wsgate_close_cause;

/**
 * Bits of the `flags` of what is sent; without any of them, it is text, and compressed by its endpoint's
 * settings (`wsgate_endpoint_set_compression_of`). A client that did not agree upon compression is sent
 * everything as it is, without a word, and so is one that a message would not get smaller for.
 */
typedef enum {
  /**
   * A binary message.
   */
  WSGATE_SEND_FLAG_BINARY = 1,
  /**
   * It is not compressed: it is already, or has a secret beside what a stranger can choose.
   */
  WSGATE_SEND_FLAG_COMPRESS_NEVER = 256,
  /**
   * It is compressed, whatever its length and kind.
   */
  WSGATE_SEND_FLAG_COMPRESS_ALWAYS = 512,
} wsgate_send_flag;

/**
 * A client's counters and timestamps. Times are wall clock, nanoseconds since 1970; 0 means never.
 *
 * It is part of the C ABI (`wsgate_client_counters`): fields are only ever added at the end, and `size`
 * tells how many there are.
 */
typedef struct {
  /**
   * How many bytes of this struct the library filled.
   */
  uint64_t size;
  /**
   * Bytes read from the socket.
   */
  uint64_t bytes_in;
  /**
   * Bytes written to the socket.
   */
  uint64_t bytes_out;
  /**
   * Frames of every kind that the client began.
   */
  uint64_t frames_in;
  /**
   * Frames of every kind that were queued for it.
   */
  uint64_t frames_out;
  /**
   * Whole messages from the client.
   */
  uint64_t messages_in;
  /**
   * Messages that were queued for it.
   */
  uint64_t messages_out;
  /**
   * Pings from the client.
   */
  uint64_t pings_in;
  /**
   * Pings to the client.
   */
  uint64_t pings_out;
  /**
   * Pongs from the client, asked for or not.
   */
  uint64_t pongs_in;
  /**
   * Pongs to the client.
   */
  uint64_t pongs_out;
  /**
   * Pings that it has not answered; a pong answers all up to the one it carries.
   */
  uint64_t unanswered_pings;
  /**
   * Bytes that wait in its outbox.
   */
  uint64_t queued_bytes;
  /**
   * Messages for it that were dropped.
   */
  uint64_t dropped;
  /**
   * When it was accepted.
   */
  uint64_t connected_ns;
  /**
   * When its CLOSE event was raised.
   */
  uint64_t closed_ns;
  /**
   * When bytes were last read.
   */
  uint64_t last_read_ns;
  /**
   * When bytes were last written.
   */
  uint64_t last_send_ns;
  /**
   * When a message last arrived.
   */
  uint64_t last_data_read_ns;
  /**
   * When a message was last queued.
   */
  uint64_t last_data_send_ns;
  /**
   * When the last ping was sent.
   */
  uint64_t last_heartbeat_ns;
  /**
   * How long the latest answered ping took, in nanoseconds.
   */
  uint64_t round_trip_ns;
} wsgate_client_counters;

/**
 * Sends a text message. The data are copied. OK means queued; all that one thread sends reaches a
 * client in the order of its calls.
 *
 * @return OK; CLOSED: the client is gone or closing; FULL: its outbox is, and DRAIN will come;
 * INVALID: not UTF-8; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_send_text(wsgate_server *server,
                                      uint64_t client,
                                      const void *data,
                                      size_t length);

/**
 * Sends a binary message; see `wsgate_client_send_text`.
 *
 * @return OK; CLOSED: the client is gone or closing; FULL: its outbox is, and DRAIN will come;
 * CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_send_binary(wsgate_server *server,
                                        uint64_t client,
                                        const void *data,
                                        size_t length);

/**
 * Sends a message; see `wsgate_client_send_text`.
 *
 * @param flags `wsgate_send_flag` bits
 * @return OK; CLOSED: the client is gone or closing; FULL: its outbox is, and DRAIN will come;
 * INVALID: not UTF-8, or flags that are none; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_send(wsgate_server *server,
                                 uint64_t client,
                                 uint32_t flags,
                                 const void *data,
                                 size_t length);

/**
 * Pings a client. Its answer raises PONG with `ticket`. A ping is exempt from the outbox limit; it is
 * dropped while 64 KiB more than that wait.
 *
 * @return OK; CLOSED: the client is gone or closing; FULL: 64 MiB of commands wait for its worker, which is
 * busy
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_ping(wsgate_server *server, uint64_t client, uint64_t ticket);

/**
 * Closes a client (RFC 6455 section 7.1.2): what was sent before goes out first, then a Close frame;
 * CLOSE is raised when the peer has answered it, or when the close period is over. Its messages are
 * not delivered any more, and nothing more can be sent to it.
 *
 * @param code 1000 to 1003, 1007 to 1014, or 3000 to 4999
 * @param reason UTF-8, at most 123 bytes
 * @return OK; CLOSED: the client is gone or closing already; INVALID: a bad code or reason
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_close(wsgate_server *server,
                                  uint64_t client,
                                  uint32_t code,
                                  const char *reason,
                                  size_t length);

/**
 * Gives a client a word of the application's, which comes as `user_data` with each of its events that
 * is raised from now on.
 *
 * @return OK; CLOSED: the client is gone
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_set_user_data(wsgate_server *server, uint64_t client, uint64_t user_data);

/**
 * Tells that the application has dealt with so many bytes and messages of what a client said; see
 * `wsgate_endpoint_set_explicit_grants`. More than it was given is no credit for later.
 *
 * @return OK; CLOSED: the client is gone; INVALID: its endpoint takes no grants
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_grant(wsgate_server *server, uint64_t client, uint64_t bytes, uint64_t messages);

/**
 * Stops the reading of a client until `wsgate_client_resume`: TCP holds it back. Messages of its that wait
 * to be taken still come; with callbacks, called from the client's own, this is its last. A client that is
 * not read is not pinged by the heartbeat, and its end may not be noticed.
 *
 * @return OK, also when it is paused already; CLOSED: the client is gone
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_pause(wsgate_server *server, uint64_t client);

/**
 * Reads a paused client again.
 *
 * @return OK, also when it is not paused; CLOSED: the client is gone
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_resume(wsgate_server *server, uint64_t client);

/**
 * Fills `out` with a client's counters and timestamps as they are now: at most `size` bytes, and their
 * number in its first word. `closed_ns` is 0; when the client has closed, CLOSE brings its last figures.
 *
 * @param size `sizeof(wsgate_client_counters)`
 * @return OK; CLOSED: the client is gone; INVALID: `out` is NULL, or `size` under 8
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_info(wsgate_server *server,
                                 uint64_t client,
                                 wsgate_client_counters *out,
                                 size_t size);

/** @} */

/**
 * @defgroup streaming Messages in parts
 *
 * A long message need not lie in memory, on either way.
 *
 * *Received*, with `wsgate_endpoint_set_streaming` or a flag of `wsgate_accept`: BEGIN, any number of CHUNK, END. Chunks are told as
 * they arrive, at most 64 KiB each, whatever the frames are; text is checked on the way (1007 at the first byte that can't be right),
 * and so are the limits (1009). What the application has in hand of a message counts chunk by chunk against the receive window's bytes,
 * and at its END as one of its messages; so a client is read no faster than the application deals with what it says. With
 * `wsgate_endpoint_set_explicit_grants`, grant the bytes of a chunk when it is dealt with: a message may be longer than the window. A
 * message that has come whole and has at most 64 KiB is a MESSAGE: begun and ended at once.
 *
 * *Sent*: `wsgate_client_begin_text` or `wsgate_client_begin_binary`, any number of `wsgate_client_chunk`, `wsgate_client_end`. One
 * message to a client is open at a time. What else is sent to it meanwhile, by whomever, comes after it, in order; it may fill half of the
 * outbox, and is FULL, or subject to the slow-consumer policy, beyond. A message that is begun must be ended: when the application closes the
 * client instead, gives the message up (`wsgate_client_abort`), or forgets it (`wsgate_endpoint_set_stream_timeout`), the peer is told
 * 1011 "Message abandoned", because it has a part of it.
 *
 * @{
 */

/**
 * Lets the messages of the endpoint's clients come in chunks, as they arrive (`streaming` is not 0) [0]:
 * BEGIN, any number of CHUNK, END, in place of MESSAGE. A message that has come whole by the time it is
 * looked at, and has no more than 64 KiB, comes as a MESSAGE all the same. `wsgate_accept` can choose this
 * for one client.
 *
 * @return OK; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_streaming(wsgate_server *server, uint32_t endpoint, uint32_t streaming);

/**
 * Tells that the application does not want the rest of a message that comes in chunks. No further CHUNK of
 * it is raised (with pull, those that wait to be taken still come), and what arrives of it fills no
 * window; its END comes, with `WSGATE_EVENT_FLAG_DISCARDED`, and the client's next message after it.
 *
 * @param message the `value` of its BEGIN
 * @return OK, also when that message is over; CLOSED: the client is gone
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_discard(wsgate_server *server, uint64_t client, uint64_t message);

/**
 * Begins a text message whose content follows in parts, by `wsgate_client_chunk` and `wsgate_client_end`.
 * Until it has ended, what else is sent to the client waits behind it, in order, and may fill half of the
 * outbox; pings, pongs and Close frames pass.
 *
 * The text as a whole must be UTF-8; a part may end within a character. It is checked on its way out, and
 * text that is not abandons the message: the client is closed with 1011.
 *
 * @return OK; BUSY: a message to it is open already; CLOSED: the client is gone or closing
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_begin_text(wsgate_server *server, uint64_t client);

/**
 * Begins a binary message whose content follows in parts; see `wsgate_client_begin_text`.
 *
 * @return OK; BUSY: a message to it is open already; CLOSED: the client is gone or closing
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_begin_binary(wsgate_server *server, uint64_t client);

/**
 * Begins a message whose content follows in parts; see `wsgate_client_begin_text`. Where it is compressed, each
 * part is, so that the peer has all of it as soon as it gets it.
 *
 * @param flags `wsgate_send_flag` bits
 * @return OK; BUSY: a message to it is open already; CLOSED: the client is gone or closing; INVALID: flags that
 * are none
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_begin(wsgate_server *server,
                                  uint64_t client,
                                  uint32_t flags);

/**
 * Sends the next part of the message that was begun. The data are copied. OK means queued, as one frame or,
 * over the frame split threshold, several; an empty part sends nothing. After FULL and its DRAIN any part
 * fits.
 *
 * @return OK; FULL: the client's outbox is, and DRAIN will come; CLOSED: the client is gone or closing;
 * INVALID: no message to it is open, or, from a callback, the text is not UTF-8; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_chunk(wsgate_server *server, uint64_t client, const void *data, size_t length);

/**
 * Ends the message that was begun, with its last part, which may be empty: then it is never FULL. After OK
 * another may begin; after FULL it is open still.
 *
 * @return OK; FULL: the client's outbox is, and DRAIN will come; CLOSED: the client is gone or closing;
 * INVALID: no message to it is open, or, from a callback, the text is not UTF-8; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_end(wsgate_server *server, uint64_t client, const void *data, size_t length);

/**
 * Gives up the message that was begun. What the peer has of it can't be taken back, so the client is closed,
 * with 1011 "Message abandoned".
 *
 * @return OK; CLOSED: the client is gone or closing; INVALID: no message to it is open
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_client_abort(wsgate_server *server, uint64_t client);

/**
 * Sets how long a message that the application has begun may wait for its next part while nothing of it
 * waits to be written, in milliseconds [60,000; 50 to 86,400,000; 0: for ever], or up to a quarter
 * longer. Then it is abandoned: the client is closed with 1011 "Message abandoned".
 *
 * @return OK; CONFIG: out of bounds; INVALID: no such endpoint, or after the start
 * @threads any
 */
wsgate_status wsgate_endpoint_set_stream_timeout(wsgate_server *server,
                                                 uint32_t endpoint,
                                                 uint64_t milliseconds);

/** @} */

/**
 * @defgroup gateways Gateways
 *
 * A gateway is a set of clients that is broadcast to. A client may be in many; it leaves them by itself when it closes.
 *
 * @{
 */

/**
 * The front of an OUTCOME's data; as many ids of clients that failed as fit into the event's length follow.
 */
typedef struct {
  /**
   * The gateway that was sent to; it may be gone.
   */
  uint64_t gateway;
  /**
   * How many clients the message has left for.
   */
  uint64_t delivered;
  /**
   * How many it has not.
   */
  uint64_t failed;
} wsgate_outcome;

/**
 * Makes a gateway, a set of clients that is broadcast to; before or after the start. Its id goes to
 * `gateway`.
 *
 * @return OK; FULL: there are 16 million
 * @threads any, callbacks too
 */
wsgate_status wsgate_gateway_new(wsgate_server *server, uint64_t *gateway);

/**
 * Adds a client to a gateway; nothing changes if it is in it. It leaves by itself when it closes.
 *
 * @return OK; CLOSED: one of them is gone; FULL: 64 MiB of commands wait for a worker that is busy
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_add(wsgate_server *server, uint64_t gateway, uint64_t client);

/**
 * Removes a client from a gateway; nothing changes if it is not in it.
 *
 * @return OK; CLOSED: one of them is gone; FULL: 64 MiB of commands wait for a worker that is busy
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_remove(wsgate_server *server, uint64_t gateway, uint64_t client);

/**
 * How many clients a gateway has. An add or remove counts once the client's worker has come to it,
 * which is soon after the call.
 *
 * @return the count; CLOSED: the gateway is gone
 * @threads any, callbacks too; never blocks
 */
int32_t wsgate_gateway_count(wsgate_server *server, uint64_t gateway);

/**
 * Lists the clients of a gateway, in no order, as they were at one moment: an add or remove is seen
 * once the client's worker has come to it, which is soon after the call. Any of them may close at any
 * time.
 *
 * @param clients gets at most `capacity` ids; may be NULL when that is 0
 * @return how many there are, which may be more than `capacity`; CLOSED: the gateway is gone
 * @threads any, callbacks too; never blocks
 */
int32_t wsgate_gateway_clients(wsgate_server *server, uint64_t gateway, uint64_t *clients, size_t capacity);

/**
 * Gives a gateway a name, by which `wsgate_gateway_find` finds it; before or after the start. Within a
 * server a name belongs to one gateway, until that is renamed or freed. An empty name takes its name
 * away.
 *
 * @param name UTF-8, at most 255 bytes; copied
 * @return OK; BUSY: another gateway has the name; CLOSED: the gateway is gone; CONFIG: too long;
 * INVALID: not UTF-8
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_set_name(wsgate_server *server,
                                      uint64_t gateway,
                                      const char *name,
                                      size_t length);

/**
 * A gateway's name, without a NUL behind it.
 *
 * @param name gets at most `capacity` bytes; may be NULL when that is 0
 * @return the name's length, 0 when it has none; CLOSED: the gateway is gone; INVALID: `capacity` is less
 * than that (nothing is written)
 * @threads any, callbacks too; never blocks
 */
int32_t wsgate_gateway_name(wsgate_server *server, uint64_t gateway, char *name, size_t capacity);

/**
 * Finds the gateway of this name; its id goes to `gateway`.
 *
 * @return OK; CLOSED: this server has none; INVALID: not UTF-8
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_find(wsgate_server *server, const char *name, size_t length, uint64_t *gateway);

/**
 * Sends a text message to every client of a gateway, but not to the `exclude_count` clients in
 * `exclude`; stale ids there are ignored. Encoded once. All that one thread sends, by whatever call,
 * reaches each client in the order of the calls. A client whose outbox is full is closed with 1013.
 *
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
 * INVALID: not UTF-8; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_broadcast_text(wsgate_server *server,
                                            uint64_t gateway,
                                            const void *data,
                                            size_t length,
                                            const uint64_t *exclude,
                                            size_t exclude_count);

/**
 * Sends a binary message to every client of a gateway; see `wsgate_gateway_broadcast_text`.
 *
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
 * CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_broadcast_binary(wsgate_server *server,
                                              uint64_t gateway,
                                              const void *data,
                                              size_t length,
                                              const uint64_t *exclude,
                                              size_t exclude_count);

/**
 * Sends a text message to those clients of a gateway that are among the `client_count` ids in `clients`.
 * Ids that are stale or not in the gateway are skipped; one that is there twice counts once. Otherwise as
 * `wsgate_gateway_broadcast_text`; only the workers of these clients are troubled.
 *
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
 * INVALID: not UTF-8; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_multicast_text(wsgate_server *server,
                                            uint64_t gateway,
                                            const void *data,
                                            size_t length,
                                            const uint64_t *clients,
                                            size_t client_count);

/**
 * Sends a binary message to chosen clients of a gateway; see `wsgate_gateway_multicast_text`.
 *
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
 * CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_multicast_binary(wsgate_server *server,
                                              uint64_t gateway,
                                              const void *data,
                                              size_t length,
                                              const uint64_t *clients,
                                              size_t client_count);

/**
 * Sends a text message to one client, if it is in the gateway: a multicast to one. Unlike
 * `wsgate_client_send_text` it is skipped when the client is not there, and a client whose outbox is full
 * is treated as in a broadcast.
 *
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
 * INVALID: not UTF-8; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_send_text(wsgate_server *server,
                                       uint64_t gateway,
                                       uint64_t client,
                                       const void *data,
                                       size_t length);

/**
 * Sends a binary message to one client, if it is in the gateway; see `wsgate_gateway_send_text`.
 *
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
 * CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_send_binary(wsgate_server *server,
                                         uint64_t gateway,
                                         uint64_t client,
                                         const void *data,
                                         size_t length);

/**
 * Sends a message to every client of a gateway, but not to the `exclude_count` clients in `exclude`; see
 * `wsgate_gateway_broadcast_text`. What is compressed, is compressed once for all clients who can take the
 * same.
 *
 * @param flags `wsgate_send_flag` bits
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
 * INVALID: not UTF-8, or flags that are none; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_broadcast(wsgate_server *server,
                                       uint64_t gateway,
                                       uint32_t flags,
                                       const void *data,
                                       size_t length,
                                       const uint64_t *exclude,
                                       size_t exclude_count);

/**
 * Sends a message to those clients of a gateway that are among the `client_count` ids in `clients`; see
 * `wsgate_gateway_multicast_text`.
 *
 * @param flags `wsgate_send_flag` bits
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy;
 * INVALID: not UTF-8, or flags that are none; CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_multicast(wsgate_server *server,
                                       uint64_t gateway,
                                       uint32_t flags,
                                       const void *data,
                                       size_t length,
                                       const uint64_t *clients,
                                       size_t client_count);

/**
 * A broadcast that tells what became of it: after OK one OUTCOME with this ticket comes, always, and before
 * STOPPED. Until it is taken (or its callback has returned) it uses space of the queue limit, 128 bytes.
 *
 * A client counts as delivered when the message has left its outbox, which means that the operating
 * system has taken its last byte; it counts as failed when it is closing or gone before, when it is too
 * slow, or when its connection breaks before that byte is written. Members that are excluded count for
 * neither.
 *
 * @param flags `wsgate_send_flag` bits
 * @param ticket the caller's own number; need not be unique
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy, or
 * there is no space for the outcome: take events first; INVALID: not UTF-8, or flags that are none;
 * CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_broadcast_with_outcome(wsgate_server *server,
                                                    uint64_t gateway,
                                                    uint32_t flags,
                                                    const void *data,
                                                    size_t length,
                                                    const uint64_t *exclude,
                                                    size_t exclude_count,
                                                    uint64_t ticket);

/**
 * A multicast that tells what became of it; see `wsgate_gateway_broadcast_with_outcome`. Ids that are
 * skipped have failed: delivered and failed add up to the different ids in `clients`.
 *
 * @param flags `wsgate_send_flag` bits
 * @param ticket the caller's own number; need not be unique
 * @return OK; CLOSED: the gateway is gone; FULL: 64 MiB of commands wait for a worker that is busy, or
 * there is no space for the outcome: take events first; INVALID: not UTF-8, or flags that are none;
 * CONFIG: over 1 GiB
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_multicast_with_outcome(wsgate_server *server,
                                                    uint64_t gateway,
                                                    uint32_t flags,
                                                    const void *data,
                                                    size_t length,
                                                    const uint64_t *clients,
                                                    size_t client_count,
                                                    uint64_t ticket);

/**
 * Ends a gateway. Its id is stale at once; its clients stay connected.
 *
 * @return OK; CLOSED: it is gone already; INVALID before the start
 * @threads any, callbacks too; never blocks
 */
wsgate_status wsgate_gateway_free(wsgate_server *server, uint64_t gateway);

/** @} */

/**
 * @defgroup submit Many calls in one
 *
 * For programs that answer a batch of events with a batch of commands, and for languages where each foreign call has its price.
 *
 * @{
 */

/**
 * The operations of `wsgate_submit`.
 */
typedef enum {
  /**
   * Send the payload as text to the client `target`.
   */
  WSGATE_OP_SEND_TEXT = 1,
  /**
   * Send the payload as binary to the client `target`.
   */
  WSGATE_OP_SEND_BINARY = 2,
  /**
   * Ping the client `target`, with `ticket`.
   */
  WSGATE_OP_PING = 3,
  /**
   * Close the client `target`: `flags` is the close code, the payload the reason.
   */
  WSGATE_OP_CLOSE = 4,
  /**
   * Broadcast the payload as text to the gateway `target`, but not to the clients in the ids.
   */
  WSGATE_OP_BROADCAST_TEXT = 5,
  /**
   * Broadcast the payload as binary to the gateway `target`, but not to the clients in the ids.
   */
  WSGATE_OP_BROADCAST_BINARY = 6,
  /**
   * Add the clients in the ids to the gateway `target`.
   */
  WSGATE_OP_GATEWAY_ADD = 7,
  /**
   * Remove the clients in the ids from the gateway `target`.
   */
  WSGATE_OP_GATEWAY_REMOVE = 8,
  /**
   * Send each client in the ids a text of its own: the payload is the texts' lengths, 32 bits each, and
   * then the texts without gaps. It stands for as many SEND_TEXT as it has ids, and has a status for each
   * of them. `target` is 0.
   */
  WSGATE_OP_SEND_EACH_TEXT = 9,
  /**
   * The same, of binary messages.
   */
  WSGATE_OP_SEND_EACH_BINARY = 10,
  /**
   * Accept the handshake `target`, with `ticket` as user data; the payload is the subprotocol, a NUL, and
   * the headers (as for `wsgate_accept`), or empty: the endpoint's subprotocol, and no headers. `flags`
   * as for `wsgate_accept`.
   */
  WSGATE_OP_ACCEPT = 16,
  /**
   * Reject the handshake `target`: `flags` is the status, the payload the headers and then the body;
   * `ticket` is the headers' length.
   */
  WSGATE_OP_REJECT = 17,
  /**
   * Answer the request `target`: `flags`, payload and `ticket` as for REJECT.
   */
  WSGATE_OP_RESPOND = 18,
  /**
   * Of what the client `target` said, `ticket` bytes and `flags` messages have been dealt with; as
   * `wsgate_client_grant`.
   */
  WSGATE_OP_CLIENT_GRANT = 32,
  /**
   * Stop reading the client `target`.
   */
  WSGATE_OP_CLIENT_PAUSE = 33,
  /**
   * Read the client `target` again.
   */
  WSGATE_OP_CLIENT_RESUME = 34,
  /**
   * Send the payload as text to those clients of the gateway `target` that are in the ids.
   */
  WSGATE_OP_MULTICAST_TEXT = 48,
  /**
   * Send the payload as binary to those clients of the gateway `target` that are in the ids.
   */
  WSGATE_OP_MULTICAST_BINARY = 49,
  /**
   * End the gateway `target`.
   */
  WSGATE_OP_GATEWAY_FREE = 50,
  /**
   * Begin a text message to the client `target`; as `wsgate_client_begin_text`. `flags`: `wsgate_record_flag` bits
   * that say how it is compressed.
   */
  WSGATE_OP_BEGIN_TEXT = 64,
  /**
   * Begin a binary message to the client `target`.
   */
  WSGATE_OP_BEGIN_BINARY = 65,
  /**
   * Send the payload as the next part of the message that was begun.
   */
  WSGATE_OP_CHUNK = 66,
  /**
   * Send the payload, which may be empty, as its last part.
   */
  WSGATE_OP_END = 67,
  /**
   * Give it up: the client `target` is closed.
   */
  WSGATE_OP_ABORT = 68,
  /**
   * Of the message of the number `ticket`, which the client `target` sends, the rest is not wanted; as
   * `wsgate_client_discard`.
   */
  WSGATE_OP_DISCARD = 69,
} wsgate_op;

/**
 * Bits of a record's `flags`.
 */
typedef enum {
  /**
   * A broadcast or multicast: raise OUTCOME with the record's ticket, as
   * `wsgate_gateway_broadcast_with_outcome` does.
   */
  WSGATE_RECORD_FLAG_OUTCOME = 1,
  /**
   * A send, broadcast or multicast: as `WSGATE_SEND_FLAG_COMPRESS_NEVER`.
   */
  WSGATE_RECORD_FLAG_COMPRESS_NEVER = 256,
  /**
   * A send, broadcast or multicast: as `WSGATE_SEND_FLAG_COMPRESS_ALWAYS`.
   */
  WSGATE_RECORD_FLAG_COMPRESS_ALWAYS = 512,
} wsgate_record_flag;

/**
 * The head of one record for `wsgate_submit`: 32 bytes. Then come `ids` ids of 8 bytes, `length` bytes
 * of payload, and padding up to `size`.
 */
typedef struct {
  /**
   * A `wsgate_op`.
   */
  uint16_t op;
  /**
   * See the operation: a close code, or `wsgate_record_flag` bits; 0 else. A send, broadcast or multicast
   * with a bit that is none is INVALID.
   */
  uint16_t flags;
  /**
   * The whole record with its padding, a multiple of 8.
   */
  uint32_t size;
  /**
   * A client or a gateway.
   */
  uint64_t target;
  /**
   * The caller's own number, which comes back in events.
   */
  uint64_t ticket;
  /**
   * How many ids follow.
   */
  uint32_t ids;
  /**
   * How many bytes of payload follow the ids.
   */
  uint32_t length;
} wsgate_record;

/**
 * Carries out many commands in one call. The buffer holds records one behind the other, each a
 * `wsgate_record` with its ids and payload, padded to a multiple of 8 bytes; it need not be aligned.
 * They are applied in order, with the same effect as the single calls; an unknown `op` or a stale id
 * gets its status, and the rest proceed. Once a send to a client was FULL, so are all later ones to it
 * in the same buffer: a smaller message does not overtake. When a record's lengths can't be right, that one and all
 * behind it are not applied.
 *
 * @param statuses one status a record (SEND_EACH_…: one a message), for the first `status_count`; may be NULL
 * @return how many records, or their messages, were OK; INVALID when the buffer itself is broken
 * @threads any, callbacks too; never blocks
 */
int32_t wsgate_submit(wsgate_server *server,
                      const void *buffer,
                      size_t length,
                      int32_t *statuses,
                      size_t status_count);

/** @} */

/**
 * @defgroup logs Logs
 *
 * The library prints nothing. What it has to say to an operator comes as LOG events, to `wsgate_server_on_log` or with the
 * others. They may be dropped when too many wait.
 *
 * @{
 */

/**
 * How much is logged.
 */
typedef enum {
  /**
   * Nothing.
   */
  WSGATE_LOG_LEVEL_OFF = 0,
  /**
   * What the operator must look at.
   */
  WSGATE_LOG_LEVEL_ERROR = 1,
  /**
   * What is odd, and survived.
   */
  WSGATE_LOG_LEVEL_WARN = 2,
  /**
   * What a server's life is made of.
   */
  WSGATE_LOG_LEVEL_INFO = 3,
  /**
   * Each refusal.
   */
  WSGATE_LOG_LEVEL_DEBUG = 4,
  /**
   * Everything.
   */
  WSGATE_LOG_LEVEL_TRACE = 5,
} wsgate_log_level;

/**
 * Sets which LOG events are raised: a `wsgate_log_level` [WARN] and all more severe.
 *
 * @return OK; CONFIG: no such level; INVALID after the start
 * @threads any
 */
wsgate_status wsgate_server_set_log_level(wsgate_server *server, uint32_t level);

/**
 * Sets the callback for LOG; see `wsgate_server_on_accept`. Log lines come from all of the library's
 * threads, also two at a time.
 *
 * @return OK; INVALID: `fn` is NULL, or after the start
 * @threads any; the callback runs on the library's
 */
wsgate_status wsgate_server_on_log(wsgate_server *server,
                                   wsgate_event_fn fn,
                                   void *user_data,
                                   wsgate_free_fn free_user_data);

/** @} */

/**
 * @defgroup process What the library does to your process
 *
 * - **Threads.** A started server has a thread for the front (listening, HTTP, the handshake) and one for each worker. They
 *   end when the server has stopped, within `wsgate_server_free` at the latest. They block all signals, so that signals go to the program's own threads.
 * - **Signals.** No handler is installed, and SIGPIPE is never raised. `wsgate_server_take` returns when a signal comes.
 * - **fork.** A child may go on to use the library with servers of its own, also when the parent's are running. A server that
 *   the parent started answers FORKED there; `wsgate_server_free` forgets it and touches nothing of the parent's. The
 *   parent's sockets are not inherited by what a child executes, as all descriptors are closed on exec; a child that neither
 *   executes nor exits holds copies of them, and the parent shuts connections down before it closes them, so that peers
 *   see the end nevertheless. To daemonise, fork first and start then; loading before the fork is fine.
 * - **exit.** Returning from `main` with a running server is safe; its clients see the connection break. Calls from handlers of
 *   `atexit` are safe.
 * - **dlclose.** The library stays in memory (it is linked with `-z nodelete`), because its threads may run.
 * - **Output.** Nothing is written to stdout or stderr.
 * - **State.** The locale, the working directory, the environment, the umask and the limits are neither changed nor relied on.
 * - **Memory.** What waits for a client, for the program, and for a worker is bounded; the settings say how.
 *
 * @{
 */

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WSGATE_H */
