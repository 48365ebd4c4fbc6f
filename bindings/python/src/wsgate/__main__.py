"""python -m wsgate: prints versions, and sends one message through a server and back."""

from __future__ import annotations

import asyncio
import os
import platform
import sys

from . import Connection, __version__, serve
from ._library import lib

_SECONDS = 10
_MESSAGE = "wsgate \N{WAVING HAND SIGN}".encode()


async def _echo(connection: Connection) -> None:
    async for message in connection:
        await connection.send(message)


async def _said_and_heard(port: int) -> bytes:
    """One message to the server and back, over a client that is just able to do that."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise RuntimeError(f"the server refused: {head!r}")
        mask = os.urandom(4)
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(_MESSAGE))
        writer.write(bytes((0x81, 0x80 | len(payload))) + mask + payload)
        _, length = await reader.readexactly(2)
        return await reader.readexactly(length)
    finally:
        writer.close()


async def _test() -> None:
    async with serve(_echo, "127.0.0.1", 0, close_timeout=1) as server:
        heard = await asyncio.wait_for(_said_and_heard(server.port), _SECONDS)
    if heard != _MESSAGE:
        raise RuntimeError(f"said {_MESSAGE!r} and heard {heard!r}")


def main() -> None:
    print(f"wsgate {__version__}, Python {platform.python_version()}, {platform.platform()}")
    print(f"libwsgate {lib.wsgate_version().decode()}, ABI {lib.wsgate_abi_version()}: {lib.path}")
    try:
        asyncio.run(_test())
    except Exception as error:
        sys.exit(f"self-test failed: {error}")
    print("self-test passed: a message went through a server and back")


if __name__ == "__main__":
    main()
