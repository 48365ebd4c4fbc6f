"""Paths, their handlers and their settings."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .._records import milliseconds
from ..compression import DEFLATE, Compression
from ..policies import RatePolicy, SlowConsumer
from ..request import Request
from ..response import Response
from ._parts import WINDOW
from .connection import Connection, Handler

__all__ = ["Router"]

Origin = str | re.Pattern[str] | None
Decision = Awaitable[Response | None] | Response | None

# The engine's bounds, which stand for "no limit".
_MAX_SIZE = 1 << 30
_MAX_SECONDS = 3600.0
_MAX_MESSAGES = 1 << 31
_MAX_PINGS = 1000
_MAX_GRANT = (1 << 16) - 1
_MESSAGES = 10_000

_TIMES = ("open_timeout", "ping_interval", "ping_timeout", "close_timeout", "stream_timeout")

if TYPE_CHECKING:
    ProcessRequest = Callable[[Connection, Request], Decision]
    ProcessResponse = Callable[[Connection, Request, Response], Decision]
    SelectSubprotocol = Callable[[Connection, Sequence[str]], str | None]

H = TypeVar("H", bound=Handler)


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of `serve` that a path may have for itself."""

    origins: Sequence[Origin] | None = None
    same_host: bool = False
    subprotocols: Sequence[str] | None = None
    select_subprotocol: SelectSubprotocol | None = None
    process_request: ProcessRequest | None = None
    process_response: ProcessResponse | None = None
    server_header: str | None = None
    open_timeout: float | None = 10
    ping_interval: float | None = 20
    ping_timeout: float | None = 20
    close_timeout: float | None = 10
    max_size: int | tuple[int | None, int | None] | None = 2**20
    max_fragments: int | None = None
    max_queue: int | None = 16
    write_limit: int = 2**20
    slow_consumer: SlowConsumer = SlowConsumer.CLOSE
    frame_split: int | None = None
    rate_limit: tuple[int, int] = (0, 0)
    rate_policy: RatePolicy = RatePolicy.PAUSE
    compression: str | Compression | None = None
    gateway: str | None = None
    streaming: bool = False
    stream_timeout: float | None = 60

    def __post_init__(self) -> None:
        if isinstance(self.origins, str) or isinstance(self.subprotocols, str):
            raise TypeError("origins and subprotocols are sequences of strings, not a string")
        for origin in self.origins or ():
            if origin is not None and not isinstance(origin, (str, re.Pattern)):
                raise TypeError(f"an origin is a str, a regular expression or None, not {origin!r}")
        if self.same_host and not self.engine_checks_origins:
            raise ValueError("same_host goes with origins that are strings")
        if self.max_queue is not None and not (
            isinstance(self.max_queue, int) and self.max_queue > 0
        ):
            raise TypeError(
                f"max_queue is a number of messages from 1 up, or None, not {self.max_queue!r}: "
                "the low-water mark is half of it"
            )
        for name in _TIMES:
            value = getattr(self, name)
            if value is not None:
                milliseconds(name, value)
        if self.ping_interval is not None and self.ping_interval <= 0:
            raise ValueError("ping_interval is a number of seconds above 0, or None")
        if self.server_header is not None and (
            not isinstance(self.server_header, str) or not self.server_header.isprintable()
        ):
            raise TypeError(f"server_header is a line of text, not {self.server_header!r}")
        if not isinstance(self.write_limit, int):
            raise TypeError(
                f"write_limit is a number of bytes, not {self.write_limit!r}: "
                "the low-water mark is half of it"
            )
        if self.compression not in (None, "deflate") and not isinstance(
            self.compression, Compression
        ):
            raise ValueError(
                f"compression is None, 'deflate' or a Compression, not {self.compression!r}"
            )
        for name in ("process_request", "process_response", "select_subprotocol"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise TypeError(f"{name} must be callable, not {value!r}")

    @property
    def close_seconds(self) -> float:
        return _MAX_SECONDS if self.close_timeout is None else self.close_timeout

    @property
    def granting(self) -> int:
        """After how many messages the engine hears that they were received; 0: it need not."""
        return min((self.max_queue + 1) // 2, _MAX_GRANT) if self.max_queue else 0

    @property
    def engine_checks_origins(self) -> bool:
        return all(isinstance(origin, str) for origin in self.origins or ())

    @property
    def decides(self) -> bool:
        """Whether Python has a say in the handshake."""
        return not self.engine_checks_origins or any(
            value is not None
            for value in (
                self.process_request,
                self.process_response,
                self.select_subprotocol,
                self.server_header,
            )
        )

    def engine_settings(self) -> dict[str, Any]:
        """The arguments of `add_endpoint`."""
        if isinstance(self.max_size, tuple):
            message, frame = self.max_size
        else:
            message = frame = self.max_size
        interval = self.ping_interval
        timeout = math.inf if self.ping_timeout is None else self.ping_timeout
        return {
            "heartbeat": (0, 1) if interval is None else (interval, _pings(timeout / interval)),
            "receive_window": (
                WINDOW if self.streaming else _MAX_SIZE,
                _MAX_MESSAGES if not self.max_queue else self.max_queue,
            ),
            "streaming": self.streaming,
            "stream_timeout": self.stream_timeout or 0,
            "explicit_grants": self.granting > 0,
            "compression": DEFLATE if self.compression == "deflate" else self.compression,
            "slow_consumer": self.slow_consumer,
            "frame_split": self.frame_split,
            "rate_limit": self.rate_limit,
            "rate_policy": self.rate_policy,
            "origins": (self.origins or ()) if self.engine_checks_origins else (),
            "same_host": self.same_host,
            "subprotocols": self.subprotocols or (),
            "acceptor": self.decides,
            "handshake_timeout": _MAX_SECONDS if self.open_timeout is None else self.open_timeout,
            "close_period": self.close_seconds,
            "max_message_size": _MAX_SIZE if message is None else message,
            "max_frame_size": _MAX_SIZE if frame is None else frame,
            "max_fragments": self.max_fragments,
            "outbox_limit": (self.write_limit, _MESSAGES),
        }


def _pings(count: float) -> int:
    return int(max(1, min(count, _MAX_PINGS)))


@dataclasses.dataclass(frozen=True)
class Route:
    """A path that upgrades, its handler and its settings."""

    path: str
    handler: Handler
    options: Options

    def __post_init__(self) -> None:
        if not callable(self.handler):
            raise TypeError(f"a handler is a coroutine function, not {self.handler!r}")


class Router:
    """Several paths for one server.

    >>> router = Router()
    >>> @router.route("/rooms/:room", max_size=4096)
    ... async def in_room(connection: Connection) -> None:
    ...     async for message in connection:
    ...         await connection.send(f"{connection.request.params['room']}: {message}")

    ``wsgate.serve(router, host, port)`` serves them. Any other path gets 404.
    """

    def __init__(self) -> None:
        self.routes: list[tuple[str, Handler, dict[str, Any]]] = []

    def add(self, path: str, handler: Handler, **options: Any) -> None:
        """Adds a path.

        Args:
            path: ``"/chat"`` is that path alone; in ``"/rooms/:room"`` a parameter stands for one
                name, which ``connection.request.params`` tells; ``"/files/*"`` takes all below it.
            handler: called with each `Connection`.
            options: in place of the server's: ``origins``, ``same_host``, ``subprotocols``,
                ``select_subprotocol``, ``process_request``, ``process_response``,
                ``server_header``, the timeouts, ``ping_interval``, ``max_size``, ``max_queue``,
                ``write_limit``, ``gateway``, ``streaming``.
        """
        known = {field.name for field in dataclasses.fields(Options)}
        for name in options:
            if name not in known:
                raise TypeError(f"{name} is not an option of a path")
        self.routes.append((path, handler, options))

    def route(self, path: str, **options: Any) -> Callable[[H], H]:
        """`add` as a decorator."""

        def decorate(handler: H) -> H:
            self.add(path, handler, **options)
            return handler

        return decorate
