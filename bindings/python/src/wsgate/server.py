"""A server: its settings and its life."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, ValuesView
from contextlib import contextmanager
from ctypes import byref, c_uint32
from typing import Any

from . import _abi
from ._channel import Channel
from ._library import lib
from ._pump import Pump
from ._records import milliseconds, unsigned
from .client import Client
from .close import Close
from .endpoint import Endpoint, MessageHandler
from .gateway import Gateway

__all__ = ["Server"]

# A signal that comes between the interpreter's last look and the wait does not interrupt the wait,
# and one that another thread gets does not either: the main thread looks again after this time.
_SIGNAL_LATENCY_MS = 500


class Server:
    """A WebSocket server whose events are handled on one Python thread.

    >>> import wsgate
    >>> def on_message(client: wsgate.Client, message: str | bytes) -> None:
    ...     client.send(message)
    >>> server = wsgate.Server("127.0.0.1:0")
    >>> _ = server.endpoint("/", on_message=on_message)
    >>> server.start()
    >>> server.stop()
    >>> server.run()

    Args:
        addresses: what to listen on, ``"127.0.0.1:9001"``, ``"[::1]:9001"``; port 0 lets the system
            choose, and `ports` tells which.
        workers: threads that do the network's work; 0 is one per core.
        directory: serve the files in it to requests that no endpoint takes.
        queue_limit: bytes of events that may wait for Python; past it clients are not read.
            16 MiB by default.
        logger: where the engine's events go; ``logging.getLogger("wsgate")`` by default. Its level
            at `start` decides what the engine reports at all.
    """

    def __init__(
        self,
        *addresses: str,
        workers: int = 0,
        directory: str | os.PathLike[str] | None = None,
        queue_limit: int | None = None,
        logger: logging.Logger | None = None,
    ) -> None:
        self.logger = logger or logging.getLogger("wsgate")
        self._channel = Channel(lib.wsgate_server_new(), lib.wsgate_batch_new(), self.logger)
        # At exit too, in whatever state: the engine's threads must not outlive what they report to.
        self._finalizer = weakref.finalize(self, self._channel.abandon)
        self._pump = Pump(self._channel)
        self._addresses = addresses
        self._started = False
        self._running = threading.Lock()
        self._detach: Callable[[], None] | None = None
        for address in addresses:
            self._set_text(lib.wsgate_server_listen, address)
        self._channel.call(lib.wsgate_server_set_workers, unsigned("workers", workers, 32))
        if directory is not None:
            self._set_text(lib.wsgate_server_set_directory, os.fspath(directory))
        if queue_limit is not None:
            limit = unsigned("queue_limit", queue_limit)
            self._channel.call(lib.wsgate_server_set_queue_limit, limit)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "started" if self._started else "new"
        return f"<Server {' '.join(self._addresses)} {state}>"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def endpoint(
        self,
        path: str,
        *,
        on_accept: Callable[[Client], object] | None = None,
        on_message: MessageHandler | None = None,
        on_close: Callable[[Client, Close], object] | None = None,
        on_pong: Callable[[Client, int], object] | None = None,
        on_drain: Callable[[Client], object] | None = None,
        gateway: Gateway | None = None,
        origins: Iterable[str] = (),
        max_message_size: int | None = None,
        max_frame_size: int | None = None,
        max_fragments: int | None = None,
        close_period: float | None = None,
        outbox_limit: tuple[int, int] | None = None,
        frame_split: int | None = None,
        heartbeat: tuple[float, int] | None = None,
        rate_limit: tuple[int, int] | None = None,
    ) -> Endpoint:
        """Adds a path that upgrades; before `start`.

        Args:
            path: the exact path, ``"/chat"``.
            on_accept, on_message, on_close, on_pong, on_drain: see `Endpoint`.
            gateway: clients join it by themselves, before `on_accept`.
            origins: the origins allowed, ``"https://example.org"``; none given, all are.
            max_message_size: in bytes, default 10 MiB; past it the client is closed with 1009.
            max_frame_size: in bytes, default 1 MiB; 1009 likewise.
            max_fragments: frames in one message, default 65,536; 1009 likewise.
            close_period: seconds that the peer has to answer a Close frame, default 3.
            outbox_limit: bytes and messages that may wait for one client, default 1 MiB, 10,000.
            frame_split: bytes from which on a message is sent in several frames, default 32 KiB;
                0, always one.
            heartbeat: seconds without anything read after which a client is pinged, and how many
                of these pings may stay unanswered before it is closed with 1008, default 10 and 3;
                0 seconds, no pings.
            rate_limit: bytes and frames that a client may send in a second before it is not read
                until the next, default 1 MiB and 100; 0, any number.
        """
        endpoint = Endpoint(path, gateway, on_accept, on_message, on_close, on_pong, on_drain)
        number = c_uint32()
        self._set_text(lib.wsgate_server_add_endpoint, path, byref(number))
        self._pump.endpoints[number.value] = endpoint
        call = self._channel.call
        if isinstance(origins, str):
            raise TypeError(f"origins must be a collection of strings, not {origins!r}")
        for origin in origins:
            text = origin.encode()
            call(lib.wsgate_endpoint_add_origin, number.value, text, len(text))
        if gateway is not None:
            call(lib.wsgate_endpoint_set_gateway, number.value, gateway.id)
        for name, value in (
            ("max_message_size", max_message_size),
            ("max_frame_size", max_frame_size),
            ("max_fragments", max_fragments),
        ):
            if value is not None:
                setter = getattr(lib, f"wsgate_endpoint_set_{name}")
                call(setter, number.value, unsigned(name, value))
        if close_period is not None:
            period = milliseconds("close_period", close_period)
            call(lib.wsgate_endpoint_set_close_period, number.value, period)
        if outbox_limit is not None:
            size, messages = (unsigned("outbox_limit", limit) for limit in outbox_limit)
            call(lib.wsgate_endpoint_set_outbox_limit, number.value, size, messages)
        if frame_split is not None:
            split = unsigned("frame_split", frame_split)
            call(lib.wsgate_endpoint_set_frame_split, number.value, split)
        if heartbeat is not None:
            period = milliseconds("heartbeat", heartbeat[0])
            unanswered = unsigned("heartbeat", heartbeat[1])
            call(lib.wsgate_endpoint_set_heartbeat, number.value, period, unanswered)
        if rate_limit is not None:
            size, frames = (unsigned("rate_limit", limit) for limit in rate_limit)
            call(lib.wsgate_endpoint_set_rate_limit, number.value, size, frames)
        return endpoint

    @property
    def ports(self) -> tuple[int, ...]:
        """The port of each address; after `start`."""
        return tuple(
            self._channel.call(lib.wsgate_server_port, index)
            for index in range(len(self._addresses))
        )

    @property
    def clients(self) -> ValuesView[Client]:
        """The clients accepted and not closed, as far as the callbacks have been told."""
        return self._pump.clients.values()

    @property
    def closed(self) -> bool:
        """Whether it has stopped and its threads and sockets are gone."""
        return self._channel.pointer is None

    def start(self) -> None:
        """Binds the addresses and starts to accept; events wait until `run` or `serve_forever`.

        Raises `AddressInUse` when somebody else listens there.
        """
        call = self._channel.call
        level = _engine_level(self.logger.getEffectiveLevel())
        call(lib.wsgate_server_set_log_level, level)
        call(lib.wsgate_server_start)
        self._started = True

    def run(self, grace: float = 3.0) -> None:
        """Calls the handlers on this thread until the server has stopped; starts it if need be.

        On the main thread SIGINT and SIGTERM, where the program handles them not itself, stop the
        server with this grace period in seconds; a second one does what it does elsewhere. An
        exception that a handler lets through as none of `Exception`, like SystemExit, leaves `run`
        at once and closes the server.
        """
        milliseconds("grace", grace)
        main = threading.current_thread() is threading.main_thread()
        timeout = _SIGNAL_LATENCY_MS if main else -1
        with self._exclusively():
            if not self._started:
                self.start()
            with _stopping_on_signals(lambda: self.stop(grace)) if main else _unchanged():
                while not self._pump.stopped:
                    self._pump.step(timeout)

    async def serve_forever(self, grace: float = 3.0) -> None:
        """Calls the handlers from the running event loop until the server has stopped.

        When it is cancelled, the server stops with this grace period in seconds, every close event
        is delivered, and then it raises CancelledError.
        """
        milliseconds("grace", grace)
        loop = asyncio.get_running_loop()
        with self._exclusively():
            if not self._started:
                self.start()
            descriptor = self._channel.call(lib.wsgate_server_fd)
            stopped: asyncio.Future[None] = loop.create_future()

            def finish() -> None:
                self._detach = None
                if loop.is_closed():
                    return
                loop.remove_reader(descriptor)
                if not stopped.done():
                    stopped.set_result(None)

            def deliver() -> None:
                try:
                    self._pump.step(0)
                except Exception as error:
                    if not stopped.done():
                        stopped.set_exception(error)
                    finish()
                if self._pump.stopped:
                    finish()

            self._detach = finish
            loop.add_reader(descriptor, deliver)
            try:
                await asyncio.shield(stopped)
            except asyncio.CancelledError:
                self.stop(grace)
                await stopped
                raise
            finally:
                if self._detach is not None:
                    finish()

    def stop(self, grace: float = 3.0) -> None:
        """Stops: no new clients, 1001 to all, every close event; returns at once, on any thread.

        Clients that do not answer within the grace period (in seconds) are cut.
        """
        self._channel.stop(milliseconds("grace", grace))

    def flush(self) -> None:
        """Within a callback: hands what was sent so far to the engine now. Elsewhere: nothing."""
        if self._channel.thread == threading.get_ident():
            self._channel.flush()

    def close(self) -> None:
        """Ends everything at once and waits for the engine's threads; no handler is called.

        `stop` is the orderly way; `run` and `serve_forever` close the server when they return.
        Closing it again does nothing.
        """
        channel = self._channel
        if channel.thread == threading.get_ident():
            raise RuntimeError("close() would free the server under its own callback; use stop()")
        if self._detach is not None:
            self._detach()
        if channel.pointer is not None:
            if not channel.taking.acquire(blocking=False):
                # A thread waits for events or runs a callback: wake it, and wait for it.
                channel.stop(0)
                channel.taking.acquire()
            try:
                channel.free()
            finally:
                channel.taking.release()
        self._finalizer.detach()

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        if not self._running.acquire(blocking=False):
            raise RuntimeError("the server is running already")
        try:
            yield
        finally:
            try:
                self.close()
            finally:
                self._running.release()

    def _set_text(self, function: Any, text: str, *arguments: object) -> None:
        if not isinstance(text, str):
            raise TypeError(f"expected a string, not {text!r}")
        encoded = text.encode("utf-8", "surrogateescape")
        self._channel.call(function, encoded, len(encoded), *arguments)


def _engine_level(level: int) -> int:
    if level > logging.ERROR:
        return _abi.LOG_LEVEL_OFF
    if level > logging.WARNING:
        return _abi.LOG_LEVEL_ERROR
    if level > logging.INFO:
        return _abi.LOG_LEVEL_WARN
    if level > logging.DEBUG:
        return _abi.LOG_LEVEL_INFO
    return _abi.LOG_LEVEL_DEBUG if level == logging.DEBUG else _abi.LOG_LEVEL_TRACE


@contextmanager
def _stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    before = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if (handler := signal.getsignal(number)) in (signal.SIG_DFL, signal.default_int_handler)
    }

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(number: int, frame: object) -> None:
        restore()
        stop()

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        restore()


@contextmanager
def _unchanged() -> Iterator[None]:
    yield
