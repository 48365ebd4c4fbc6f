"""One accepted connection."""

from __future__ import annotations

from contextlib import suppress
from logging import getLogger
from threading import get_ident
from typing import TYPE_CHECKING, Any

from . import _abi
from ._channel import Channel
from ._library import lib
from ._records import LARGE, compress_flags, payload_of, record, text_of, unsigned
from .exceptions import ConnectionClosed, OutboxFull
from .peer import Peer
from .request import Request

if TYPE_CHECKING:
    from .endpoint import Endpoint

__all__ = ["Client"]


class Client(Peer):
    """A connection; made by the server, handed to the callbacks.

    Its methods may be called on any thread. Within a callback they are collected and go to the
    engine together when the callbacks of this batch of events are done (`Server.flush` does it
    earlier); elsewhere they go at once and raise what is wrong. After the close event every `send`
    raises `ConnectionClosed`.

    Attributes:
        id: the engine's id, unique in the process and never used again.
        endpoint: where the client connected.
        data: the application's own; None at first.
    """

    __slots__ = ("_arriving", "_closing", "_ignores", "data")

    endpoint: Endpoint

    def __init__(
        self, id: int, endpoint: Endpoint, channel: Channel, request: bytes | Request
    ) -> None:
        super().__init__(id, endpoint, channel, request)
        self.data: Any = None
        # The number of the message that comes in pieces, and whether its rest is not wanted.
        self._arriving = 0
        self._ignores = False
        self._closing = False
        self._on_message = endpoint.on_message or ignore_message

    def send(
        self, message: str | bytes | bytearray | memoryview, compress: bool | None = None
    ) -> None:
        """Sends a text message (str) or a binary message (bytes-like).

        `compress` says that it is compressed, or not, where the endpoint would choose otherwise;
        without compression on the connection it says nothing.

        Never blocks. Raises `OutboxFull` when the client's outbox is at its limit and
        `ConnectionClosed` when the client is gone. Within a callback it is too late to raise when
        that turns out: a message for a client that is gone is dropped, for its close event is on
        the way, and a client whose outbox is full is closed with 1013 "Too slow" and a warning is
        logged. Where that can happen, use `try_send`.
        """
        channel = self._channel
        if channel.thread != get_ident():
            self._send_now(message, compress)
            return
        kind: Any = type(message)
        plain: Any = message
        # What is not ASCII is encoded at once, where it can still raise.
        if (
            (plain.isascii() if kind is str else kind is bytes)
            and compress is None
            and len(plain) <= LARGE
        ):
            if kind is channel.kind:
                channel.run.extend((self.id, plain))
            else:
                channel.send(kind, (self.id, plain))
        else:
            self._send_other(message, compress)

    def try_send(
        self, message: str | bytes | bytearray | memoryview, *, compress: bool | None = None
    ) -> bool:
        """Sends at once, after all that was sent before it, or returns False: the outbox is full.

        `on_drain` is called when there is room again. Raises `ConnectionClosed` when the client is
        gone.
        """
        try:
            self._send_now(message, compress)
        except OutboxFull:
            return False
        return True

    def begin(self, binary: bool = False) -> None:
        """Begins a message that is sent in pieces, by `chunk` and `end`.

        What else is sent to the client meanwhile comes after it. When the client is closed before
        the message has ended, or no piece comes for the endpoint's ``stream_timeout``, the peer is
        told 1011 "Message abandoned", because it has a part of it. Outside of callbacks it raises
        `WsgateError` when a message is open already, and `ConnectionClosed`.
        """
        self._channel.post(record(_abi.OP_BEGIN_BINARY if binary else _abi.OP_BEGIN_TEXT, self.id))

    def chunk(self, data: str | bytes | bytearray | memoryview) -> None:
        """Sends the next piece; of a text, str or bytes that may end within a character.

        What is wrong turns out as with `send`; where the outbox can be full, use `try_chunk`.
        """
        self._channel.post(record(_abi.OP_CHUNK, self.id, payload_of(data)[0]))

    def try_chunk(self, data: str | bytes | bytearray | memoryview) -> bool:
        """Sends the next piece at once, or returns False: the outbox is full.

        `on_drain` is called when there is room again: then any piece fits. Raises `WsgateError`
        when no message is open, and `ConnectionClosed`.
        """
        payload, _ = payload_of(data)
        try:
            self._channel.call(lib.wsgate_client_chunk, self.id, payload, len(payload))
        except OutboxFull:
            return False
        return True

    def end(self) -> None:
        """Ends the message."""
        self._channel.post(record(_abi.OP_END, self.id))

    def abort(self) -> None:
        """Gives the message up, and with it the client: it is closed with 1011."""
        self._channel.post(record(_abi.OP_ABORT, self.id))

    def discard(self) -> None:
        """The rest of the message that comes in pieces is not wanted: `on_end` is called next."""
        self._ignores = True
        with suppress(ConnectionClosed):
            self._channel.post(record(_abi.OP_DISCARD, self.id, ticket=self._arriving))

    def ping(self, ticket: int) -> None:
        """Sends a ping; `on_pong` gets the ticket (0 to 2**64 - 1) back with its answer."""
        ticket = unsigned("ticket", ticket)
        self._channel.post(record(_abi.OP_PING, self.id, ticket=ticket))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Starts the closing handshake (RFC 6455 §7.1.2); `on_close` follows.

        `reason` has at most 123 bytes in UTF-8. No more messages of this client are delivered.
        Does nothing when it is closed already.
        """
        text = text_of("reason", reason)
        code = unsigned("code", code, 32)
        with suppress(ConnectionClosed):
            self._channel.call(lib.wsgate_client_close, self.id, code, text, len(text))
        self._on_message = ignore_message
        self._closing = True

    def grant(self, messages: int, size: int = 0) -> None:
        """Gives back so many messages, and bytes, of its receive window.

        On an endpoint with ``explicit_grants``. More than it has in hand is no credit for later.
        """
        size = unsigned("size", size)
        messages = unsigned("messages", messages)
        with suppress(ConnectionClosed):
            self._channel.call(lib.wsgate_client_grant, self.id, size, messages)

    def pause(self) -> None:
        """Stops reading it, and pinging it, until `resume`; what was read already still comes."""
        self._channel.post(record(_abi.OP_CLIENT_PAUSE, self.id))

    def resume(self) -> None:
        """Reads it again."""
        self._channel.post(record(_abi.OP_CLIENT_RESUME, self.id))

    def _send_now(
        self, message: str | bytes | bytearray | memoryview, compress: bool | None
    ) -> None:
        payload, text = payload_of(message)
        flags = compress_flags(compress) | (0 if text else _abi.SEND_FLAG_BINARY)
        self._channel.call(lib.wsgate_client_send, self.id, flags, payload, len(payload))

    def _send_other(
        self, message: str | bytes | bytearray | memoryview, compress: bool | None
    ) -> None:
        """Within a callback: what does not fit in with the others."""
        payload, text = payload_of(message)
        if len(payload) <= LARGE:
            op = _abi.OP_SEND_TEXT if text else _abi.OP_SEND_BINARY
            self._channel.post(record(op, self.id, payload, flags=compress_flags(compress)))
            return
        try:
            self._send_now(message, compress)
        except ConnectionClosed:
            pass
        except OutboxFull:
            self._channel.too_slow(self.id)

    def _part(self, kind: int, number: int) -> bool:
        """Something of a message in pieces has come; whether the application is to hear of it."""
        if kind == _abi.EVENT_KIND_BEGIN:
            self._arriving = number
            self._ignores = False
        return not (self._closing or (self._ignores and kind == _abi.EVENT_KIND_CHUNK))

    def _closed(self) -> None:
        self._channel = _GONE


class _Gone(Channel):
    """What a closed client sends through: no server behind it, so that every call raises."""

    __slots__ = ()

    def server(self) -> int:
        raise ConnectionClosed(_abi.STATUS_CLOSED, "the connection is closed")


_GONE = _Gone(None, None, getLogger("wsgate"))


def ignore_message(client: Client, message: str | bytes) -> None:
    pass
