"""What a streaming connection receives: messages in parts."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from .. import _abi
from .._records import record

if TYPE_CHECKING:
    from ._receiving import Receiving

# The bytes of one streaming client that may wait here; a quarter of them is given back at a time.
WINDOW = 1 << 20
_QUARTER = WINDOW // 4


class Incoming:
    """A message that arrives in parts.

    Attributes:
        number: the engine's for it.
        text: whether it is text.
        pieces: what has come and was not handed on.
        size: the bytes that are still to be given back.
        ended: no more pieces come.
        streamed: `recv_streaming` hands its pieces on.
        discarded: nobody wants its pieces.
    """

    __slots__ = ("discarded", "ended", "number", "pieces", "size", "streamed", "text")

    def __init__(self, number: int, text: bool) -> None:
        self.number = number
        self.text = text
        self.pieces: deque[bytes] = deque()
        self.size = 0
        self.ended = False
        self.streamed = False
        self.discarded = False


class Parts:
    """What a streaming connection receives besides whole messages, and owes the engine for.

    Attributes:
        incoming: the message that is arriving.
    """

    __slots__ = ("_bytes", "_connection", "_limit", "_messages", "_sizes", "incoming")

    def __init__(self, connection: Receiving, limit: int) -> None:
        self._connection = connection
        self.incoming: Incoming | None = None
        # By whole message that waits: what to give back when it is received.
        self._sizes: deque[int] = deque()
        # What is to be given back, and at how many messages it is; 0: nothing ever.
        self._limit = limit
        self._bytes = 0
        self._messages = 0

    def whole(self, message: str | bytes) -> None:
        """A message has come at once."""
        if type(message) is str and not message.isascii():
            self._sizes.append(len(message.encode()))
        else:
            self._sizes.append(len(message))

    def received(self) -> None:
        """The connection's first message is handed on."""
        self.owe(self._sizes.popleft(), 1)

    def begin(self, number: int, text: bool) -> None:
        self.incoming = Incoming(number, text)
        self._connection._wake()

    def chunk(self, data: bytes) -> None:
        incoming = self.incoming
        if incoming is None:
            return
        if incoming.discarded:
            self.owe(len(data), 0)
            return
        incoming.pieces.append(data)
        incoming.size += len(data)
        self._connection._wake()

    def end(self) -> None:
        incoming, self.incoming = self.incoming, None
        if incoming is None:
            return
        incoming.ended = True
        if incoming.discarded:
            self.owe(0, 1)
        elif incoming.streamed:
            self._connection._wake()
        else:
            # Nobody has asked for its pieces.
            data = b"".join(incoming.pieces)
            self._sizes.append(incoming.size)
            self._connection._messages.append(data.decode() if incoming.text else data)
            self._connection._wake()

    def gather(self) -> None:
        """Somebody waits for the whole message that is arriving, however long it is."""
        incoming = self.incoming
        if incoming is not None:
            self.owe(incoming.size, 0)
            incoming.size = 0

    async def stream(self, incoming: Incoming) -> AsyncIterator[bytes]:
        """What comes of a message, and b"" at its end."""
        connection = self._connection
        # That there is one keeps others from receiving.
        connection._receiver = connection._loop.create_future()
        connection._receiver.set_result(None)
        while not incoming.discarded:
            if incoming.pieces:
                data = incoming.pieces.popleft()
                incoming.size -= len(data)
                self.owe(len(data), 0)
                yield data
            elif incoming.ended:
                connection._reading = connection._receiver = None
                self.owe(0, 1)
                yield b""
                return
            elif connection._close is not None:
                connection._reading = connection._receiver = None
                raise connection._closed_error()
            else:
                connection._receiver = connection._loop.create_future()
                await connection._receiver

    def discard(self, incoming: Incoming) -> None:
        """Nobody wants the rest of it."""
        incoming.discarded = True
        incoming.pieces.clear()
        self.owe(incoming.size, 1 if incoming.ended else 0)
        incoming.size = 0
        if not incoming.ended:
            one = record(_abi.OP_DISCARD, self._connection.id, ticket=incoming.number)
            self._connection._post(one)

    def owe(self, size: int, messages: int) -> None:
        """So much has been dealt with: the engine hears of it when it is worth that."""
        self._bytes += size
        self._messages += messages
        if self._limit and (self._messages >= self._limit or self._bytes >= _QUARTER):
            size, messages, self._bytes, self._messages = self._bytes, self._messages, 0, 0
            self._connection._give_back(messages, size)


def receive_sized(connection: Receiving, message: str | bytes) -> None:
    """What the pump calls with each whole message of a streaming connection."""
    parts = connection._parts
    assert parts is not None
    parts.whole(message)
    connection._messages.append(message)
    connection._wake()
