"""A path that upgrades, with its handlers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .client import Client
from .close import Close

if TYPE_CHECKING:
    from .gateway import Gateway

__all__ = ["Endpoint"]

# A message is str or bytes. It is Any here so that a handler which serves only one kind can say so.
MessageHandler = Callable[[Client, Any], object]


class Endpoint:
    """A path that upgrades; made by `Server.endpoint`.

    The handlers are plain functions, called one at a time on the thread that runs the server, in
    the order of the events. One that raises is logged with its traceback, and its client is closed
    with 1011; the others go on.

    Attributes:
        path: the path, ``"/chat"``.
        gateway: the gateway that clients join by themselves, if any.
        on_accept: called with each new client.
        on_message: called with the client and the message: str for text, bytes for binary. Which
            function that is, is settled when a client is accepted.
        on_close: called once with each client and its `Close`.
        on_pong: called with the client and the ticket of the ping that was answered.
        on_drain: called with a client whose outbox was full and has room again.
    """

    __slots__ = ("gateway", "on_accept", "on_close", "on_drain", "on_message", "on_pong", "path")

    def __init__(
        self,
        path: str,
        gateway: Gateway | None,
        on_accept: Callable[[Client], object] | None,
        on_message: MessageHandler | None,
        on_close: Callable[[Client, Close], object] | None,
        on_pong: Callable[[Client, int], object] | None,
        on_drain: Callable[[Client], object] | None,
    ) -> None:
        self.path = path
        self.gateway = gateway
        self.on_accept = _plain("on_accept", on_accept)
        self.on_message = _plain("on_message", on_message)
        self.on_close = _plain("on_close", on_close)
        self.on_pong = _plain("on_pong", on_pong)
        self.on_drain = _plain("on_drain", on_drain)

    def __repr__(self) -> str:
        return f"<Endpoint {self.path}>"


def _plain(name: str, handler: Any) -> Any:
    if handler is not None and not callable(handler):
        raise TypeError(f"{name} must be callable, not {handler!r}")
    if inspect.iscoroutinefunction(handler):
        raise TypeError(f"{name} must be a plain function; {handler!r} is a coroutine function")
    return handler
