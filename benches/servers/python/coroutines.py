"""coroutines.py MODE PORT: the server of the start scripts python-asyncio-MODE.sh."""

import asyncio
import os
import signal
import sys
from typing import Any

import conformance_asyncio
import deflate
import wsgate

UNLIMITED: dict[str, Any] = {
    "max_size": 64 << 20,
    "max_queue": None,
    "write_limit": 256 << 20,
    "max_fragments": 1_000_000,
    "frame_split": 0,
    "ping_interval": None,
    **deflate.SETTINGS,
}


def echo() -> wsgate.Router:
    async def handler(connection: wsgate.Connection) -> None:
        async for message in connection:
            await connection.send(message)

    router = wsgate.Router()
    router.add("/", handler, **UNLIMITED)
    return router


def broadcast() -> wsgate.Router:
    async def handler(connection: wsgate.Connection) -> None:
        everybody = connection.server.gateway("everybody")
        async for message in connection:
            everybody.broadcast(message)

    router = wsgate.Router()
    router.add("/", handler, gateway="everybody", **UNLIMITED)
    return router


MODES = {
    "echo": echo,
    "broadcast": broadcast,
    "conformance": conformance_asyncio.router,
}


async def main(arguments: list[str]) -> None:
    try:
        mode, port = arguments
        router = MODES[mode]()
    except (ValueError, KeyError):
        sys.exit(f"usage: coroutines.py {'|'.join(MODES)} PORT")
    workers = int(os.environ.get("WORKERS", "1"))
    handlers = conformance_asyncio.HANDLERS if mode == "conformance" else {}
    serving = wsgate.serve(
        router, "127.0.0.1", int(port), workers=workers, max_connections=0, **handlers
    )
    async with serving as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.close)
        print(f"listening on ws://127.0.0.1:{server.port}/", flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
