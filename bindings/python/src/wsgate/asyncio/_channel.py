"""The way into the engine from an event loop, and the events' way onto it."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import weakref
from ctypes import c_int32
from threading import get_ident
from typing import TYPE_CHECKING

from .. import _abi
from .._channel import Channel
from .._library import lib, status_text
from .._pump import Pump
from ..close import decode_close
from ..exceptions import ConnectionClosed, ServerForked
from .connection import Connection

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from .server import Server

_ERROR = 1011
_PARTS = frozenset({_abi.EVENT_KIND_BEGIN, _abi.EVENT_KIND_CHUNK, _abi.EVENT_KIND_END})


class LoopChannel(Channel):
    """Collects what a turn of the event loop sends; its end hands all over in one call.

    Attributes:
        loop: the event loop.
        clients: the connections that are open, by id.
        open: records are being collected: a flush is scheduled behind all that is ready to run.
    """

    __slots__ = ("_status", "clients", "loop", "loop_thread", "open")

    def __init__(self, pointer: int | None, batch: int | None, logger: logging.Logger) -> None:
        super().__init__(pointer, batch, logger)
        self.loop: asyncio.AbstractEventLoop  # from the start on
        self.loop_thread = 0
        self.clients: dict[int, Connection] = {}
        self.open = False
        self.awaits = True
        self._status = (c_int32 * 1)()
        _channels.add(self)

    def gather(self) -> None:
        """Begins to collect, until all that is ready to run has run."""
        if os.getpid() != self._pid:
            raise ServerForked(_abi.STATUS_FORKED, status_text(_abi.STATUS_FORKED))
        if get_ident() != self.loop_thread:
            raise RuntimeError("a connection is used on its event loop's thread only")
        self.thread = self.loop_thread
        self.open = True
        self.loop.call_soon(self._leave)

    def _leave(self) -> None:
        self.open = False
        try:
            self.flush()
        finally:
            self.thread = 0
            # A signal handler may have sent meanwhile.
            if self.records or self.run:
                self.flush()
            self.settle()

    def submit(self, record: bytes) -> int:
        """Hands one command over at once, and gives its status."""
        if self.pointer is None:
            return _abi.STATUS_CLOSED
        lib.wsgate_submit(self.pointer, record, len(record), self._status, 1)
        return self._status[0]

    def full(self, record: bytes, client: int) -> None:
        """Its connection keeps it: `send` waits from now on."""
        connection = self.clients.get(client)
        if connection is not None:
            connection._hold(record)


class LoopPump(Pump):
    """Turns events into what handlers wait for."""

    clients: dict[int, Connection]
    channel: LoopChannel

    def __init__(self, channel: LoopChannel, server: Server) -> None:
        super().__init__(channel)
        self.clients = channel.clients
        # The server holds the pump; a cycle would leave its end to the garbage collector.
        self._server = weakref.ref(server)
        self._detach: Callable[[], None] | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on the loop delivers, until `detach`."""
        descriptor = self.channel.call(lib.wsgate_server_fd)
        try:
            loop.add_reader(descriptor, self._deliver_ready)
        except NotImplementedError:
            self._detach = _Waiter(loop, descriptor, self._deliver_ready).stop
        else:
            self._detach = lambda: None if loop.is_closed() else _remove(loop, descriptor)

    def detach(self) -> None:
        detach, self._detach = self._detach, None
        if detach is not None:
            detach()

    def _deliver_ready(self) -> None:
        server = self._server()
        if server is None:
            self.detach()
            return
        try:
            self.step(0)
        except Exception as error:
            self.channel.logger.critical("the server failed", exc_info=error)
            self.stopped = True
        if self.stopped:
            self.detach()
            server._has_stopped()

    def _done(self) -> None:
        # The handlers that this batch woke run first, and what they send leaves together.
        if not self.channel.open:
            self.channel.gather()

    def _deliver(
        self, kind: int, flags: int, id: int, data: bytes, code: int, endpoint: int, value: int
    ) -> None:
        server = self._server()
        if server is None:
            return
        if kind == _abi.EVENT_KIND_ACCEPT:
            server._accepted(id, endpoint, data, bool(flags & _abi.EVENT_FLAG_COMPRESSED))
        elif kind == _abi.EVENT_KIND_CLOSE:
            connection = self.clients.pop(id, None)
            if connection is not None:
                clean = bool(flags & _abi.EVENT_FLAG_CLEAN)
                connection._end(decode_close(code, value, clean, data))
        elif kind in _PARTS:
            connection = self.clients.get(id)
            parts = None if connection is None else connection._parts
            if parts is None:
                return
            if kind == _abi.EVENT_KIND_CHUNK:
                parts.chunk(data)
            elif kind == _abi.EVENT_KIND_BEGIN:
                parts.begin(value, not flags & _abi.EVENT_FLAG_BINARY)
            else:
                parts.end()
        elif kind == _abi.EVENT_KIND_PONG:
            if id in self.clients:
                self.clients[id]._pong(value, data)
        elif kind == _abi.EVENT_KIND_DRAIN:
            if id in self.clients:
                self.clients[id]._drain()
        elif kind == _abi.EVENT_KIND_HANDSHAKE:
            server._asked(id, endpoint, data)
        elif kind == _abi.EVENT_KIND_HANDSHAKE_GONE:
            server._gone(id)
        elif kind == _abi.EVENT_KIND_REQUEST:
            server._requested(id, code or None, data)
        else:
            super()._deliver(kind, flags, id, data, code, endpoint, value)

    def _failed(self, name: str, client: Connection) -> None:
        self.channel.logger.exception("%s failed for %r", name, client)
        client._begin_close(_ERROR, b"")

    def abandon_outcomes(self) -> None:
        """The server is gone: what it has not told it will not tell."""
        outcomes, self.channel.outcomes = self.channel.outcomes, {}
        for outcome in outcomes.values():
            outcome._fail(ConnectionClosed(_abi.STATUS_CLOSED, "the server is closed"))


class _Waiter:
    """Waits for a descriptor on a thread of its own, for a loop that cannot."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, descriptor: int, ready: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._ready = ready
        self._taken = threading.Event()
        self._stopping = False
        self._wake, self._woken = os.pipe()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)
        self._thread = threading.Thread(target=self._wait, name="wsgate-wait", daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        while not self._stopping:
            self._poll.poll()
            if self._stopping:
                return
            self._taken.clear()
            try:
                self._loop.call_soon_threadsafe(self._run)
            except RuntimeError:
                return  # The loop is closed.
            self._taken.wait()

    def _run(self) -> None:
        try:
            if not self._stopping:
                self._ready()
        finally:
            self._taken.set()

    def stop(self) -> None:
        self._stopping = True
        self._taken.set()
        os.write(self._woken, b"x")
        self._thread.join()
        os.close(self._wake)
        os.close(self._woken)


def _remove(loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    loop.remove_reader(descriptor)


_channels: weakref.WeakSet[LoopChannel] = weakref.WeakSet()


def _forget_turns() -> None:
    """In a forked child no turn ends any more: `gather` is to say so."""
    for channel in list(_channels):
        channel.open = False
        channel.thread = 0
        channel.records = []
        channel.run = []


os.register_at_fork(after_in_child=_forget_turns)
