"""A server on an event loop."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import socket
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .._library import lib
from .._records import milliseconds
from .._settings import ServerSettings, add_endpoint, engine_level, set_server, set_text
from ..compression import Compression
from ..exceptions import ConnectionClosed
from ..gateway import Gateway
from ..info import ServerInfo, server_info
from ..policies import RatePolicy, SlowConsumer
from ..request import Request
from ..response import Response
from ._channel import LoopChannel, LoopPump
from ._opening import decide, refusal, respond, value_of
from .connection import Connection, Handler
from .router import Options, Origin, Route, Router

if TYPE_CHECKING:
    from .router import ProcessRequest, ProcessResponse, SelectSubprotocol

__all__ = ["Server", "serve", "unix_serve"]

OnRequest = Callable[[Request], Awaitable[Response] | Response]
OnRefused = Callable[[Request, Response], Awaitable[Response | None] | Response | None]

# With `close_connections=False` nobody is closed, in the life of any process.
_NEVER_MS = 10 * 365 * 86_400_000
# How long process_request and on_refused may think about a request that is refused.
_ERROR_PAGE_MS = 10_000
UPGRADE_REQUIRED = 426


class ListeningSocket(NamedTuple):
    """An address that a server listens on; of a Unix socket, the path and port 0."""

    host: str
    port: int

    def getsockname(self) -> Any:
        return (self.host, self.port) if self.port else self.host

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


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
        self.logger = logger
        self._channel = LoopChannel(lib.wsgate_server_new(), lib.wsgate_batch_new(), logger)
        # At exit too, in whatever state: the engine's threads must not outlive what they report to.
        self._finalizer = weakref.finalize(self, self._channel.abandon)
        self._pump = LoopPump(self._channel, self)
        self._host = host
        self._sock = sock
        self._port = 0 if port is None else port
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
        if self._sockets:
            return
        channel = self._channel
        loop = asyncio.get_running_loop()
        if self._sock is not None:
            self._sock.listen()
            addresses = [f"fd:{self._sock.fileno()}"]
        else:
            addresses = await _addresses(loop, self._host, self._port)
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
            text = reason.encode()
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


def serve(
    handler: Handler | Router,
    host: str | Sequence[str] | None = None,
    port: int | None = None,
    *,
    origins: Sequence[Origin] | None = None,
    same_host: bool = False,
    subprotocols: Sequence[str] | None = None,
    select_subprotocol: SelectSubprotocol | None = None,
    compression: str | Compression | None = None,
    process_request: ProcessRequest | None = None,
    process_response: ProcessResponse | None = None,
    server_header: str | None = None,
    open_timeout: float | None = 10,
    ping_interval: float | None = 20,
    ping_timeout: float | None = 20,
    close_timeout: float | None = 10,
    max_size: int | tuple[int | None, int | None] | None = 2**20,
    max_fragments: int | None = None,
    max_queue: int | None = 16,
    write_limit: int = 2**20,
    slow_consumer: SlowConsumer = SlowConsumer.CLOSE,
    frame_split: int | None = None,
    rate_limit: tuple[int, int] = (0, 0),
    rate_policy: RatePolicy = RatePolicy.PAUSE,
    logger: logging.Logger | None = None,
    start_serving: bool = True,
    gateway: str | None = None,
    streaming: bool = False,
    stream_timeout: float | None = 60,
    on_request: OnRequest | None = None,
    on_refused: OnRefused | None = None,
    sock: socket.socket | None = None,
    **settings: Any,
) -> Server:
    """Makes a server whose handler is a coroutine for each connection.

    >>> async def echo(connection: Connection) -> None:
    ...     async for message in connection:
    ...         await connection.send(message)
    >>> async def main() -> None:
    ...     async with serve(echo, "127.0.0.1", 0) as server:
    ...         print(f"listening on ws://127.0.0.1:{server.port}/")

    When the handler returns, its connection is closed with 1000; when it raises, with 1011, and
    the exception is logged.

    Args:
        handler: called with each `Connection`, whatever its path; or a `Router`.
        host: a name or address, several, or None for all of this machine.
        port: 0 or None lets the system choose, and ``server.port`` tells which.
        origins: acceptable values of the Origin header: ``"https://example.org"``,
            ``"*.example.org"``, compiled regular expressions that match all of it, and None for
            its lack. None: any.
        same_host: allow the origin that is the request's own host, besides `origins`.
        subprotocols: those that are spoken, the best first.
        select_subprotocol: called with the connection and the subprotocols that it offers; gives
            one of them, or None.
        compression: ``"deflate"`` compresses as `websockets` does, with the clients that offer it;
            a `Compression` says more. None: off.
        process_request: called with the connection and its `Request` before it is accepted; a
            function or a coroutine function. A `Response` that it gives is the answer; None goes
            on. A WebSocket handshake can be answered with 300 to 599. Who asks without an upgrade
            is told 426 unless it gives a response, of any status.
        process_response: called with the connection, the request and the `Response`, whose
            headers it may add to, or give another.
        server_header: the value of the Server header; none by default.
        open_timeout: seconds for `process_request` and the like to decide; then 503.
        ping_interval: seconds of silence after which a client is pinged; None: never.
        ping_timeout: seconds that its answer may take; then it is closed with 1008. None: any.
        close_timeout: seconds that the peer has to answer a Close frame; then it is cut.
        max_size: bytes in a message, or a tuple of that and bytes in a frame; past it the
            connection is closed with 1009. None: 1 GiB.
        max_fragments: frames in one message, default 65,536; 1009 likewise.
        max_queue: messages of one client that may wait for its handler; past it the client is not
            read. None: any number.
        write_limit: bytes that may wait for one client; past it `send` waits, until half is out.
        slow_consumer: what a broadcast past it does, by default ``SlowConsumer.CLOSE``: the client
            is closed with 1013.
        frame_split: bytes from which on a message is sent in several frames, default 32 KiB; 0,
            always one.
        rate_limit: bytes and frames that a client may send in a second; 0, any number.
        rate_policy: what becomes of it past that, by default ``RatePolicy.PAUSE``: it is not read
            until the second is over.
        streaming: long messages come in pieces, for `Connection.recv_streaming`; `recv` joins them.
        stream_timeout: seconds that `send` may wait for the next piece of an iterable; then the
            connection is closed with 1011. None: any.
        logger: ``logging.getLogger("wsgate.server")`` by default. Its level at the start decides
            what the engine reports at all.
        start_serving: False: listens when `Server.start_serving` or `serve_forever` is called.
        gateway: the name of a gateway that clients join by themselves; `Server.gateway` gives it.
        on_request: called with each plain `Request` that neither a path nor a file takes; gives a
            `Response`. A function or a coroutine function. Without it they get 404. A handler
            that is no `Router` takes every path.
        on_refused: called with each `Request` that the server refuses, a bad handshake for
            instance, and the `Response` that it would get; gives another, or None. A function or a
            coroutine function. Not more than 64 wait for it at a time.
        sock: a socket that listens already, in place of host and port; it stays the caller's.
        settings: ``workers``, ``directory``, ``max_connections`` and the other settings of
            `wsgate.ServerSettings`.
    """
    for name in _NOT_HERE.keys() & settings.keys():
        if settings.pop(name) is not None:
            raise ValueError(f"{name}: {_NOT_HERE[name]}")
    options = Options(
        origins=origins,
        same_host=same_host,
        subprotocols=subprotocols,
        select_subprotocol=select_subprotocol,
        process_request=process_request,
        process_response=process_response,
        server_header=server_header,
        open_timeout=open_timeout,
        ping_interval=ping_interval,
        ping_timeout=ping_timeout,
        close_timeout=close_timeout,
        max_size=max_size,
        max_fragments=max_fragments,
        max_queue=max_queue,
        write_limit=write_limit,
        slow_consumer=slow_consumer,
        frame_split=frame_split,
        rate_limit=rate_limit,
        rate_policy=rate_policy,
        compression=compression,
        gateway=gateway,
        streaming=streaming,
        stream_timeout=stream_timeout,
    )
    if isinstance(handler, Router):
        routes = [
            Route(path, one, dataclasses.replace(options, **changes))
            for path, one, changes in handler.routes
        ]
    else:
        routes = [Route("/*", handler, options)]
    return Server(
        routes,
        host,
        port,
        process_request=process_request,
        on_request=on_request,
        on_refused=on_refused,
        start_serving=start_serving,
        logger=logger or logging.getLogger("wsgate.server"),
        settings=settings,
        sock=sock,
    )


def unix_serve(handler: Handler | Router, path: str | os.PathLike[str], **options: Any) -> Server:
    """`serve` on a Unix socket: a file that a dead server left there is replaced."""
    return serve(handler, f"unix:{os.fspath(path)}", **options)


# What `websockets` or `asyncio.loop.create_server` take and this does not.
_NOT_HERE = {
    "create_connection": "connections are the engine's; set attributes on them instead",
    "extensions": "the engine knows no extension yet",
    "ssl": "the engine has no TLS yet; put a proxy in front of it",
    "ssl_handshake_timeout": "the engine has no TLS yet",
    "ssl_shutdown_timeout": "the engine has no TLS yet",
    "unix": "use unix_serve",
    "path": "use unix_serve",
    "family": "give host the addresses to listen on",
    "flags": "give host the addresses to listen on",
    "backlog": "the engine chooses its backlog",
    "reuse_address": "the engine always reuses addresses",
    "reuse_port": "one server uses all cores by its workers",
    "keep_alive": "the engine pings",
}


async def _addresses(
    loop: asyncio.AbstractEventLoop, host: str | Sequence[str] | None, port: int
) -> list[str]:
    """The addresses that hosts stand for, those of them that this machine has."""
    hosts: Iterable[str | None] = [host] if host is None or isinstance(host, str) else host
    found: dict[str, None] = {}
    for one in hosts:
        if one is not None and one.startswith("unix:"):
            found[one] = None
            continue
        infos = await loop.getaddrinfo(
            one or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, *_, address in infos:
            if len(infos) == 1 or _is_here(family, str(address[0])):
                name = str(address[0])
                where = int(address[1])
                found[f"[{name}]:{where}" if ":" in name else f"{name}:{where}"] = None
    return list(found)


def _is_here(family: int, host: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True
