"""What can go wrong, as one tree under `WsgateError`."""

from __future__ import annotations

from . import _abi

__all__ = [
    "AddressInUse",
    "ConnectionClosed",
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

    def __reduce__(self) -> tuple[type, tuple[int, str]]:
        return type(self), (self.status, str(self))


class InvalidArgument(WsgateError, ValueError):
    """An argument or setting out of its bounds, or a call that came too early or too late."""


class ConnectionClosed(WsgateError):
    """The client, gateway or server that was named is gone."""


class OutboxFull(WsgateError):
    """The client's outbox is at its limit; its endpoint's `on_drain` tells when there is room."""


class AddressInUse(WsgateError):
    """Another socket listens on the address."""


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


def error_for(status: int, message: str) -> WsgateError:
    return _CLASSES.get(status, WsgateError)(status, message)
