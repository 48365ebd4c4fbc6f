"""The endpoints of streams.py, as coroutines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import wsgate


def add_routes(routes: wsgate.Router, options: dict[str, Any]) -> None:
    routes.add("/stream", stream, **options | {"max_size": (2 << 20, 1 << 20)}, streaming=True)
    routes.add("/parts", send_parts, **options)


async def stream(connection: wsgate.Connection) -> None:
    with suppress(wsgate.ConnectionClosed):
        while True:
            await connection.send(connection.recv_streaming())


class GivenUpError(Exception):
    """Of a message that is not ended."""


async def send_parts(connection: wsgate.Connection) -> None:
    async for command in connection:
        verb, *words = command.split(" ")
        behind: list[asyncio.Task[None]] = []
        with suppress(GivenUpError):
            await connection.send(pieces(connection, verb, words, behind))
        await asyncio.gather(*behind)


async def pieces(
    connection: wsgate.Connection, verb: str, words: list[str], behind: list[asyncio.Task[None]]
) -> AsyncIterator[str]:
    for i, word in enumerate(words):
        yield word
        if verb == "half":
            raise GivenUpError
        if i == 0:
            behind.append(asyncio.create_task(connection.send("behind")))
            await asyncio.sleep(0)
