"""What a connection receives."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal, overload

from .. import _abi
from .._records import record
from ..close import Close, CloseCause
from ..exceptions import (
    CloseFrame,
    ConcurrencyError,
    ConnectionClosed,
    ConnectionClosedOK,
    closed_error,
)
from ..peer import Peer
from ..request import Request
from ._parts import Incoming, Parts, receive_sized

if TYPE_CHECKING:
    from ._channel import LoopChannel
    from .router import Route

Data = str | bytes

# A receive window counts messages here; this gives back whatever bytes they had.
_ALL_BYTES = 1 << 62


class Receiving(Peer):
    """The half of a `Connection` that hands on what the client sends, until it is closed."""

    __slots__ = (
        "_close", "_consumed", "_granting", "_loop", "_messages", "_parts", "_reading", "_receiver",
    )  # fmt: skip

    endpoint: Route
    _channel: LoopChannel

    def __init__(
        self, id: int, route: Route, channel: LoopChannel, request: Request | bytes
    ) -> None:
        super().__init__(id, route, channel, request)
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
        self._close: Close | None = None

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

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes the connection, and waits until it is closed."""
        raise NotImplementedError

    def _wake(self) -> None:
        """There is something to receive."""
        receiver = self._receiver
        if receiver is not None and not receiver.done():
            receiver.set_result(None)

    def _closed_error(self) -> ConnectionClosed:
        rcvd, sent, rcvd_first = _frames(self._close)
        return closed_error(rcvd, sent, rcvd_first)


def receive(connection: Receiving, message: Data) -> None:
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
