"""Counters and timestamps."""

from __future__ import annotations

from ctypes import c_uint64
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from ._library import lib

if TYPE_CHECKING:
    from ._channel import Channel

__all__ = ["ClientInfo", "ServerInfo"]


class ClientInfo(NamedTuple):
    """A connection's counters and timestamps (nanoseconds since 1970, 0 for never)."""

    bytes_in: int
    bytes_out: int
    frames_in: int
    frames_out: int
    messages_in: int
    messages_out: int
    pings_in: int
    pings_out: int
    pongs_in: int
    pongs_out: int
    unanswered_pings: int
    queued_bytes: int
    dropped: int
    connected_ns: int
    closed_ns: int
    last_read_ns: int
    last_send_ns: int
    last_data_read_ns: int
    last_data_send_ns: int
    last_heartbeat_ns: int
    round_trip_ns: int


class ServerInfo(NamedTuple):
    """A server's figures; `wsgate_server_counters` in the C header says what each counts."""

    clients: int
    arrivals: int
    events: int
    event_bytes: int
    dropped_logs: int
    evicted: int
    outbox_bytes: int
    outbox_budget: int
    connections: int
    waiting: int
    connections_total: int
    connections_refused: int
    address_refused: int
    requests_total: int
    requests_refused: int
    accepted: int
    rejected: int
    handshake_timeouts: int
    handshakes_left: int
    request_timeouts: int
    refused: int
    bad_requests: int
    header_timeouts: int
    bodies_refused: int
    body_timeouts: int
    idle_timeouts: int
    write_timeouts: int
    inbox_bytes: int
    inbox_budget: int
    overloads: int


_SIZE = Struct("=Q")
_CLIENT = Struct(f"={len(ClientInfo._fields)}Q")


def decode_client(data: bytes) -> tuple[ClientInfo, bytes]:
    """A close event's figures, and what lies behind them."""
    # Their first word is their size: a newer library may append counters.
    (size,) = _SIZE.unpack_from(data)
    return ClientInfo._make(_CLIENT.unpack_from(data, _SIZE.size)), data[size:]


def client_info(channel: Channel, id: int) -> ClientInfo:
    words = (c_uint64 * (1 + len(ClientInfo._fields)))()
    channel.call(lib.wsgate_client_info, id, words, len(words) * 8)
    return ClientInfo._make(words[1:])


def server_info(channel: Channel) -> ServerInfo:
    words = (c_uint64 * (1 + len(ServerInfo._fields)))()
    channel.call(lib.wsgate_server_info, words, len(words) * 8)
    return ServerInfo._make(words[1:])
