"""One connection, as its handler sees it."""

from __future__ import annotations

import asyncio
import codecs
import enum
import logging
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from struct import Struct
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, overload

from .. import _abi
from .._library import lib
from .._records import LARGE, compress_flags, record, text_of, unsigned
from ..close import Close, CloseCause
from ..exceptions import (
    CloseFrame,
    ConcurrencyError,
    ConnectionClosed,
    ConnectionClosedOK,
    OutboxFull,
    closed_error,
)
from ..info import ClientInfo
from ..peer import Peer
from ..request import Request
from ..response import Response
from ._parts import Incoming, Parts, receive_sized
from ._pieces import BytesLike, pieces_of, send_pieces

if TYPE_CHECKING:
    from ._channel import LoopChannel
    from .router import Route
    from .server import Server

__all__ = ["Connection", "State"]

Data = str | bytes
# How many records of one loop turn may wait for its end.
_TURN = 512

# A receive window counts messages here; this gives back whatever bytes they had.
_ALL_BYTES = 1 << 62

_ROUND_TRIP = Struct("=Q")


Handler = Callable[["Connection"], Awaitable[object]]


class State(enum.IntEnum):
    """Where a connection is in its life, with the numbers of RFC 6455's API."""

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3


class Connection(Peer):
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
        "__dict__", "_blocked", "_close", "_closing", "_consumed", "_drained", "_ended",
        "_granting", "_held", "_latency", "_loop", "_messages", "_open", "_parts", "_pings",
        "_reading", "_receiver", "_sending", "server",
    )  # fmt: skip

    endpoint: Route
    _channel: LoopChannel

    def __init__(
        self, id: int, route: Route, channel: LoopChannel, request: Request | bytes, server: Server
    ) -> None:
        super().__init__(id, route, channel, request)
        self.server = server
        self._latency = 0.0
        self._on_message = receive
        # Messages that were received since the engine was last told, and how many it waits for.
        self._consumed = 0
        self._granting = route.options.granting
        self._loop = channel.loop
        self._messages: deque[Data] = deque()
        self._parts: Parts | None = None
        if route.options.streaming:
            self._on_message = receive_sized
            self._parts = Parts(self, self._granting)
            # Each message tells its bytes.
            self._granting = 1
        # The message whose pieces `recv_streaming` has begun to give.
        self._reading: Incoming | None = None
        # Where `recv` waits. It stays until that task runs, so that no other takes its message.
        self._receiver: asyncio.Future[None] | None = None
        # `send` may not simply go on: closing, closed, the outbox is full, pieces are under way.
        self._blocked = False
        self._sending = False
        # What the outbox had no room for, and who waits until it is out.
        self._held: deque[bytes] = deque()
        self._drained: asyncio.Future[None] | None = None
        self._pings: dict[int, asyncio.Future[float]] = {}
        self._open = False
        self._closing = False
        self._close: Close | None = None
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

    def __aiter__(self) -> AsyncIterator[Data]:
        return self

    async def __anext__(self) -> Data:
        if not self._messages or self._receiver is not None:
            try:
                await self._arrival()
            except ConnectionClosedOK:
                raise StopAsyncIteration from None
        self._consumed += 1
        if self._consumed == self._granting:
            self._grant()
        return self._messages.popleft()

    @overload
    async def recv(self, decode: Literal[True]) -> str: ...
    @overload
    async def recv(self, decode: Literal[False]) -> bytes: ...
    @overload
    async def recv(self, decode: bool | None = None) -> Data: ...

    async def recv(self, decode: bool | None = None) -> Data:
        """Gives the next message; when there is none left and it is closed, `ConnectionClosed`.

        Cancelling it loses nothing: the next call gets the message. `decode=False` gives text as
        bytes, `decode=True` bytes as text; if they are not UTF-8, it is closed with 1007. A
        second task that receives at the same time gets `ConcurrencyError`.
        """
        if not self._messages or self._receiver is not None:
            await self._arrival()
        self._consumed += 1
        if self._consumed == self._granting:
            self._grant()
        message = self._messages.popleft()
        if decode is None:
            return message
        if isinstance(message, str):
            return message if decode else message.encode()
        if not decode:
            return message
        try:
            return message.decode()
        except UnicodeDecodeError as error:
            await self.close(1007, f"{error.reason} at position {error.start}")
            raise self._closed_error() from error

    @overload
    def recv_streaming(self, decode: Literal[True]) -> AsyncIterator[str]: ...
    @overload
    def recv_streaming(self, decode: Literal[False]) -> AsyncIterator[bytes]: ...
    @overload
    def recv_streaming(self, decode: bool | None = None) -> AsyncIterator[Data]: ...

    async def recv_streaming(self, decode: bool | None = None) -> AsyncIterator[Data]:
        """Gives the next message in pieces, as they arrive.

        With the option ``streaming`` of `serve`; without it, and for a message of at most 64 KiB
        that has come whole, there is one piece. A piece has at least one byte, unless the message
        is empty; its bounds mean nothing. The sender is held back while a megabyte waits.

        Once there was a piece, receive the others, or `discard` them; until then, `recv` raises
        `ConcurrencyError`.
        """
        parts = self._parts
        if parts is None:
            yield await self.recv(decode)
            return
        if not self._messages or self._receiver is not None:
            await self._arrival(parts)
        incoming = parts.incoming
        if self._messages or incoming is None:
            yield await self.recv(decode)
            return
        incoming.streamed = True
        self._reading = incoming
        text = incoming.text if decode is None else decode
        decoder = codecs.getincrementaldecoder("utf-8")() if text else None
        given = False
        async for data in parts.stream(incoming):
            try:
                piece = data if decoder is None else decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                await self.close(1007, f"{error.reason} at position {error.start}")
                raise self._closed_error() from error
            if piece or not (data or given):
                given = True
                yield piece

    def discard(self) -> None:
        """Throws away the rest of the message that `recv_streaming` has begun to give."""
        reading, self._reading = self._reading, None
        if reading is not None and self._parts is not None:
            self._parts.discard(reading)
            self._wake()
            self._receiver = None

    def _grant(self) -> None:
        """Lets the engine read more: some messages at a time, so that it costs little for each."""
        self._consumed, count = 0, self._consumed
        if self._parts is not None:
            self._parts.received()
        else:
            self._give_back(count, _ALL_BYTES)

    def _give_back(self, messages: int, size: int) -> None:
        if self._close is None:
            channel = self._channel
            if not channel.open:
                channel.gather()
            channel.records.append(
                record(_abi.OP_CLIENT_GRANT, self.id, ticket=size, flags=messages)
            )

    def _post(self, one: bytes) -> None:
        if self._close is None:
            if not self._channel.open:
                self._channel.gather()
            self._channel.post(one)

    async def _arrival(self, pieces: Parts | None = None) -> None:
        """Waits until there is a message, or with `pieces`, the beginning of one."""
        if self._receiver is not None:
            raise ConcurrencyError(
                _abi.STATUS_BUSY, "cannot call recv while another coroutine is already running recv"
            )
        while not self._messages:
            if pieces is not None:
                if pieces.incoming is not None and not pieces.incoming.discarded:
                    return
            elif self._parts is not None:
                self._parts.gather()
            if self._close is not None:
                raise self._closed_error()
            receiver = self._receiver = self._loop.create_future()
            try:
                await receiver
            finally:
                self._receiver = None

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

    def _closed_error(self) -> ConnectionClosed:
        rcvd, sent, rcvd_first = _frames(self._close)
        return closed_error(rcvd, sent, rcvd_first)

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

    def _wake(self) -> None:
        """There is something to receive."""
        receiver = self._receiver
        if receiver is not None and not receiver.done():
            receiver.set_result(None)

    def _wake_senders(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def _end(self, close: Close) -> None:
        self._close = close
        self._blocked = True
        self._held.clear()
        self._wake_senders()
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)
        if not self._ended.done():
            self._ended.set_result(None)
        pings, self._pings = self._pings, {}
        for pong in pings.values():
            if not pong.done():
                pong.set_exception(self._closed_error())
                # Whoever does not wait for it need not hear of it.
                pong.exception()


def receive(connection: Connection, message: Data) -> None:
    """What the pump calls with each message."""
    connection._messages.append(message)
    receiver = connection._receiver
    if receiver is not None and not receiver.done():
        receiver.set_result(None)


def _frames(close: Close | None) -> tuple[CloseFrame | None, CloseFrame | None, bool | None]:
    """The Close frames received and sent, and whether they came in this order."""
    if close is None or close.cause == CloseCause.LOST:
        return None, None, None
    one = CloseFrame(close.code, close.reason)
    other = one if close.clean else None
    if close.cause == CloseCause.PEER:
        return one, other, True if close.clean else None
    return other, one, False if close.clean else None
