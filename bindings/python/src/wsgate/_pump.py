"""Takes batches of events from the engine and calls the handlers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from ctypes import c_char, string_at
from struct import Struct
from threading import get_ident

from . import _abi
from ._channel import Channel
from ._library import failure, lib
from .client import Client
from .close import decode_close
from .endpoint import Endpoint

# Replies leave when a batch is done, so a batch must not grow without bound.
MAX_EVENTS = 1024

# wsgate_event, with kind and flags read as one number, because what costs here is the number of
# fields; without data, because the payloads lie in the batch's block in the order of their events,
# without gaps; and without user_data and time_ns.
_EVENT = "=QQ16xQIIQ8x"
_BATCH = Struct("=QQQQQ8x")
_KIND_FLAGS = Struct("=II")
_WORD = Struct("=Q")

_LEVELS = {
    _abi.LOG_LEVEL_ERROR: logging.ERROR,
    _abi.LOG_LEVEL_WARN: logging.WARNING,
    _abi.LOG_LEVEL_INFO: logging.INFO,
    _abi.LOG_LEVEL_DEBUG: logging.DEBUG,
    _abi.LOG_LEVEL_TRACE: logging.DEBUG - 5,
}

Fields = tuple[int, int, int, int, int, int]


def _word(kind: int, flags: int) -> int:
    (word,) = _WORD.unpack(_KIND_FLAGS.pack(kind, flags))
    return int(word)


TEXT = _word(_abi.EVENT_KIND_MESSAGE, 0)
BINARY = _word(_abi.EVENT_KIND_MESSAGE, _abi.EVENT_FLAG_BINARY)


class Pump:
    """Turns events into calls, on whichever thread steps it.

    Attributes:
        clients: those accepted and not closed, by id.
        stopped: the server's last event was delivered.
    """

    def __init__(self, channel: Channel) -> None:
        self.clients: dict[int, Client] = {}
        self.endpoints: dict[int, Endpoint] = {}
        self.stopped = False
        self._channel = channel
        self._batch = (c_char * _BATCH.size).from_address(channel.batch or 0)
        self._event = Struct(_EVENT)
        self._events: Iterator[Fields] | None = None
        self._payload = b""
        # How much of the payload belongs to the events that were delivered.
        self._delivered = 0

    def step(self, timeout_ms: int) -> None:
        """Delivers one batch of events, waiting for it up to a timeout (-1: for ever)."""
        channel = self._channel
        with channel.taking:
            if channel.pointer is None:
                self.stopped = True
                return
            # What an exception such as KeyboardInterrupt broke off is delivered first.
            if self._events is None:
                self._events = self._take(channel.pointer, timeout_ms)
            if self._events is None:
                return
            channel.thread = get_ident()
            try:
                self._dispatch(self._events)
                self._events = None
                self._payload = b""
            finally:
                try:
                    channel.flush()
                finally:
                    channel.thread = 0
                    channel.settle()

    def _take(self, server: int, timeout_ms: int) -> Iterator[Fields] | None:
        count = lib.wsgate_server_take(server, self._channel.batch, MAX_EVENTS, timeout_ms)
        if count <= 0:
            if count == _abi.STATUS_CLOSED:
                self.stopped = True
            elif count < 0:
                raise failure(count)
            return None
        events, size, count, payload, length = _BATCH.unpack_from(self._batch)
        if size != self._event.size:
            # A newer library's records are longer.
            self._event = Struct(f"{_EVENT}{size - Struct(_EVENT).size}x")
        self._payload = string_at(payload, length)
        self._delivered = 0
        return self._event.iter_unpack(string_at(events, size * count))

    def _dispatch(self, events: Iterator[Fields]) -> None:
        clients = self.clients
        payload = self._payload
        # One decoding for all, where that can be.
        ascii = payload.decode("ascii") if payload.isascii() else None
        end = self._delivered
        try:
            for word, id, length, code, endpoint, value in events:
                start = end
                end += length
                if word == TEXT:
                    try:
                        client = clients[id]
                    except KeyError:
                        continue
                    try:
                        client._on_message(
                            client,
                            payload[start:end].decode() if ascii is None else ascii[start:end],
                        )
                    except Exception:
                        self._failed("on_message", client)
                elif word == BINARY:
                    try:
                        client = clients[id]
                    except KeyError:
                        continue
                    try:
                        client._on_message(client, payload[start:end])
                    except Exception:
                        self._failed("on_message", client)
                else:
                    kind, flags = _KIND_FLAGS.unpack(_WORD.pack(word))
                    self._deliver(kind, flags, id, payload[start:end], code, endpoint, value)
        finally:
            self._delivered = end

    def _deliver(
        self, kind: int, flags: int, id: int, data: bytes, code: int, endpoint: int, value: int
    ) -> None:
        if kind == _abi.EVENT_KIND_ACCEPT:
            client = self.clients[id] = Client(id, self.endpoints[endpoint], self._channel, data)
            self._call("on_accept", client)
        elif kind == _abi.EVENT_KIND_CLOSE:
            client_or_none = self.clients.pop(id, None)
            if client_or_none is not None:
                client_or_none._closed()
                close = decode_close(code, value, bool(flags & _abi.EVENT_FLAG_CLEAN), data)
                self._call("on_close", client_or_none, close)
        elif kind == _abi.EVENT_KIND_PONG:
            if id in self.clients:
                self._call("on_pong", self.clients[id], value)
        elif kind == _abi.EVENT_KIND_DRAIN:
            if id in self.clients:
                self._call("on_drain", self.clients[id])
        elif kind == _abi.EVENT_KIND_LOG:
            level = _LEVELS.get(code, logging.WARNING)
            self._channel.logger.log(level, "%s", data.decode(errors="replace"))
        elif kind == _abi.EVENT_KIND_STOPPED:
            self.stopped = True

    def _call(self, name: str, client: Client, *arguments: object) -> None:
        handler = getattr(client.endpoint, name)
        if handler is None:
            return
        try:
            handler(client, *arguments)
        except Exception:
            self._failed(name, client)

    def _failed(self, name: str, client: Client) -> None:
        self._channel.logger.exception("%s failed for %r", name, client)
        client.close(1011)
