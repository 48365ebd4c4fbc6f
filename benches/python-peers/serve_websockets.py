"""websockets' asyncio server, on asyncio's own loop."""

import asyncio
import os
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory


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


def deflate() -> dict[str, Any]:
    """Its own defaults, windows of 12 bits and memory level 5; each message for itself, or with takeover."""
    match os.environ.get("DEFLATE"):
        case "takeover":
            return {"compression": "deflate"}
        case "shared":
            settings = {"memLevel": 5}
            factory = ServerPerMessageDeflateFactory(
                server_no_context_takeover=True,
                client_no_context_takeover=True,
                server_max_window_bits=12,
                client_max_window_bits=12,
                compress_settings=settings,
            )
            return {"extensions": [factory]}
        case _:
            return {}


def run(mode: str, port: int) -> None:
    async def main() -> None:
        handler = echo if mode == "echo" else to_all
        unlimited = {"compression": None, "max_size": 64 << 20, "ping_interval": None}
        async with serve(handler, "127.0.0.1", port, **unlimited | deflate()) as server:
            await server.serve_forever()

    asyncio.run(main())
