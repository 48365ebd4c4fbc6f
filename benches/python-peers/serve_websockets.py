"""websockets' asyncio server, on asyncio's own loop."""

import asyncio

from websockets.asyncio.server import ServerConnection, broadcast, serve


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


clients: set[ServerConnection] = set()


async def to_all(connection: ServerConnection) -> None:
    clients.add(connection)
    try:
        async for message in connection:
            broadcast(clients, message)
    finally:
        clients.discard(connection)


def run(mode: str, port: int) -> None:
    async def main() -> None:
        handler = echo if mode == "echo" else to_all
        unlimited = {"compression": None, "max_size": 64 << 20, "ping_interval": None}
        async with serve(handler, "127.0.0.1", port, **unlimited) as server:
            await server.serve_forever()

    asyncio.run(main())
