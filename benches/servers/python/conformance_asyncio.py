"""The endpoints of conformance.py, as coroutines."""

from typing import Any

import streams_asyncio
import wsgate
from decisions_asyncio import Decisions, echo, on_refused
from endpoints import room_actions

# The engine's own, where `serve` takes those of `websockets`.
DEFAULTS: dict[str, Any] = {
    "max_size": (10 << 20, 1 << 20),
    "close_timeout": 3,
    "frame_split": 0,
    "ping_interval": None,
}


decisions = Decisions()
HANDLERS = {"on_request": decisions.on_request, "on_refused": on_refused}
"""Of the server."""


def router() -> wsgate.Router:
    routes = wsgate.Router()
    routes.add("/echo", echo, **DEFAULTS)
    routes.add("/small", echo, **DEFAULTS | {"max_size": (1000, 500)}, max_fragments=4)
    routes.add("/origin", echo, **DEFAULTS, origins=["http://good.example"])
    routes.add("/welcome", welcome, **DEFAULTS)
    routes.add("/close", close_as_told, **DEFAULTS)
    routes.add("/ping", ping, **DEFAULTS)
    routes.add("/room", in_room, **DEFAULTS, gateway="room")
    routes.add("/watched", watched, **DEFAULTS)
    routes.add("/watch", echo, **DEFAULTS, gateway="watchers")
    streams_asyncio.add_routes(routes, DEFAULTS)
    decisions.add_routes(routes, DEFAULTS)
    return routes


async def welcome(connection: wsgate.Connection) -> None:
    words = ["welcome", connection.request.target]
    if "x-test" in connection.request.headers:
        words.append(connection.request.headers["x-test"])
    await connection.send(" ".join(words))
    await echo(connection)


async def close_as_told(connection: wsgate.Connection) -> None:
    async for message in connection:
        code, _, reason = message.partition(" ")
        await connection.close(int(code), reason)


async def ping(connection: wsgate.Connection) -> None:
    async for message in connection:
        pong = await connection.ping()
        await pong
        await connection.send(f"pong {message}")


async def in_room(connection: wsgate.Connection) -> None:
    members = connection.server.gateway("room")
    async for message in connection:
        for action, text in room_actions(message):
            if action == "send":
                await connection.send(text)
            elif action == "leave":
                members.remove(connection)
            elif action == "join":
                members.add(connection)
            elif action == "bytes":
                members.broadcast(text.encode())
            else:
                members.broadcast(text, exclude=[connection] if action == "others" else [])


async def watched(connection: wsgate.Connection) -> None:
    watchers = connection.server.gateway("watchers")
    watchers.broadcast(f"accept {connection.request.target}")
    try:
        async for message in connection:
            if isinstance(message, str) and message.startswith("bye "):
                code, _, reason = message.removeprefix("bye ").partition(" ")
                await connection.close(int(code), reason)
            else:
                await connection.send(message)
    finally:
        await connection.wait_closed()
        close = connection.ended
        watchers.broadcast(
            f"close {close.code} {close.cause.name.lower()} {close.clean:d} "
            f"{close.info.messages_in} {close.info.messages_out} {close.reason}"
        )
