"""A server: its settings and its life."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, ValuesView
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ._channel import Channel
from ._library import lib
from ._pump import CallbackPump
from ._records import milliseconds
from ._settings import ServerSettings, add_endpoint, engine_level, set_server, set_text
from .client import Client
from .close import Close
from .compression import Compression
from .endpoint import Endpoint, MessageHandler, plain
from .gateway import Gateway
from .handshake import Handshake, HttpRequest
from .info import ServerInfo, server_info
from .policies import RatePolicy, SlowConsumer

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Server"]

# A signal that comes between the interpreter's last look and the wait does not interrupt the wait,
# and one that another thread gets does not either: the main thread looks again after this time.
_SIGNAL_LATENCY_MS = 500
# How long a refused request waits for its words.
_ERROR_PAGE_MS = 10_000


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
        on_request: called with each `HttpRequest` that neither an endpoint nor a file takes, to
            be answered now or later. Without it they get 404.
        on_refused: called with each `HttpRequest` that the server refuses, to word the answer;
            its ``refused`` is the status. Not more than 64 wait for it at a time.
        logger: where the engine's events go; ``logging.getLogger("wsgate")`` by default. Its level
            at `start` decides what the engine reports at all.
        settings: ``workers``, ``directory``, ``max_connections`` and the other `ServerSettings`.
    """

    def __init__(
        self,
        *addresses: str,
        on_request: Callable[[HttpRequest], object] | None = None,
        on_refused: Callable[[HttpRequest], object] | None = None,
        logger: logging.Logger | None = None,
        **settings: Unpack[ServerSettings],
    ) -> None:
        self.logger = logger or logging.getLogger("wsgate")
        self._channel = Channel(lib.wsgate_server_new(), lib.wsgate_batch_new(), self.logger)
        # At exit too, in whatever state: the engine's threads must not outlive what they report to.
        self._finalizer = weakref.finalize(self, self._channel.abandon)
        self._pump = CallbackPump(
            self._channel, plain("on_request", on_request), plain("on_refused", on_refused)
        )
        self._addresses = addresses
        self._started = False
        self._running = threading.Lock()
        self._detach: Callable[[], None] | None = None
        for address in addresses:
            set_text(self._channel, lib.wsgate_server_listen, address)
        set_server(self._channel, settings)
        if on_request is not None:
            self._channel.call(lib.wsgate_server_set_requests, 1)
        if on_refused is not None:
            self._channel.call(lib.wsgate_server_set_error_pages, _ERROR_PAGE_MS)

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
        on_begin: Callable[[Client, bool], object] | None = None,
        on_chunk: Callable[[Client, bytes], object] | None = None,
        on_end: Callable[[Client], object] | None = None,
        on_close: Callable[[Client, Close], object] | None = None,
        on_pong: Callable[[Client, int], object] | None = None,
        on_drain: Callable[[Client], object] | None = None,
        on_handshake: Callable[[Handshake], object] | None = None,
        on_handshake_gone: Callable[[Handshake, int], object] | None = None,
        gateway: Gateway | None = None,
        origins: Iterable[str] = (),
        same_host: bool = False,
        subprotocols: Iterable[str] = (),
        handshake_timeout: float | None = None,
        max_message_size: int | None = None,
        max_frame_size: int | None = None,
        max_fragments: int | None = None,
        close_period: float | None = None,
        outbox_limit: tuple[int, int] | None = None,
        slow_consumer: SlowConsumer | None = None,
        frame_split: int | None = None,
        text_only: bool = False,
        receive_window: tuple[int, int] | None = None,
        explicit_grants: bool = False,
        heartbeat: tuple[float, int] | None = None,
        rate_limit: tuple[int, int] | None = None,
        rate_policy: RatePolicy | None = None,
        compression: Compression | None = None,
        stream_timeout: float | None = None,
    ) -> Endpoint:
        """Adds a path that upgrades; before `start`.

        Args:
            path: ``"/chat"`` is that path alone; in ``"/rooms/:room"`` a parameter stands for one
                name, which ``client.request.params`` tells; ``"/files/*"`` takes all below it.
            on_accept, on_message, on_close, on_pong, on_drain: see `Endpoint`.
            on_begin, on_chunk, on_end: see `Endpoint`; `on_chunk` lets messages come in pieces.
            on_handshake, on_handshake_gone: see `Endpoint`; `Handshake` decides.
            gateway: clients join it by themselves, before `on_accept`.
            origins: the origins allowed, ``"https://example.org"``, ``"*.example.org"``; none
                given, all are.
            same_host: allow the origin that is the request's own host, besides `origins`.
            subprotocols: those that the endpoint speaks, the best first.
            handshake_timeout: seconds that `on_handshake` has to decide, default 10; then 503.
            max_message_size: in bytes, default 10 MiB; past it the client is closed with 1009.
            max_frame_size: in bytes, default 1 MiB; 1009 likewise.
            max_fragments: frames in one message, default 65,536; 1009 likewise.
            close_period: seconds that the peer has to answer a Close frame, default 3.
            outbox_limit: bytes and messages that may wait for one client, default 1 MiB, 10,000.
            slow_consumer: what a broadcast does past that, default ``SlowConsumer.CLOSE``.
            frame_split: bytes from which on a message is sent in several frames, default 32 KiB;
                0, always one.
            text_only: close a client that sends a binary message with 1003.
            receive_window: bytes and messages of one client that may be in hand, default 1 MiB and
                64; past either it is not read. In hand is what the batch under way holds; with
                `explicit_grants`, what `Client.grant` has not given back.
            heartbeat: seconds without anything read after which a client is pinged, and how many
                of these pings may stay unanswered before it is closed with 1008, default 10 and 3;
                0 seconds, no pings.
            rate_limit: bytes and frames that a client may send in a second, default 1 MiB and 100;
                0, any number.
            rate_policy: what becomes of it past that, default ``RatePolicy.PAUSE``.
            compression: how messages are compressed; by default they are not.
            stream_timeout: seconds that a message begun by `Client.begin` may wait for its next
                piece, default 60; then the client is closed with 1011. 0, any time.
        """
        endpoint = Endpoint(
            path, gateway, on_accept, on_message, on_begin, on_chunk, on_end, on_close, on_pong,
            on_drain, on_handshake, on_handshake_gone,
        )  # fmt: skip
        number = add_endpoint(
            self._channel,
            path,
            gateway=gateway,
            origins=origins,
            same_host=same_host,
            subprotocols=subprotocols,
            acceptor=on_handshake is not None,
            handshake_timeout=handshake_timeout,
            max_message_size=max_message_size,
            max_frame_size=max_frame_size,
            max_fragments=max_fragments,
            close_period=close_period,
            outbox_limit=outbox_limit,
            slow_consumer=slow_consumer,
            frame_split=frame_split,
            text_only=text_only,
            receive_window=receive_window,
            explicit_grants=explicit_grants,
            heartbeat=heartbeat,
            rate_limit=rate_limit,
            rate_policy=rate_policy,
            compression=compression,
            streaming=on_chunk is not None,
            stream_timeout=stream_timeout,
        )
        self._pump.endpoints[number] = endpoint
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
    def info(self) -> ServerInfo:
        """The server's figures; from `start` to the end."""
        return server_info(self._channel)

    @property
    def closed(self) -> bool:
        """Whether it has stopped and its threads and sockets are gone."""
        return self._channel.pointer is None

    def start(self) -> None:
        """Binds the addresses and starts to accept; events wait until `run` or `serve_forever`.

        Raises `AddressInUse` when somebody else listens there.
        """
        call = self._channel.call
        level = engine_level(self.logger.getEffectiveLevel())
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
                self._pump.run(timeout)

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

    def drain(self, spread: float, grace: float = 3.0) -> None:
        """Stops over a time: no new clients, and those who are there are closed one by one.

        Evenly over `spread` seconds, with 1001; who is left `grace` seconds after the last close
        is cut. Returns at once, on any thread.
        """
        times = milliseconds("spread", spread), milliseconds("grace", grace)
        self._channel.call(lib.wsgate_server_drain, *times)

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
        if threading.get_ident() in (channel.thread, channel.taker):
            raise RuntimeError("close() would free the server under its own callback; use stop()")
        if self._detach is not None:
            self._detach()
        if channel.pointer is not None:
            if not channel.taking.acquire(blocking=False):
                # A thread waits for events or runs a callback: wake it, and wait for it.
                channel.wanted = True
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
