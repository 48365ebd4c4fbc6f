"""How a connection ended."""

from __future__ import annotations

import enum
from struct import Struct
from typing import NamedTuple

from . import _abi

__all__ = ["ClientInfo", "Close", "CloseCause"]


class CloseCause(enum.IntEnum):
    """Who or what ended a connection."""

    PEER = _abi.CLOSE_CAUSE_PEER
    APPLICATION = _abi.CLOSE_CAUSE_APPLICATION
    PROTOCOL = _abi.CLOSE_CAUSE_PROTOCOL
    LIMIT = _abi.CLOSE_CAUSE_LIMIT
    HEARTBEAT = _abi.CLOSE_CAUSE_HEARTBEAT
    SLOW = _abi.CLOSE_CAUSE_SLOW
    SHUTDOWN = _abi.CLOSE_CAUSE_SHUTDOWN
    LOST = _abi.CLOSE_CAUSE_LOST


class ClientInfo(NamedTuple):
    """A connection's final counters and timestamps (nanoseconds since 1970, 0 for never)."""

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


_SIZE = Struct("=Q")
_INFO = Struct(f"={len(ClientInfo._fields)}Q")


class Close(NamedTuple):
    """The close event of a client.

    Attributes:
        code: the close code; 1005 when the peer sent none, 1006 when the connection was lost.
        reason: the text that came with the code.
        cause: who or what ended the connection.
        clean: whether Close frames went both ways (RFC 6455 §7.1.4).
        info: the final counters and timestamps.
    """

    code: int
    reason: str
    cause: CloseCause
    clean: bool
    info: ClientInfo


def decode_close(code: int, cause: int, clean: bool, data: bytes) -> Close:
    # The info's first word is its size: a newer library may append counters before the reason.
    (size,) = _SIZE.unpack_from(data)
    info = ClientInfo._make(_INFO.unpack_from(data, _SIZE.size))
    return Close(code, data[size:].decode(errors="replace"), CloseCause(cause), clean, info)
