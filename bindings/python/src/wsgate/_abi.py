# Generated from src/ffi by tests/generated.rs; BLESS=1 rewrites it.
from ctypes import (
    CFUNCTYPE,
    Structure,
    c_char_p,
    c_int32,
    c_size_t,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any

ABI_VERSION = 0

STATUS_OK = 0
STATUS_INVALID = -1
STATUS_CLOSED = -2
STATUS_FULL = -3
STATUS_TIMEOUT = -4
STATUS_BUSY = -5
STATUS_REENTRANT = -6
STATUS_IO = -7
STATUS_TLS = -8
STATUS_CONFIG = -9
STATUS_FORKED = -10
STATUS_PANIC = -11
STATUS_UNSUPPORTED = -12


class ServerCounters(Structure):
    _fields_ = [
        ("size", c_uint64),
        ("clients", c_uint64),
        ("arrivals", c_uint64),
        ("events", c_uint64),
        ("event_bytes", c_uint64),
        ("dropped_logs", c_uint64),
        ("evicted", c_uint64),
        ("outbox_bytes", c_uint64),
        ("outbox_budget", c_uint64),
        ("connections", c_uint64),
        ("waiting", c_uint64),
        ("connections_total", c_uint64),
        ("connections_refused", c_uint64),
        ("address_refused", c_uint64),
        ("requests_total", c_uint64),
        ("requests_refused", c_uint64),
        ("accepted", c_uint64),
        ("rejected", c_uint64),
        ("handshake_timeouts", c_uint64),
        ("handshakes_left", c_uint64),
        ("request_timeouts", c_uint64),
        ("refused", c_uint64),
        ("bad_requests", c_uint64),
        ("header_timeouts", c_uint64),
        ("bodies_refused", c_uint64),
        ("body_timeouts", c_uint64),
        ("idle_timeouts", c_uint64),
        ("write_timeouts", c_uint64),
        ("inbox_bytes", c_uint64),
        ("inbox_budget", c_uint64),
        ("overloads", c_uint64),
    ]

SLOW_CONSUMER_CLOSE = 0
SLOW_CONSUMER_DROP_NEWEST = 1
SLOW_CONSUMER_DROP_OLDEST = 2

RATE_POLICY_PAUSE = 0
RATE_POLICY_CLOSE = 1

EVENT_KIND_HANDSHAKE = 1
EVENT_KIND_HANDSHAKE_GONE = 2
EVENT_KIND_ACCEPT = 3
EVENT_KIND_MESSAGE = 4
EVENT_KIND_BEGIN = 5
EVENT_KIND_CHUNK = 6
EVENT_KIND_END = 7
EVENT_KIND_PONG = 8
EVENT_KIND_DRAIN = 9
EVENT_KIND_OUTCOME = 10
EVENT_KIND_CLOSE = 11
EVENT_KIND_REQUEST = 12
EVENT_KIND_LOG = 13
EVENT_KIND_STOPPED = 14

EVENT_FLAG_BINARY = 1
EVENT_FLAG_CLEAN = 2
EVENT_FLAG_COMPRESSED = 4
EVENT_FLAG_DISCARDED = 16
EVENT_FLAG_REFUSED = 256
EVENT_FLAG_TRUNCATED = 16777216


class Event(Structure):
    _fields_ = [
        ("kind", c_uint32),
        ("flags", c_uint32),
        ("client", c_uint64),
        ("user_data", c_uint64),
        ("data", c_void_p),
        ("length", c_uint64),
        ("code", c_uint32),
        ("endpoint", c_uint32),
        ("value", c_uint64),
        ("time_ns", c_uint64),
    ]


class Batch(Structure):
    _fields_ = [
        ("events", c_void_p),
        ("event_size", c_uint64),
        ("count", c_uint64),
        ("payload", c_void_p),
        ("payload_length", c_uint64),
        ("pending", c_uint64),
    ]

ACCEPT_FLAG_STREAMING = 16

CLOSE_CAUSE_PEER = 1
CLOSE_CAUSE_APPLICATION = 2
CLOSE_CAUSE_PROTOCOL = 3
CLOSE_CAUSE_LIMIT = 4
CLOSE_CAUSE_HEARTBEAT = 5
CLOSE_CAUSE_SLOW = 6
CLOSE_CAUSE_SHUTDOWN = 7
CLOSE_CAUSE_LOST = 8

SEND_FLAG_BINARY = 1
SEND_FLAG_COMPRESS_NEVER = 256
SEND_FLAG_COMPRESS_ALWAYS = 512


class ClientCounters(Structure):
    _fields_ = [
        ("size", c_uint64),
        ("bytes_in", c_uint64),
        ("bytes_out", c_uint64),
        ("frames_in", c_uint64),
        ("frames_out", c_uint64),
        ("messages_in", c_uint64),
        ("messages_out", c_uint64),
        ("pings_in", c_uint64),
        ("pings_out", c_uint64),
        ("pongs_in", c_uint64),
        ("pongs_out", c_uint64),
        ("unanswered_pings", c_uint64),
        ("queued_bytes", c_uint64),
        ("dropped", c_uint64),
        ("connected_ns", c_uint64),
        ("closed_ns", c_uint64),
        ("last_read_ns", c_uint64),
        ("last_send_ns", c_uint64),
        ("last_data_read_ns", c_uint64),
        ("last_data_send_ns", c_uint64),
        ("last_heartbeat_ns", c_uint64),
        ("round_trip_ns", c_uint64),
    ]


class Outcome(Structure):
    _fields_ = [
        ("gateway", c_uint64),
        ("delivered", c_uint64),
        ("failed", c_uint64),
    ]

OP_SEND_TEXT = 1
OP_SEND_BINARY = 2
OP_PING = 3
OP_CLOSE = 4
OP_BROADCAST_TEXT = 5
OP_BROADCAST_BINARY = 6
OP_GATEWAY_ADD = 7
OP_GATEWAY_REMOVE = 8
OP_SEND_EACH_TEXT = 9
OP_SEND_EACH_BINARY = 10
OP_ACCEPT = 16
OP_REJECT = 17
OP_RESPOND = 18
OP_CLIENT_GRANT = 32
OP_CLIENT_PAUSE = 33
OP_CLIENT_RESUME = 34
OP_MULTICAST_TEXT = 48
OP_MULTICAST_BINARY = 49
OP_GATEWAY_FREE = 50
OP_BEGIN_TEXT = 64
OP_BEGIN_BINARY = 65
OP_CHUNK = 66
OP_END = 67
OP_ABORT = 68
OP_DISCARD = 69

RECORD_FLAG_OUTCOME = 1
RECORD_FLAG_COMPRESS_NEVER = 256
RECORD_FLAG_COMPRESS_ALWAYS = 512


class Record(Structure):
    _fields_ = [
        ("op", c_uint16),
        ("flags", c_uint16),
        ("size", c_uint32),
        ("target", c_uint64),
        ("ticket", c_uint64),
        ("ids", c_uint32),
        ("length", c_uint32),
    ]

LOG_LEVEL_OFF = 0
LOG_LEVEL_ERROR = 1
LOG_LEVEL_WARN = 2
LOG_LEVEL_INFO = 3
LOG_LEVEL_DEBUG = 4
LOG_LEVEL_TRACE = 5


EventFn = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)
FreeFn = CFUNCTYPE(None, c_void_p)

FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "wsgate_abi_version": (c_uint32, []),
    "wsgate_version": (c_char_p, []),
    "wsgate_status_text": (c_char_p, [c_int32]),
    "wsgate_last_error": (c_char_p, []),
    "wsgate_server_new": (c_void_p, []),
    "wsgate_server_start": (c_int32, [c_void_p]),
    "wsgate_server_port": (c_int32, [c_void_p, c_uint32]),
    "wsgate_server_info": (c_int32, [c_void_p, c_void_p, c_size_t]),
    "wsgate_server_stop": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_drain": (c_int32, [c_void_p, c_uint64, c_uint64]),
    "wsgate_server_free": (c_int32, [c_void_p]),
    "wsgate_server_listen": (c_int32, [c_void_p, c_char_p, c_size_t]),
    "wsgate_server_set_workers": (c_int32, [c_void_p, c_uint32]),
    "wsgate_server_add_endpoint": (c_int32, [c_void_p, c_char_p, c_size_t, c_void_p]),
    "wsgate_server_set_directory": (c_int32, [c_void_p, c_char_p, c_size_t]),
    "wsgate_server_set_requests": (c_int32, [c_void_p, c_uint32]),
    "wsgate_server_set_request_timeout": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_error_pages": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_max_body_size": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_max_connections": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_max_connections_per_address": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_max_requests": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_max_header_size": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_header_timeout": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_body_timeout": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_idle_timeout": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_write_timeout": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_cache_time": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_set_unix_mode": (c_int32, [c_void_p, c_uint32]),
    "wsgate_server_set_methods": (c_int32, [c_void_p, c_char_p, c_size_t]),
    "wsgate_server_set_queue_limit": (c_int32, [c_void_p, c_uint64]),
    "wsgate_server_add_directory": (c_int32, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "wsgate_endpoint_set_compression": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_endpoint_set_compression_takeover": (c_int32, [c_void_p, c_uint32, c_uint32, c_uint32]),
    "wsgate_endpoint_set_compression_window": (c_int32, [c_void_p, c_uint32, c_uint32, c_uint32]),
    "wsgate_endpoint_set_compression_memory": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_endpoint_set_compression_of": (c_int32, [c_void_p, c_uint32, c_uint64, c_uint32, c_uint32]),
    "wsgate_endpoint_set_compression_ratio": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_endpoint_set_slow_consumer": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_endpoint_set_frame_split": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_endpoint_set_text_only": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_endpoint_set_receive_window": (c_int32, [c_void_p, c_uint32, c_uint64, c_uint64]),
    "wsgate_endpoint_set_explicit_grants": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_endpoint_set_heartbeat": (c_int32, [c_void_p, c_uint32, c_uint64, c_uint64]),
    "wsgate_endpoint_set_rate_limit": (c_int32, [c_void_p, c_uint32, c_uint64, c_uint64]),
    "wsgate_endpoint_set_rate_policy": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_endpoint_add_origin": (c_int32, [c_void_p, c_uint32, c_char_p, c_size_t]),
    "wsgate_endpoint_set_same_host": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_endpoint_add_subprotocol": (c_int32, [c_void_p, c_uint32, c_char_p, c_size_t]),
    "wsgate_endpoint_set_acceptor": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_endpoint_set_handshake_timeout": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_endpoint_set_gateway": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_endpoint_set_max_message_size": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_endpoint_set_max_frame_size": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_endpoint_set_max_fragments": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_endpoint_set_close_period": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_endpoint_set_outbox_limit": (c_int32, [c_void_p, c_uint32, c_uint64, c_uint64]),
    "wsgate_set_outbox_budget": (c_int32, [c_uint64]),
    "wsgate_set_inbox_budget": (c_int32, [c_uint64]),
    "wsgate_server_on_accept": (c_int32, [c_void_p, EventFn, c_void_p, FreeFn]),
    "wsgate_server_on_message": (c_int32, [c_void_p, EventFn, c_void_p, FreeFn]),
    "wsgate_server_on_close": (c_int32, [c_void_p, EventFn, c_void_p, FreeFn]),
    "wsgate_server_on_event": (c_int32, [c_void_p, EventFn, c_void_p, FreeFn]),
    "wsgate_batch_new": (c_void_p, []),
    "wsgate_server_take": (c_int32, [c_void_p, c_void_p, c_uint64, c_int32]),
    "wsgate_server_fd": (c_int32, [c_void_p]),
    "wsgate_batch_free": (None, [c_void_p]),
    "wsgate_handshake_header": (c_int32, [c_void_p, c_uint64, c_char_p, c_size_t, c_void_p, c_size_t, c_void_p]),
    "wsgate_accept": (c_int32, [c_void_p, c_uint64, c_char_p, c_size_t, c_char_p, c_size_t, c_uint32, c_uint64]),
    "wsgate_reject": (c_int32, [c_void_p, c_uint64, c_uint32, c_char_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_respond": (c_int32, [c_void_p, c_uint64, c_uint32, c_char_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_client_send_text": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wsgate_client_send_binary": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wsgate_client_send": (c_int32, [c_void_p, c_uint64, c_uint32, c_void_p, c_size_t]),
    "wsgate_client_ping": (c_int32, [c_void_p, c_uint64, c_uint64]),
    "wsgate_client_close": (c_int32, [c_void_p, c_uint64, c_uint32, c_char_p, c_size_t]),
    "wsgate_client_set_user_data": (c_int32, [c_void_p, c_uint64, c_uint64]),
    "wsgate_client_grant": (c_int32, [c_void_p, c_uint64, c_uint64, c_uint64]),
    "wsgate_client_pause": (c_int32, [c_void_p, c_uint64]),
    "wsgate_client_resume": (c_int32, [c_void_p, c_uint64]),
    "wsgate_client_info": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wsgate_endpoint_set_streaming": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "wsgate_client_discard": (c_int32, [c_void_p, c_uint64, c_uint64]),
    "wsgate_client_begin_text": (c_int32, [c_void_p, c_uint64]),
    "wsgate_client_begin_binary": (c_int32, [c_void_p, c_uint64]),
    "wsgate_client_begin": (c_int32, [c_void_p, c_uint64, c_uint32]),
    "wsgate_client_chunk": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wsgate_client_end": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wsgate_client_abort": (c_int32, [c_void_p, c_uint64]),
    "wsgate_endpoint_set_stream_timeout": (c_int32, [c_void_p, c_uint32, c_uint64]),
    "wsgate_gateway_new": (c_int32, [c_void_p, c_void_p]),
    "wsgate_gateway_add": (c_int32, [c_void_p, c_uint64, c_uint64]),
    "wsgate_gateway_remove": (c_int32, [c_void_p, c_uint64, c_uint64]),
    "wsgate_gateway_count": (c_int32, [c_void_p, c_uint64]),
    "wsgate_gateway_clients": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wsgate_gateway_set_name": (c_int32, [c_void_p, c_uint64, c_char_p, c_size_t]),
    "wsgate_gateway_name": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wsgate_gateway_find": (c_int32, [c_void_p, c_char_p, c_size_t, c_void_p]),
    "wsgate_gateway_broadcast_text": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_gateway_broadcast_binary": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_gateway_multicast_text": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_gateway_multicast_binary": (c_int32, [c_void_p, c_uint64, c_void_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_gateway_send_text": (c_int32, [c_void_p, c_uint64, c_uint64, c_void_p, c_size_t]),
    "wsgate_gateway_send_binary": (c_int32, [c_void_p, c_uint64, c_uint64, c_void_p, c_size_t]),
    "wsgate_gateway_broadcast": (c_int32, [c_void_p, c_uint64, c_uint32, c_void_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_gateway_multicast": (c_int32, [c_void_p, c_uint64, c_uint32, c_void_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_gateway_broadcast_with_outcome": (c_int32, [c_void_p, c_uint64, c_uint32, c_void_p, c_size_t, c_void_p, c_size_t, c_uint64]),
    "wsgate_gateway_multicast_with_outcome": (c_int32, [c_void_p, c_uint64, c_uint32, c_void_p, c_size_t, c_void_p, c_size_t, c_uint64]),
    "wsgate_gateway_free": (c_int32, [c_void_p, c_uint64]),
    "wsgate_submit": (c_int32, [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t]),
    "wsgate_server_set_log_level": (c_int32, [c_void_p, c_uint32]),
    "wsgate_server_on_log": (c_int32, [c_void_p, EventFn, c_void_p, FreeFn]),
}
