uint32_t wsgate_abi_version(void);
const char *wsgate_version(void);
typedef enum wsgate_status {
  WSGATE_STATUS_OK = 0,
  WSGATE_STATUS_INVALID = -1,
  WSGATE_STATUS_CLOSED = -2,
  WSGATE_STATUS_FULL = -3,
  WSGATE_STATUS_TIMEOUT = -4,
  WSGATE_STATUS_BUSY = -5,
  WSGATE_STATUS_REENTRANT = -6,
  WSGATE_STATUS_IO = -7,
  WSGATE_STATUS_TLS = -8,
  WSGATE_STATUS_CONFIG = -9,
  WSGATE_STATUS_FORKED = -10,
  WSGATE_STATUS_PANIC = -11,
  WSGATE_STATUS_UNSUPPORTED = -12,
} wsgate_status;
const char *wsgate_status_text(int32_t status);
const char *wsgate_last_error(void);
typedef struct wsgate_server wsgate_server;
typedef struct wsgate_server_counters {
  uint64_t size;
  uint64_t clients;
  uint64_t arrivals;
  uint64_t events;
  uint64_t event_bytes;
  uint64_t dropped_logs;
  uint64_t evicted;
  uint64_t outbox_bytes;
  uint64_t outbox_budget;
  uint64_t connections;
  uint64_t waiting;
  uint64_t connections_total;
  uint64_t connections_refused;
  uint64_t address_refused;
  uint64_t requests_total;
  uint64_t requests_refused;
  uint64_t accepted;
  uint64_t rejected;
  uint64_t handshake_timeouts;
  uint64_t handshakes_left;
  uint64_t request_timeouts;
  uint64_t refused;
  uint64_t bad_requests;
  uint64_t header_timeouts;
  uint64_t bodies_refused;
  uint64_t body_timeouts;
  uint64_t idle_timeouts;
  uint64_t write_timeouts;
  uint64_t inbox_bytes;
  uint64_t inbox_budget;
  uint64_t overloads;
} wsgate_server_counters;
wsgate_server *wsgate_server_new(void);
wsgate_status wsgate_server_start(wsgate_server *server);
int32_t wsgate_server_port(wsgate_server *server, uint32_t index);
wsgate_status wsgate_server_info(wsgate_server *server, wsgate_server_counters *out, size_t size);
wsgate_status wsgate_server_stop(wsgate_server *server, uint64_t grace_ms);
wsgate_status wsgate_server_drain(wsgate_server *server, uint64_t spread_ms, uint64_t grace_ms);
wsgate_status wsgate_server_free(wsgate_server *server);
typedef enum wsgate_slow_consumer {
  WSGATE_SLOW_CONSUMER_CLOSE = 0,
  WSGATE_SLOW_CONSUMER_DROP_NEWEST = 1,
  WSGATE_SLOW_CONSUMER_DROP_OLDEST = 2,
} wsgate_slow_consumer;
typedef enum wsgate_rate_policy {
  WSGATE_RATE_POLICY_PAUSE = 0,
  WSGATE_RATE_POLICY_CLOSE = 1,
} wsgate_rate_policy;
wsgate_status wsgate_server_listen(wsgate_server *server, const char *address, size_t length);
wsgate_status wsgate_server_set_workers(wsgate_server *server, uint32_t workers);
wsgate_status wsgate_server_add_endpoint(wsgate_server *server, const char *path, size_t length, uint32_t *endpoint);
wsgate_status wsgate_server_set_directory(wsgate_server *server, const char *path, size_t length);
wsgate_status wsgate_server_set_requests(wsgate_server *server, uint32_t on);
wsgate_status wsgate_server_set_request_timeout(wsgate_server *server, uint64_t milliseconds);
wsgate_status wsgate_server_set_error_pages(wsgate_server *server, uint64_t milliseconds);
wsgate_status wsgate_server_set_max_body_size(wsgate_server *server, uint64_t bytes);
wsgate_status wsgate_server_set_max_connections(wsgate_server *server, uint64_t count);
wsgate_status wsgate_server_set_max_connections_per_address(wsgate_server *server, uint64_t count);
wsgate_status wsgate_server_set_max_requests(wsgate_server *server, uint64_t count);
wsgate_status wsgate_server_set_max_header_size(wsgate_server *server, uint64_t bytes);
wsgate_status wsgate_server_set_header_timeout(wsgate_server *server, uint64_t milliseconds);
wsgate_status wsgate_server_set_body_timeout(wsgate_server *server, uint64_t milliseconds);
wsgate_status wsgate_server_set_idle_timeout(wsgate_server *server, uint64_t milliseconds);
wsgate_status wsgate_server_set_write_timeout(wsgate_server *server, uint64_t milliseconds);
wsgate_status wsgate_server_set_cache_time(wsgate_server *server, uint64_t seconds);
wsgate_status wsgate_server_set_unix_mode(wsgate_server *server, uint32_t mode);
wsgate_status wsgate_server_set_methods(wsgate_server *server, const char *methods, size_t length);
wsgate_status wsgate_server_set_queue_limit(wsgate_server *server, uint64_t bytes);
wsgate_status wsgate_server_add_directory(wsgate_server *server, const char *prefix, size_t prefix_length, const char *path, size_t path_length);
wsgate_status wsgate_endpoint_set_compression(wsgate_server *server, uint32_t endpoint, uint32_t level);
wsgate_status wsgate_endpoint_set_compression_takeover(wsgate_server *server, uint32_t endpoint, uint32_t ours, uint32_t theirs);
wsgate_status wsgate_endpoint_set_compression_window(wsgate_server *server, uint32_t endpoint, uint32_t ours, uint32_t theirs);
wsgate_status wsgate_endpoint_set_compression_memory(wsgate_server *server, uint32_t endpoint, uint32_t level);
wsgate_status wsgate_endpoint_set_compression_of(wsgate_server *server, uint32_t endpoint, uint64_t threshold, uint32_t text, uint32_t binary);
wsgate_status wsgate_endpoint_set_compression_ratio(wsgate_server *server, uint32_t endpoint, uint64_t ratio);
wsgate_status wsgate_endpoint_set_slow_consumer(wsgate_server *server, uint32_t endpoint, uint32_t policy);
wsgate_status wsgate_endpoint_set_frame_split(wsgate_server *server, uint32_t endpoint, uint64_t bytes);
wsgate_status wsgate_endpoint_set_text_only(wsgate_server *server, uint32_t endpoint, uint32_t only);
wsgate_status wsgate_endpoint_set_receive_window(wsgate_server *server, uint32_t endpoint, uint64_t bytes, uint64_t messages);
wsgate_status wsgate_endpoint_set_explicit_grants(wsgate_server *server, uint32_t endpoint, uint32_t explicit_grants);
wsgate_status wsgate_endpoint_set_heartbeat(wsgate_server *server, uint32_t endpoint, uint64_t period_ms, uint64_t unanswered);
wsgate_status wsgate_endpoint_set_rate_limit(wsgate_server *server, uint32_t endpoint, uint64_t bytes, uint64_t frames);
wsgate_status wsgate_endpoint_set_rate_policy(wsgate_server *server, uint32_t endpoint, uint32_t policy);
wsgate_status wsgate_endpoint_add_origin(wsgate_server *server, uint32_t endpoint, const char *origin, size_t length);
wsgate_status wsgate_endpoint_set_same_host(wsgate_server *server, uint32_t endpoint, uint32_t on);
wsgate_status wsgate_endpoint_add_subprotocol(wsgate_server *server, uint32_t endpoint, const char *name, size_t length);
wsgate_status wsgate_endpoint_set_acceptor(wsgate_server *server, uint32_t endpoint, uint32_t on);
wsgate_status wsgate_endpoint_set_handshake_timeout(wsgate_server *server, uint32_t endpoint, uint64_t milliseconds);
wsgate_status wsgate_endpoint_set_gateway(wsgate_server *server, uint32_t endpoint, uint64_t gateway);
wsgate_status wsgate_endpoint_set_max_message_size(wsgate_server *server, uint32_t endpoint, uint64_t bytes);
wsgate_status wsgate_endpoint_set_max_frame_size(wsgate_server *server, uint32_t endpoint, uint64_t bytes);
wsgate_status wsgate_endpoint_set_max_fragments(wsgate_server *server, uint32_t endpoint, uint64_t count);
wsgate_status wsgate_endpoint_set_close_period(wsgate_server *server, uint32_t endpoint, uint64_t milliseconds);
wsgate_status wsgate_endpoint_set_outbox_limit(wsgate_server *server, uint32_t endpoint, uint64_t bytes, uint64_t messages);
wsgate_status wsgate_set_outbox_budget(uint64_t bytes);
wsgate_status wsgate_set_inbox_budget(uint64_t bytes);
typedef enum wsgate_event_kind {
  WSGATE_EVENT_KIND_HANDSHAKE = 1,
  WSGATE_EVENT_KIND_HANDSHAKE_GONE = 2,
  WSGATE_EVENT_KIND_ACCEPT = 3,
  WSGATE_EVENT_KIND_MESSAGE = 4,
  WSGATE_EVENT_KIND_BEGIN = 5,
  WSGATE_EVENT_KIND_CHUNK = 6,
  WSGATE_EVENT_KIND_END = 7,
  WSGATE_EVENT_KIND_PONG = 8,
  WSGATE_EVENT_KIND_DRAIN = 9,
  WSGATE_EVENT_KIND_OUTCOME = 10,
  WSGATE_EVENT_KIND_CLOSE = 11,
  WSGATE_EVENT_KIND_REQUEST = 12,
  WSGATE_EVENT_KIND_LOG = 13,
  WSGATE_EVENT_KIND_STOPPED = 14,
} wsgate_event_kind;
typedef enum wsgate_event_flag {
  WSGATE_EVENT_FLAG_BINARY = 1,
  WSGATE_EVENT_FLAG_CLEAN = 2,
  WSGATE_EVENT_FLAG_COMPRESSED = 4,
  WSGATE_EVENT_FLAG_DISCARDED = 16,
  WSGATE_EVENT_FLAG_REFUSED = 256,
  WSGATE_EVENT_FLAG_TRUNCATED = 16777216,
} wsgate_event_flag;
typedef struct wsgate_event {
  uint32_t kind;
  uint32_t flags;
  uint64_t client;
  uint64_t user_data;
  const void *data;
  uint64_t length;
  uint32_t code;
  uint32_t endpoint;
  uint64_t value;
  uint64_t time_ns;
} wsgate_event;
typedef struct wsgate_batch {
  const wsgate_event *events;
  uint64_t event_size;
  uint64_t count;
  const void *payload;
  uint64_t payload_length;
  uint64_t pending;
} wsgate_batch;
typedef void (*wsgate_event_fn)(wsgate_server *server, const wsgate_event *event, void *user_data);
typedef void (*wsgate_free_fn)(void *user_data);
wsgate_status wsgate_server_on_accept(wsgate_server *server, wsgate_event_fn fn, void *user_data, wsgate_free_fn free_user_data);
wsgate_status wsgate_server_on_message(wsgate_server *server, wsgate_event_fn fn, void *user_data, wsgate_free_fn free_user_data);
wsgate_status wsgate_server_on_close(wsgate_server *server, wsgate_event_fn fn, void *user_data, wsgate_free_fn free_user_data);
wsgate_status wsgate_server_on_event(wsgate_server *server, wsgate_event_fn fn, void *user_data, wsgate_free_fn free_user_data);
wsgate_batch *wsgate_batch_new(void);
int32_t wsgate_server_take(wsgate_server *server, wsgate_batch *batch, uint64_t max, int32_t timeout_ms);
int32_t wsgate_server_fd(wsgate_server *server);
void wsgate_batch_free(wsgate_batch *batch);
typedef enum wsgate_accept_flag {
  WSGATE_ACCEPT_FLAG_STREAMING = 16,
} wsgate_accept_flag;
wsgate_status wsgate_handshake_header(wsgate_server *server, uint64_t handshake, const char *name, size_t name_length, char *value, size_t size, uint64_t *length);
wsgate_status wsgate_accept(wsgate_server *server, uint64_t handshake, const char *subprotocol, size_t subprotocol_length, const char *headers, size_t headers_length, uint32_t flags, uint64_t user_data);
wsgate_status wsgate_reject(wsgate_server *server, uint64_t handshake, uint32_t status, const char *headers, size_t headers_length, const void *body, size_t body_length);
wsgate_status wsgate_respond(wsgate_server *server, uint64_t request, uint32_t status, const char *headers, size_t headers_length, const void *body, size_t body_length);
typedef enum wsgate_close_cause {
  WSGATE_CLOSE_CAUSE_PEER = 1,
  WSGATE_CLOSE_CAUSE_APPLICATION = 2,
  WSGATE_CLOSE_CAUSE_PROTOCOL = 3,
  WSGATE_CLOSE_CAUSE_LIMIT = 4,
  WSGATE_CLOSE_CAUSE_HEARTBEAT = 5,
  WSGATE_CLOSE_CAUSE_SLOW = 6,
  WSGATE_CLOSE_CAUSE_SHUTDOWN = 7,
  WSGATE_CLOSE_CAUSE_LOST = 8,
} wsgate_close_cause;
typedef enum wsgate_send_flag {
  WSGATE_SEND_FLAG_BINARY = 1,
  WSGATE_SEND_FLAG_COMPRESS_NEVER = 256,
  WSGATE_SEND_FLAG_COMPRESS_ALWAYS = 512,
} wsgate_send_flag;
typedef struct wsgate_client_counters {
  uint64_t size;
  uint64_t bytes_in;
  uint64_t bytes_out;
  uint64_t frames_in;
  uint64_t frames_out;
  uint64_t messages_in;
  uint64_t messages_out;
  uint64_t pings_in;
  uint64_t pings_out;
  uint64_t pongs_in;
  uint64_t pongs_out;
  uint64_t unanswered_pings;
  uint64_t queued_bytes;
  uint64_t dropped;
  uint64_t connected_ns;
  uint64_t closed_ns;
  uint64_t last_read_ns;
  uint64_t last_send_ns;
  uint64_t last_data_read_ns;
  uint64_t last_data_send_ns;
  uint64_t last_heartbeat_ns;
  uint64_t round_trip_ns;
} wsgate_client_counters;
wsgate_status wsgate_client_send_text(wsgate_server *server, uint64_t client, const void *data, size_t length);
wsgate_status wsgate_client_send_binary(wsgate_server *server, uint64_t client, const void *data, size_t length);
wsgate_status wsgate_client_send(wsgate_server *server, uint64_t client, uint32_t flags, const void *data, size_t length);
wsgate_status wsgate_client_ping(wsgate_server *server, uint64_t client, uint64_t ticket);
wsgate_status wsgate_client_close(wsgate_server *server, uint64_t client, uint32_t code, const char *reason, size_t length);
wsgate_status wsgate_client_set_user_data(wsgate_server *server, uint64_t client, uint64_t user_data);
wsgate_status wsgate_client_grant(wsgate_server *server, uint64_t client, uint64_t bytes, uint64_t messages);
wsgate_status wsgate_client_pause(wsgate_server *server, uint64_t client);
wsgate_status wsgate_client_resume(wsgate_server *server, uint64_t client);
wsgate_status wsgate_client_info(wsgate_server *server, uint64_t client, wsgate_client_counters *out, size_t size);
wsgate_status wsgate_endpoint_set_streaming(wsgate_server *server, uint32_t endpoint, uint32_t streaming);
wsgate_status wsgate_client_discard(wsgate_server *server, uint64_t client, uint64_t message);
wsgate_status wsgate_client_begin_text(wsgate_server *server, uint64_t client);
wsgate_status wsgate_client_begin_binary(wsgate_server *server, uint64_t client);
wsgate_status wsgate_client_begin(wsgate_server *server, uint64_t client, uint32_t flags);
wsgate_status wsgate_client_chunk(wsgate_server *server, uint64_t client, const void *data, size_t length);
wsgate_status wsgate_client_end(wsgate_server *server, uint64_t client, const void *data, size_t length);
wsgate_status wsgate_client_abort(wsgate_server *server, uint64_t client);
wsgate_status wsgate_endpoint_set_stream_timeout(wsgate_server *server, uint32_t endpoint, uint64_t milliseconds);
typedef struct wsgate_outcome {
  uint64_t gateway;
  uint64_t delivered;
  uint64_t failed;
} wsgate_outcome;
wsgate_status wsgate_gateway_new(wsgate_server *server, uint64_t *gateway);
wsgate_status wsgate_gateway_add(wsgate_server *server, uint64_t gateway, uint64_t client);
wsgate_status wsgate_gateway_remove(wsgate_server *server, uint64_t gateway, uint64_t client);
int32_t wsgate_gateway_count(wsgate_server *server, uint64_t gateway);
int32_t wsgate_gateway_clients(wsgate_server *server, uint64_t gateway, uint64_t *clients, size_t capacity);
wsgate_status wsgate_gateway_set_name(wsgate_server *server, uint64_t gateway, const char *name, size_t length);
int32_t wsgate_gateway_name(wsgate_server *server, uint64_t gateway, char *name, size_t capacity);
wsgate_status wsgate_gateway_find(wsgate_server *server, const char *name, size_t length, uint64_t *gateway);
wsgate_status wsgate_gateway_broadcast_text(wsgate_server *server, uint64_t gateway, const void *data, size_t length, const uint64_t *exclude, size_t exclude_count);
wsgate_status wsgate_gateway_broadcast_binary(wsgate_server *server, uint64_t gateway, const void *data, size_t length, const uint64_t *exclude, size_t exclude_count);
wsgate_status wsgate_gateway_multicast_text(wsgate_server *server, uint64_t gateway, const void *data, size_t length, const uint64_t *clients, size_t client_count);
wsgate_status wsgate_gateway_multicast_binary(wsgate_server *server, uint64_t gateway, const void *data, size_t length, const uint64_t *clients, size_t client_count);
wsgate_status wsgate_gateway_send_text(wsgate_server *server, uint64_t gateway, uint64_t client, const void *data, size_t length);
wsgate_status wsgate_gateway_send_binary(wsgate_server *server, uint64_t gateway, uint64_t client, const void *data, size_t length);
wsgate_status wsgate_gateway_broadcast(wsgate_server *server, uint64_t gateway, uint32_t flags, const void *data, size_t length, const uint64_t *exclude, size_t exclude_count);
wsgate_status wsgate_gateway_multicast(wsgate_server *server, uint64_t gateway, uint32_t flags, const void *data, size_t length, const uint64_t *clients, size_t client_count);
wsgate_status wsgate_gateway_broadcast_with_outcome(wsgate_server *server, uint64_t gateway, uint32_t flags, const void *data, size_t length, const uint64_t *exclude, size_t exclude_count, uint64_t ticket);
wsgate_status wsgate_gateway_multicast_with_outcome(wsgate_server *server, uint64_t gateway, uint32_t flags, const void *data, size_t length, const uint64_t *clients, size_t client_count, uint64_t ticket);
wsgate_status wsgate_gateway_free(wsgate_server *server, uint64_t gateway);
typedef enum wsgate_op {
  WSGATE_OP_SEND_TEXT = 1,
  WSGATE_OP_SEND_BINARY = 2,
  WSGATE_OP_PING = 3,
  WSGATE_OP_CLOSE = 4,
  WSGATE_OP_BROADCAST_TEXT = 5,
  WSGATE_OP_BROADCAST_BINARY = 6,
  WSGATE_OP_GATEWAY_ADD = 7,
  WSGATE_OP_GATEWAY_REMOVE = 8,
  WSGATE_OP_SEND_EACH_TEXT = 9,
  WSGATE_OP_SEND_EACH_BINARY = 10,
  WSGATE_OP_ACCEPT = 16,
  WSGATE_OP_REJECT = 17,
  WSGATE_OP_RESPOND = 18,
  WSGATE_OP_CLIENT_GRANT = 32,
  WSGATE_OP_CLIENT_PAUSE = 33,
  WSGATE_OP_CLIENT_RESUME = 34,
  WSGATE_OP_MULTICAST_TEXT = 48,
  WSGATE_OP_MULTICAST_BINARY = 49,
  WSGATE_OP_GATEWAY_FREE = 50,
  WSGATE_OP_BEGIN_TEXT = 64,
  WSGATE_OP_BEGIN_BINARY = 65,
  WSGATE_OP_CHUNK = 66,
  WSGATE_OP_END = 67,
  WSGATE_OP_ABORT = 68,
  WSGATE_OP_DISCARD = 69,
} wsgate_op;
typedef enum wsgate_record_flag {
  WSGATE_RECORD_FLAG_OUTCOME = 1,
  WSGATE_RECORD_FLAG_COMPRESS_NEVER = 256,
  WSGATE_RECORD_FLAG_COMPRESS_ALWAYS = 512,
} wsgate_record_flag;
typedef struct wsgate_record {
  uint16_t op;
  uint16_t flags;
  uint32_t size;
  uint64_t target;
  uint64_t ticket;
  uint32_t ids;
  uint32_t length;
} wsgate_record;
int32_t wsgate_submit(wsgate_server *server, const void *buffer, size_t length, int32_t *statuses, size_t status_count);
typedef enum wsgate_log_level {
  WSGATE_LOG_LEVEL_OFF = 0,
  WSGATE_LOG_LEVEL_ERROR = 1,
  WSGATE_LOG_LEVEL_WARN = 2,
  WSGATE_LOG_LEVEL_INFO = 3,
  WSGATE_LOG_LEVEL_DEBUG = 4,
  WSGATE_LOG_LEVEL_TRACE = 5,
} wsgate_log_level;
wsgate_status wsgate_server_set_log_level(wsgate_server *server, uint32_t level);
wsgate_status wsgate_server_on_log(wsgate_server *server, wsgate_event_fn fn, void *user_data, wsgate_free_fn free_user_data);
