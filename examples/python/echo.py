"""echo.py [ADDRESS]: sends every message back, text as text and binary as binary."""

import asyncio
import signal
import sys

import wsgate


async def echo(connection: wsgate.Connection) -> None:
    async for message in connection:
        await connection.send(message)


async def main(address: str = "127.0.0.1:9001") -> None:
    host, _, port = address.rpartition(":")
    async with wsgate.serve(echo, host, int(port)) as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.close)
        print(f"listening on ws://{host}:{server.port}/", flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
