"""Takes batches of events from the engine and calls the handlers."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from ctypes import c_char, c_int, c_uint64, c_void_p
from operator import length_hint
from struct import Struct
from threading import get_ident
from typing import Any

from . import _abi
from ._channel import Channel
from ._library import failure, lib
from .client import Client
from .close import decode_close
from .endpoint import Endpoint
from .handshake import Handshake, HttpRequest, answer_failed

# Replies leave when a batch is done, so a batch must not grow without bound.
MAX_EVENTS = 1024

# wsgate_event as messages need it, because what costs here is the number of fields: kind and flags,
# read as one number, client and length; without data, because the payloads lie in the batch's block
# in the order of their events, without gaps.
_EVENT = "=QQ16xQ24x"
# For other events, code, endpoint and value.
_REST = Struct("=40xIIQ")
_BATCH = Struct("=QQQQQ8x")
_KIND_FLAGS = Struct("=II")
_WORD = Struct("=Q")

# A view of memory from an address on; it is sliced to what the engine says is there.
_Memory = c_char * sys.maxsize
# The engine's blocks take turns: so many views are kept.
_VIEWS = 64

_PARTS = frozenset({_abi.EVENT_KIND_BEGIN, _abi.EVENT_KIND_CHUNK, _abi.EVENT_KIND_END})

_take = lib.bare("wsgate_server_take")

_LEVELS = {
    _abi.LOG_LEVEL_ERROR: logging.ERROR,
    _abi.LOG_LEVEL_WARN: logging.WARNING,
    _abi.LOG_LEVEL_INFO: logging.INFO,
    _abi.LOG_LEVEL_DEBUG: logging.DEBUG,
    _abi.LOG_LEVEL_TRACE: logging.DEBUG - 5,
}

Fields = tuple[int, int, int]


def _word(kind: int, flags: int) -> int:
    (word,) = _WORD.unpack(_KIND_FLAGS.pack(kind, flags))
    return int(word)


TEXT = _word(_abi.EVENT_KIND_MESSAGE, 0)
BINARY = _word(_abi.EVENT_KIND_MESSAGE, _abi.EVENT_FLAG_BINARY)


class Pump:
    """Turns events into calls, on whichever thread steps it; a layer says what to do with each.

    Attributes:
        channel: the way into the engine.
        clients: those accepted and not closed, by id.
        stopped: the server's last event was delivered.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.clients: dict[int, Any] = {}
        self.stopped = False
        self._batch = (c_char * _BATCH.size).from_address(channel.batch or 0)
        # The arguments of `_take`.
        self._from = c_void_p(channel.pointer)
        self._into = c_void_p(channel.batch)
        self._most = c_uint64(MAX_EVENTS)
        self._views: dict[int, Any] = {}
        self._event = Struct(_EVENT)
        self._records = b""
        self._events: Iterator[Fields] | None = None
        self._payload = b""
        # How much of the payload belongs to the events that were delivered.
        self._delivered = 0

    def step(self, timeout_ms: int) -> None:
        """Delivers one batch of events, waiting for it up to a timeout (-1: for ever)."""
        with self.channel.taking:
            self.channel.taker = get_ident()
            try:
                self._step(c_int(timeout_ms))
            finally:
                self.channel.taker = 0

    def run(self, timeout_ms: int) -> None:
        """Delivers until the server has stopped or is wanted elsewhere; waits as `step` does."""
        channel = self.channel
        timeout = c_int(timeout_ms)
        with channel.taking:
            channel.taker = get_ident()
            try:
                while not (self.stopped or channel.wanted):
                    self._step(timeout)
            finally:
                channel.taker = 0

    def _step(self, timeout: c_int) -> None:
        channel = self.channel
        if channel.pointer is None:
            self.stopped = True
            return
        # What an exception such as KeyboardInterrupt broke off is delivered first.
        events = self._events
        if events is None:
            events = self._events = self._taken(timeout)
            if events is None:
                return
        channel.thread = channel.taker
        try:
            self._dispatch(events)
            self._events = None
            self._payload = self._records = b""
        finally:
            self._done()

    def _done(self) -> None:
        """The calls of a batch are made."""
        channel = self.channel
        try:
            channel.flush()
        finally:
            channel.thread = 0
            # A signal handler may have sent meanwhile.
            if channel.records or channel.run:
                channel.flush()
            if channel.forgotten or channel.stop_after is not None:
                channel.settle()

    def _taken(self, timeout: c_int) -> Iterator[Fields] | None:
        count = _take(self._from, self._into, self._most, timeout)
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
        views = self._views
        try:
            self._payload = views[payload][:length]
            self._records = views[events][: size * count]
        except KeyError:
            if len(views) >= _VIEWS:
                views.clear()
            for address in (events, payload):
                views[address] = _Memory.from_address(address)
            self._payload = views[payload][:length]
            self._records = views[events][: size * count]
        self._delivered = 0
        return self._event.iter_unpack(self._records)

    def _dispatch(self, events: Iterator[Fields]) -> None:
        clients = self.clients
        payload = self._payload
        # One decoding for all, where that can be.
        ascii = payload.decode() if payload.isascii() else None
        end = self._delivered
        try:
            for word, id, length in events:
                start = end
                end += length
                if word == TEXT:
                    try:
                        client = clients[id]
                    except KeyError:
                        continue
                    try:
                        on_message = client._on_message
                        on_message(
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
                        on_message = client._on_message
                        on_message(client, payload[start:end])
                    except Exception:
                        self._failed("on_message", client)
                else:
                    kind, flags = _KIND_FLAGS.unpack(_WORD.pack(word))
                    size = self._event.size
                    at = len(self._records) - size * (length_hint(events) + 1)
                    rest = _REST.unpack_from(self._records, at)
                    self._deliver(kind, flags, id, payload[start:end], *rest)
        finally:
            self._delivered = end

    def _deliver(
        self, kind: int, flags: int, id: int, data: bytes, code: int, endpoint: int, value: int
    ) -> None:
        """Any other event."""
        if kind == _abi.EVENT_KIND_OUTCOME:
            self.channel.tell(value, data)
        elif kind == _abi.EVENT_KIND_LOG:
            level = _LEVELS.get(code, logging.WARNING)
            self.channel.logger.log(level, "%s", data.decode(errors="replace"))
        elif kind == _abi.EVENT_KIND_STOPPED:
            self.stopped = True

    def _failed(self, name: str, client: Any) -> None:
        """A handler raised."""
        raise NotImplementedError


class CallbackPump(Pump):
    """Calls the handlers of the callback layer.

    Attributes:
        endpoints: by number.
        handshakes: those undecided, by id.
        expected: clients that were accepted and whose accept event has not come, by id.
        on_request, on_refused: the server's handlers of plain requests.
    """

    clients: dict[int, Client]

    def __init__(
        self,
        channel: Channel,
        on_request: Callable[[HttpRequest], object] | None,
        on_refused: Callable[[HttpRequest], object] | None,
    ) -> None:
        super().__init__(channel)
        self.endpoints: dict[int, Endpoint] = {}
        self.handshakes: dict[int, Handshake] = {}
        self.expected: dict[int, Client] = {}
        self.on_request = on_request
        self.on_refused = on_refused

    def _deliver(
        self, kind: int, flags: int, id: int, data: bytes, code: int, endpoint: int, value: int
    ) -> None:
        if kind == _abi.EVENT_KIND_ACCEPT:
            client = self.expected.pop(id, None)
            if client is None:
                client = Client(id, self.endpoints[endpoint], self.channel, data)
            else:
                client._request = data
            client.compressed = bool(flags & _abi.EVENT_FLAG_COMPRESSED)
            self.clients[id] = client
            self._call("on_accept", client)
        elif kind == _abi.EVENT_KIND_CLOSE:
            client_or_none = self.clients.pop(id, None)
            if client_or_none is not None:
                client_or_none._closed()
                close = decode_close(code, value, bool(flags & _abi.EVENT_FLAG_CLEAN), data)
                self._call("on_close", client_or_none, close)
        elif kind in _PARTS:
            part = self.clients.get(id)
            if part is None or not part._part(kind, value):
                return
            if kind == _abi.EVENT_KIND_CHUNK:
                self._call("on_chunk", part, data)
            elif kind == _abi.EVENT_KIND_BEGIN:
                self._call("on_begin", part, bool(flags & _abi.EVENT_FLAG_BINARY))
            else:
                self._call("on_end", part)
        elif kind == _abi.EVENT_KIND_PONG:
            if id in self.clients:
                self._call("on_pong", self.clients[id], value)
        elif kind == _abi.EVENT_KIND_DRAIN:
            if id in self.clients:
                self._call("on_drain", self.clients[id])
        elif kind == _abi.EVENT_KIND_HANDSHAKE:
            handshake = Handshake(id, self.endpoints[endpoint], self, data)
            self.handshakes[id] = handshake
            self._decide(handshake)
        elif kind == _abi.EVENT_KIND_HANDSHAKE_GONE:
            handshake_or_none = self.handshakes.pop(id, None)
            if handshake_or_none is not None:
                handshake_or_none.decided = True
                self._gone(handshake_or_none, code)
        elif kind == _abi.EVENT_KIND_REQUEST:
            self._answer(HttpRequest(id, self.channel, code or None, data))
        else:
            super()._deliver(kind, flags, id, data, code, endpoint, value)

    def _call(self, name: str, client: Client, *arguments: object) -> None:
        handler = getattr(client.endpoint, name)
        if handler is None:
            return
        try:
            handler(client, *arguments)
        except Exception:
            self._failed(name, client)

    def _failed(self, name: str, client: Client) -> None:
        self.channel.logger.exception("%s failed for %r", name, client)
        client.close(1011)

    def _decide(self, handshake: Handshake) -> None:
        handler = handshake.endpoint.on_handshake
        try:
            if handler is not None:
                handler(handshake)
        except Exception:
            self.channel.logger.exception("on_handshake failed for %r", handshake)
            if not handshake.decided:
                answer_failed(self.channel, lib.wsgate_reject, handshake.id)
                handshake._settled()

    def _gone(self, handshake: Handshake, status: int) -> None:
        handler = handshake.endpoint.on_handshake_gone
        try:
            if handler is not None:
                handler(handshake, status)
        except Exception:
            self.channel.logger.exception("on_handshake_gone failed for %r", handshake)

    def _answer(self, request: HttpRequest) -> None:
        name = "on_request" if request.refused is None else "on_refused"
        handler = getattr(self, name)
        try:
            if handler is not None:
                handler(request)
        except Exception:
            self.channel.logger.exception("%s failed for %r", name, request)
            answer_failed(self.channel, lib.wsgate_respond, request.id)
