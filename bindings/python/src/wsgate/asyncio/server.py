"""A server on an event loop."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from .._library import lib
from .._records import milliseconds, text_of, unsigned
from .._settings import ServerSettings, add_endpoint, engine_level, set_server, set_text
from ..exceptions import ConnectionClosed
from ..gateway import Gateway
from ..info import ServerInfo, server_info
from ..request import Request
from ..response import Response
from ._channel import LoopChannel, LoopPump
from ._listening import ListeningSocket, resolved
from ._opening import decide, refusal, respond, value_of
from .connection import Connection
from .router import Route

if TYPE_CHECKING:
    from .router import ProcessRequest

__all__ = ["Server"]

OnRequest = Callable[[Request], Awaitable[Response] | Response]
OnRefused = Callable[[Request, Response], Awaitable[Response | None] | Response | None]

# With `close_connections=False` nobody is closed, in the life of any process.
_NEVER_MS = 10 * 365 * 86_400_000
# How long process_request and on_refused may think about a request that is refused.
_ERROR_PAGE_MS = 10_000
UPGRADE_REQUIRED = 426


class Server:
    """A server that runs on the event loop; `serve` makes it.

    ``async with serve(...) as server`` starts it, and closes it in the end; so do
    ``server = await serve(...)`` and `close`. All its handlers run on that event loop.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        host: str | Sequence[str] | None,
        port: int | None,
        *,
        process_request: ProcessRequest | None,
        on_request: OnRequest | None,
        on_refused: OnRefused | None,
        start_serving: bool,
        logger: logging.Logger,
        settings: dict[str, Any],
        sock: socket.socket | None,
    ) -> None:
        for which, hook in (("on_request", on_request), ("on_refused", on_refused)):
            if hook is not None and not callable(hook):
                raise TypeError(f"{which} must be callable, not {hook!r}")
        self.logger = logger
        self._channel = LoopChannel(lib.wsgate_server_new(), lib.wsgate_batch_new(), logger)
        # At exit too, in whatever state: the engine's threads must not outlive what they report to.
        self._finalizer = weakref.finalize(self, self._channel.abandon)
        self._pump = LoopPump(self._channel, self)
        self._host = host
        self._sock = sock
        self._port = 0 if port is None else unsigned("port", port, 16)
        self._on_request = on_request
        self._on_refused = on_refused
        self._start_serving = start_serving
        self._sockets: tuple[ListeningSocket, ...] = ()
        self._opening: dict[int, tuple[Connection, asyncio.Task[None]]] = {}
        self._accepting: dict[int, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._close_task: asyncio.Task[None] | None = None
        self._stopped: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] | None = None
        set_server(self._channel, cast("ServerSettings", settings))
        self._routes: dict[int, Route] = {}
        self._gateways: dict[str, Gateway] = {}
        for route in routes:
            name = route.options.gateway
            gateway = None if name is None else self.gateway(name)
            settings = route.options.engine_settings()
            number = add_endpoint(self._channel, route.path, gateway=gateway, **settings)
            self._routes[number] = route
        if on_request is not None:
            self._channel.call(lib.wsgate_server_set_requests, 1)
        self._process_request = process_request
        if process_request is not None or on_refused is not None:
            self._channel.call(lib.wsgate_server_set_error_pages, _ERROR_PAGE_MS)

    def __repr__(self) -> str:
        where = " ".join(map(str, self._sockets))
        return f"<Server {where or 'not listening'}>"

    def __await__(self) -> Generator[Any, None, Server]:
        return self._started().__await__()

    async def __aenter__(self) -> Server:
        return await self._started()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        await self.wait_closed()

    @property
    def connections(self) -> set[Connection]:
        """The connections that are open and not closing."""
        return {client for client in self._channel.clients.values() if not client._closing}

    @property
    def sockets(self) -> tuple[ListeningSocket, ...]:
        """Where it listens, while it does; ``getsockname()`` gives host and port."""
        return self._sockets if self._close_task is None else ()

    @property
    def port(self) -> int:
        """The port of the first address that it listens on."""
        return self._sockets[0].port

    @property
    def info(self) -> ServerInfo:
        """The server's figures, from its start to its end."""
        return server_info(self._channel)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that it was started on."""
        return self._channel.loop

    def is_serving(self) -> bool:
        """Whether it takes new connections."""
        return bool(self._sockets) and self._close_task is None

    async def start_serving(self) -> None:
        """Binds the addresses and starts to accept, if that was not done before.

        Raises `AddressInUse` when somebody else listens there.
        """
        if self._close_task is not None or self._channel.pointer is None:
            raise RuntimeError("the server is closed")
        if self._sockets:
            return
        channel = self._channel
        loop = asyncio.get_running_loop()
        if self._sock is not None:
            self._sock.listen()
            addresses = [f"fd:{self._sock.fileno()}"]
        else:
            addresses = await resolved(loop, self._host, self._port)
        for address in addresses:
            set_text(channel, lib.wsgate_server_listen, address)
        channel.call(lib.wsgate_server_set_log_level, engine_level(self.logger.getEffectiveLevel()))
        channel.call(lib.wsgate_server_start)
        channel.loop = loop
        channel.loop_thread = threading.get_ident()
        self._stopped = loop.create_future()
        self._closed = loop.create_future()
        self._sockets = tuple(
            self._socket(index, address) for index, address in enumerate(addresses)
        )
        self._pump.attach(loop)
        for listening in self._sockets:
            self.logger.info("server listening on %s", listening)

    async def serve_forever(self) -> None:
        """Serves until it is closed; cancelling it closes the server."""
        await self.start_serving()
        try:
            await self.wait_closed()
        except asyncio.CancelledError:
            self.close()
            await self.wait_closed()
            raise

    def close(self, close_connections: bool = True, code: int = 1001, reason: str = "") -> None:
        """Closes it; returns at once, and `wait_closed` waits.

        No new connections; those that are open are closed with this code and reason, by default
        1001 "Server shutting down", and cut when their close_timeout is over; with
        ``close_connections=False`` they stay until they end by themselves. Closing it again does
        nothing.
        """
        if self._close_task is not None:
            return
        if self._stopped is None:
            self._release()
            return
        self._begin_close(close_connections, code, reason)
        self._close_task = self._channel.loop.create_task(self._wind_up(), name="wsgate close")

    async def wait_closed(self) -> None:
        """Waits until it is closed: every connection, and every handler has returned."""
        if self._closed is not None:
            await asyncio.shield(self._closed)

    def gateway(self, name: str | None = None) -> Gateway:
        """Makes a `Gateway`, or gives the one of this name.

        One that has a name stays until it is freed or the server is closed; another, as long as
        somebody holds it.
        """
        if name is None:
            return Gateway(self)
        gateway = self._gateways.get(name)
        if gateway is None or gateway.freed:
            gateway = self._gateways[name] = Gateway(self, name)
        return gateway

    def _begin_close(self, close_connections: bool, code: int, reason: str) -> None:
        self.logger.info("server closing")
        if not close_connections:
            self._channel.call(lib.wsgate_server_drain, _NEVER_MS, 0)
            return
        if (code, reason) != (1001, ""):
            text = text_of("reason", reason)
            for connection in self.connections:
                connection._begin_close(code, text)
        grace = max((route.options.close_seconds for route in self._routes.values()), default=0)
        self._channel.stop(milliseconds("close_timeout", grace))

    async def _wind_up(self) -> None:
        if self._stopped is not None:
            await self._stopped
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._release()
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        self.logger.info("server closed")

    def _release(self) -> None:
        self._pump.detach()
        self._pump.abandon_outcomes()
        # At the interpreter's exit it may have been freed already, and the lock stays taken.
        if self._channel.pointer is not None:
            with self._channel.taking:
                self._channel.free()
        self._finalizer.detach()

    def _socket(self, index: int, address: str) -> ListeningSocket:
        if address.startswith("unix:"):
            return ListeningSocket(address.removeprefix("unix:"), 0)
        if self._sock is not None:
            name = self._sock.getsockname()
            return ListeningSocket(name, 0) if isinstance(name, str) else ListeningSocket(*name[:2])
        host = address.rpartition(":")[0].strip("[]")
        return ListeningSocket(host, self._channel.call(lib.wsgate_server_port, index))

    async def _started(self) -> Server:
        if self._start_serving:
            try:
                await self.start_serving()
            except BaseException:
                self._release()
                raise
        return self

    # What follows is called by the pump.

    def _accepted(self, id: int, endpoint: int, data: bytes, compressed: bool) -> None:
        connection = self._accepting.pop(id, None)
        if connection is None:
            connection = Connection(id, self._routes[endpoint], self._channel, data, self)
        else:
            connection._request = data
        connection.compressed = compressed
        connection._open = True
        self._channel.clients[id] = connection
        self._spawn(self._handle(connection))

    def _asked(self, id: int, endpoint: int, data: bytes) -> None:
        request = Request(data, undecided=True)
        connection = Connection(id, self._routes[endpoint], self._channel, request, self)
        self._opening[id] = connection, self._spawn(self._open(connection))

    def _gone(self, id: int) -> None:
        opening = self._opening.pop(id, None)
        if opening is not None:
            opening[1].cancel()

    def _requested(self, id: int, refused: int | None, data: bytes) -> None:
        request = Request(data)
        if refused is not None:
            connection = Connection(id, self._routes[0], self._channel, request, self)
            work = respond(self._channel, id, self._refused(connection, refused))
        elif self._on_request is not None:
            work = respond(self._channel, id, self._answer(self._on_request, request))
        else:
            return
        self._spawn(work)

    def _has_stopped(self) -> None:
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(None)
        if self._close_task is None:
            self._close_task = self._channel.loop.create_task(self._wind_up())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._channel.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _handle(self, connection: Connection) -> None:
        try:
            async with connection:
                await connection.endpoint.handler(connection)
        except ConnectionClosed as error:
            if connection._close is None:
                self.logger.exception("connection handler failed")
            else:
                self.logger.debug("connection handler ended: %s", error)
        except Exception:
            self.logger.exception("connection handler failed")

    async def _open(self, connection: Connection) -> None:
        try:
            if await decide(connection):
                self._accepting[connection.id] = connection
        finally:
            self._opening.pop(connection.id, None)

    async def _answer(self, handler: OnRequest, request: Request) -> Response:
        response: Response = await value_of(handler(request))
        return response

    async def _refused(self, connection: Connection, refused: int) -> Response:
        """Who asks without an upgrade may be answered by process_request all the same."""
        if refused == UPGRADE_REQUIRED and self._process_request is not None:
            response = await value_of(self._process_request(connection, connection.request))
            if isinstance(response, Response):
                return response
        return await self._worded(connection.request, refusal(refused))

    async def _worded(self, request: Request, response: Response) -> Response:
        """A refusal in the application's words, if it finds any."""
        if self._on_refused is None:
            return response
        other: Response | None = await value_of(self._on_refused(request, response))
        return response if other is None else other
