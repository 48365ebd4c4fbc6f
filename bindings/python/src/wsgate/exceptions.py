"""What can go wrong, as one tree under `WsgateError`."""

from __future__ import annotations

import errno
from typing import NamedTuple

from . import _abi

__all__ = [
    "AddressInUse",
    "CloseFrame",
    "ConcurrencyError",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "InvalidArgument",
    "OutboxFull",
    "ServerForked",
    "WsgateError",
]


class WsgateError(Exception):
    """A call that the engine refused; `status` is its `wsgate_status`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.status, str(self))


class InvalidArgument(WsgateError, ValueError):
    """An argument or setting out of its bounds, or a call that came too early or too late."""


class CloseFrame(NamedTuple):
    """A Close frame (RFC 6455 §5.5.1); code 1005 when it was empty."""

    code: int
    reason: str

    def __str__(self) -> str:
        return f"{self.code} {self.reason}".rstrip()


class ConnectionClosed(WsgateError):
    """The client, gateway or server that was named is gone.

    Attributes:
        rcvd: the Close frame that the peer sent, if any.
        sent: the Close frame that was sent to it, if any.
        rcvd_then_sent: which of the two came first, when there are both.
    """

    def __init__(
        self,
        status: int = _abi.STATUS_CLOSED,
        message: str = "the connection is closed",
        rcvd: CloseFrame | None = None,
        sent: CloseFrame | None = None,
        rcvd_then_sent: bool | None = None,
    ) -> None:
        super().__init__(status, message)
        self.rcvd = rcvd
        self.sent = sent
        self.rcvd_then_sent = rcvd_then_sent

    @property
    def code(self) -> int:
        """The code in the peer's Close frame; 1006 when none came."""
        return 1006 if self.rcvd is None else self.rcvd.code

    @property
    def reason(self) -> str:
        """The reason in the peer's Close frame; empty when none came."""
        return "" if self.rcvd is None else self.rcvd.reason

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.status, str(self), self.rcvd, self.sent, self.rcvd_then_sent)


class ConnectionClosedOK(ConnectionClosed):
    """It was closed by both sides, with 1000, 1001 or no code."""


class ConnectionClosedError(ConnectionClosed):
    """It was closed with another code, or not by both sides, or lost."""


class ConcurrencyError(WsgateError):
    """Two tasks receive from one connection at the same time."""


class OutboxFull(WsgateError):
    """The client's outbox is at its limit; its endpoint's `on_drain` tells when there is room."""


class AddressInUse(WsgateError, OSError):
    """Another socket listens on the address."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.errno = errno.EADDRINUSE
        self.strerror = message

    def __str__(self) -> str:
        return str(self.strerror)


class ServerForked(WsgateError):
    """The server was started before a `fork()` and this is the child: make a new one here."""


_CLASSES: dict[int, type[WsgateError]] = {
    _abi.STATUS_INVALID: InvalidArgument,
    _abi.STATUS_CONFIG: InvalidArgument,
    _abi.STATUS_CLOSED: ConnectionClosed,
    _abi.STATUS_FULL: OutboxFull,
    _abi.STATUS_BUSY: AddressInUse,
    _abi.STATUS_FORKED: ServerForked,
}

# RFC 6455 §7.4.1: what a side says that has nothing to complain about.
_NORMAL = frozenset({1000, 1001, 1005})


def error_for(status: int, message: str) -> WsgateError:
    return _CLASSES.get(status, WsgateError)(status, message)


def closed_error(
    rcvd: CloseFrame | None, sent: CloseFrame | None, rcvd_then_sent: bool | None
) -> ConnectionClosed:
    """The exception for a connection that ended with these Close frames."""
    fine = rcvd is not None and sent is not None and rcvd.code in _NORMAL and sent.code in _NORMAL
    if rcvd is None and sent is None:
        message = "no close frame received or sent"
    elif rcvd is None:
        message = f"sent {sent}; no close frame received"
    elif sent is None:
        message = f"received {rcvd}; no close frame sent"
    elif rcvd_then_sent:
        message = f"received {rcvd}; then sent {sent}"
    else:
        message = f"sent {sent}; then received {rcvd}"
    kind = ConnectionClosedOK if fine else ConnectionClosedError
    return kind(_abi.STATUS_CLOSED, message, rcvd, sent, rcvd_then_sent)
