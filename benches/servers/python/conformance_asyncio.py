"""The endpoints of conformance.py, as coroutines."""

from typing import Any

import wsgate

# The engine's own, where `serve` takes those of `websockets`.
DEFAULTS: dict[str, Any] = {
    "max_size": (10 << 20, 1 << 20),
    "close_timeout": 3,
    "frame_split": 0,
    "ping_interval": None,
}


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
    return routes


async def echo(connection: wsgate.Connection) -> None:
    async for message in connection:
        await connection.send(message)


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
        command, _, text = message.partition(" ") if isinstance(message, str) else ("", "", "")
        if command == "all":
            members.broadcast(text)
        elif command == "others":
            members.broadcast(text, exclude=[connection])
        elif command == "bytes":
            members.broadcast(text.encode())
        elif command == "order":
            for i in range(1, int(text) + 1):
                await connection.send(f"d {i}")
                members.broadcast(f"b {i}")
        elif command == "leave":
            members.remove(connection)
            await connection.send("left")
        elif command == "join":
            members.add(connection)
            await connection.send("joined")
        else:
            await connection.send("what?")


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
