"""A path that upgrades, with its handlers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .client import Client
from .close import Close

if TYPE_CHECKING:
    from .gateway import Gateway
    from .handshake import Handshake

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
        on_begin, on_chunk, on_end: with `on_chunk`, a message comes in pieces, unless it has come
            whole and has at most 64 KiB: `on_begin` is called with the client and whether it is
            binary, `on_chunk` with the client and bytes, which may end within a character, and
            `on_end` with the client when it is complete, and text was UTF-8; or discarded. When
            the client ends first, there is no `on_end`.
        on_close: called once with each client and its `Close`.
        on_pong: called with the client and the ticket of the ping that was answered.
        on_drain: called with a client whose outbox was full and has room again.
        on_handshake: called with each `Handshake`, to accept or reject it now or later. Without
            it, or None, the endpoint accepts by itself.
        on_handshake_gone: called with a handshake that needs no decision any more, and the status
            that it was answered with; 0 when the client has left.
    """

    __slots__ = (
        "gateway", "on_accept", "on_begin", "on_chunk", "on_close", "on_drain", "on_end",
        "on_handshake", "on_handshake_gone", "on_message", "on_pong", "path",
    )  # fmt: skip

    def __init__(
        self,
        path: str,
        gateway: Gateway | None,
        on_accept: Callable[[Client], object] | None,
        on_message: MessageHandler | None,
        on_begin: Callable[[Client, bool], object] | None,
        on_chunk: Callable[[Client, bytes], object] | None,
        on_end: Callable[[Client], object] | None,
        on_close: Callable[[Client, Close], object] | None,
        on_pong: Callable[[Client, int], object] | None,
        on_drain: Callable[[Client], object] | None,
        on_handshake: Callable[[Handshake], object] | None,
        on_handshake_gone: Callable[[Handshake, int], object] | None,
    ) -> None:
        self.path = path
        self.gateway = gateway
        self.on_accept = plain("on_accept", on_accept)
        self.on_message = plain("on_message", on_message)
        self.on_begin = plain("on_begin", on_begin)
        self.on_chunk = plain("on_chunk", on_chunk)
        self.on_end = plain("on_end", on_end)
        self.on_close = plain("on_close", on_close)
        self.on_pong = plain("on_pong", on_pong)
        self.on_drain = plain("on_drain", on_drain)
        self.on_handshake = plain("on_handshake", on_handshake)
        self.on_handshake_gone = plain("on_handshake_gone", on_handshake_gone)

    def __repr__(self) -> str:
        return f"<Endpoint {self.path}>"


def plain(name: str, handler: Any) -> Any:
    """Checks a handler of the callback layer."""
    if handler is not None and not callable(handler):
        raise TypeError(f"{name} must be callable, not {handler!r}")
    if inspect.iscoroutinefunction(handler):
        raise TypeError(f"{name} must be a plain function; {handler!r} is a coroutine function")
    return handler
