"""One connection, as its handler sees it."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from contextlib import suppress
from struct import Struct
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .. import _abi
from .._library import lib
from .._records import LARGE, compress_flags, record, text_of, unsigned
from ..close import Close
from ..exceptions import ConnectionClosed, OutboxFull
from ..info import ClientInfo
from ..request import Request
from ..response import Response
from ._pieces import BytesLike, pieces_of, send_pieces
from ._receiving import Data, Receiving

if TYPE_CHECKING:
    from ._channel import LoopChannel
    from .router import Route
    from .server import Server

__all__ = ["Connection", "State"]

# How many records of one loop turn may wait for its end.
_TURN = 512

_ROUND_TRIP = Struct("=Q")


Handler = Callable[["Connection"], Awaitable[object]]


class State(enum.IntEnum):
    """Where a connection is in its life, with the numbers of RFC 6455's API."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


class Connection(Receiving):
    """A client; the handler gets it. Use it on the event loop's own thread.

    It iterates over the client's messages, `str` for text and `bytes` for binary, and ends when
    the connection is closed with 1000, 1001 or no code; any other end raises
    `ConnectionClosedError`.

    Attributes:
        id: the engine's id, unique in the process and never used again.
        server: the server that it came to.
        logger: the server's.

    Further attributes may be set on it.
    """

    __slots__ = (
        "__dict__", "_blocked", "_closing", "_drained", "_ended", "_held", "_latency", "_open",
        "_pings", "_sending", "server",
    )  # fmt: skip

    def __init__(
        self, id: int, route: Route, channel: LoopChannel, request: Request | bytes, server: Server
    ) -> None:
        super().__init__(id, route, channel, request)
        self.server = server
        self._latency = 0.0
        # `send` may not simply go on: closing, closed, the outbox is full, pieces are under way.
        self._blocked = False
        self._sending = False
        # What the outbox had no room for, and who waits until it is out.
        self._held: deque[bytes] = deque()
        self._drained: asyncio.Future[None] | None = None
        self._pings: dict[int, asyncio.Future[float]] = {}
        self._open = False
        self._closing = False
        self._ended: asyncio.Future[None] = self._loop.create_future()

    @property
    def logger(self) -> logging.Logger:
        return self._channel.logger

    @property
    def latency(self) -> float:
        """The latest round trip in seconds, of a ping or the heartbeat; 0.0 before."""
        with suppress(ConnectionClosed):
            self._latency = self.info.round_trip_ns / 1e9
        return self._latency

    @property
    def state(self) -> State:
        if self._close is not None:
            return State.CLOSED
        if self._closing:
            return State.CLOSING
        return State.OPEN if self._open else State.CONNECTING

    @property
    def close_code(self) -> int | None:
        """The code of the peer's Close frame, 1006 when none came; None while it is open."""
        return None if self._close is None else self._closed_error().code

    @property
    def close_reason(self) -> str | None:
        """The reason in the peer's Close frame; None while it is open."""
        return None if self._close is None else self._closed_error().reason

    @property
    def info(self) -> ClientInfo:
        """Its counters and timestamps: as they are now, or as they were in the end."""
        return super().info if self._close is None else self._close.info

    @property
    def ended(self) -> Close | None:
        """How it ended, with the final counters and timestamps; None while it is open."""
        return self._close

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close(1000 if kind is None else 1011)

    async def send(
        self,
        message: Data | bytearray | memoryview | Iterable[Any] | AsyncIterable[Any],
        *,
        text: bool | None = None,
        compress: bool | None = None,
    ) -> None:
        """Sends a text message (str) or a binary one (bytes-like); waits while its outbox is full.

        `text` says otherwise: True sends bytes that are UTF-8 as text, False a str as binary.
        `compress` says that it is compressed, or not, where the option would choose otherwise; of
        a message in pieces it says nothing.

        The pieces of an iterable or an asynchronous one are all str or all bytes-like, and leave as
        they come, a frame each; no piece at all is no message. Other sends wait until the last is
        out. When the iterable raises, or `send` is cancelled, the message can't be completed: the
        connection is closed with 1011.

        Raises `ConnectionClosed` when it is closed. What this loop turn sends leaves at its end,
        together. A `send` that is cancelled while it waits may have sent or not.
        """
        if self._blocked:
            await self._room()
        kind: Any = type(message)
        plain: Any = message
        if (
            not (plain.isascii() if kind is str else kind is bytes)
            or text is not None
            or compress is not None
            or len(plain) > LARGE
        ):
            await self._send_other(message, text, compress_flags(compress))
            return
        channel = self._channel
        if not channel.open:
            channel.gather()
        if kind is channel.kind:
            channel.run.extend((self.id, plain))
        else:
            channel.send(kind, (self.id, plain))
        if len(channel.run) > 2 * _TURN:
            channel.flush()

    async def _send_other(self, message: Any, text: bool | None, flags: int) -> None:
        if not isinstance(message, (str, *BytesLike)):
            await send_pieces(self, pieces_of(message), text)
            return
        is_text = isinstance(message, str) if text is None else text
        payload = message.encode() if isinstance(message, str) else bytes(message)
        channel = self._channel
        if not channel.open:
            channel.gather()
        if len(payload) > LARGE:
            await self._send_large(payload, is_text, flags)
            return
        op = _abi.OP_SEND_TEXT if is_text else _abi.OP_SEND_BINARY
        channel.post(record(op, self.id, payload, flags=flags))
        if len(channel.records) >= _TURN:
            channel.flush()

    async def _flowing(self) -> None:
        """Waits until the outbox has taken what was sent of the message under way."""
        while self._held or self._closing or self._close is not None:
            if self._closing or self._close is not None:
                await self.wait_closed()
                raise self._closed_error()
            await self._emptied()

    async def _send_large(self, payload: bytes, text: bool, flags: int) -> None:
        kind = 0 if text else _abi.SEND_FLAG_BINARY
        try:
            self._channel.call(lib.wsgate_client_send, self.id, flags | kind, payload, len(payload))
        except OutboxFull:
            op = _abi.OP_SEND_TEXT if text else _abi.OP_SEND_BINARY
            self._hold(record(op, self.id, payload, flags=flags))
            await self._room()
        except ConnectionClosed:
            # Gone, and its close event on the way.
            await self.wait_closed()
            raise self._closed_error() from None

    async def _room(self) -> None:
        """Waits until `send` may go on, or raises that it never will."""
        while self._blocked:
            if self._close is not None or self._closing:
                await self.wait_closed()
                raise self._closed_error()
            await self._emptied()

    async def _emptied(self) -> None:
        if self._drained is None:
            self._drained = self._loop.create_future()
        await asyncio.shield(self._drained)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes it (RFC 6455 §7.1.2) and waits until it is closed.

        What was sent before goes out first; `close_timeout` bounds the wait. `reason` has at most
        123 bytes in UTF-8. When it is closed or closing already, only waits.
        """
        if self._open and self._close is None and not self._closing:
            text = text_of("reason", reason)
            unsigned("code", code, 32)
            if self._held:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._emptied(), self.endpoint.options.close_seconds)
            self._begin_close(code, text)
        await self.wait_closed()

    def _begin_close(self, code: int, reason: bytes) -> None:
        if self._close is not None or self._closing:
            return
        with suppress(ConnectionClosed):
            self._channel.call(lib.wsgate_client_close, self.id, code, reason, len(reason))
        self._closing = self._blocked = True
        self._held.clear()
        self._wake_senders()

    async def wait_closed(self) -> None:
        """Waits until it is closed."""
        await asyncio.shield(self._ended)

    async def ping(self) -> Awaitable[float]:
        """Sends a ping; gives an awaitable for the round trip in seconds.

        >>> async def measure(connection: Connection) -> float:
        ...     pong = await connection.ping()
        ...     return await pong

        The awaitable raises `ConnectionClosed` when the connection ends before. The engine chooses
        what the ping carries.
        """
        if self._close is not None or self._closing:
            await self.wait_closed()
            raise self._closed_error()
        ticket = self._channel.next_ticket()
        self._channel.post(record(_abi.OP_PING, self.id, ticket=ticket))
        pong: asyncio.Future[float] = self._loop.create_future()
        self._pings[ticket] = pong
        return pong

    def respond(self, status: int, text: str) -> Response:
        """Makes a plain text response, for `process_request` and `process_response`."""
        return Response.text(status, text)

    # What follows is called by the pump.

    def _pong(self, ticket: int, data: bytes) -> None:
        (nanoseconds,) = _ROUND_TRIP.unpack_from(data)
        self._latency = nanoseconds / 1e9
        pong = self._pings.pop(ticket, None)
        if pong is not None and not pong.done():
            pong.set_result(self._latency)

    def _hold(self, one: bytes) -> None:
        """Keeps a message that the outbox had no room for."""
        if not self._closing and self._close is None:
            self._held.append(one)
            self._blocked = True

    def _drain(self) -> None:
        """There is room in the outbox again."""
        held = self._held
        while held and self._channel.submit(held[0]) != _abi.STATUS_FULL:
            held.popleft()
        if not held and not self._closing:
            self._blocked = self._sending
            self._wake_senders()

    def _wake_senders(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def _end(self, close: Close) -> None:
        self._close = close
        self._blocked = True
        self._held.clear()
        self._wake_senders()
        self._wake()
        if not self._ended.done():
            self._ended.set_result(None)
        pings, self._pings = self._pings, {}
        for pong in pings.values():
            if not pong.done():
                pong.set_exception(self._closed_error())
                # Whoever does not wait for it need not hear of it.
                pong.exception()
