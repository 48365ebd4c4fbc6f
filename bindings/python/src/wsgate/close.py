"""How a connection ended."""

from __future__ import annotations

import enum
from typing import NamedTuple

from . import _abi
from .info import ClientInfo, decode_client

__all__ = ["Close", "CloseCause"]


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
    info, reason = decode_client(data)
    return Close(code, reason.decode(errors="replace"), CloseCause(cause), clean, info)
