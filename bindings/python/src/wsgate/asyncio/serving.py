"""`serve`: a server from a handler and options."""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..compression import Compression
from ..policies import RatePolicy, SlowConsumer
from .connection import Handler
from .router import Options, Origin, Route, Router
from .server import OnRefused, OnRequest, Server

if TYPE_CHECKING:
    from .router import ProcessRequest, ProcessResponse, SelectSubprotocol

__all__ = ["serve", "unix_serve"]


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
