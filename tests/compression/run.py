#!/usr/bin/env python3
"""run.py SCRIPT...: compressed messages, byte for byte, between the `websockets` client and each start script.

Every kind of agreement; random, repetitive, textual and empty messages of up to 16 MiB, text and binary, whole and
in fragments; then a bomb: a frame of some 300 KB that inflates to 300 MiB must cost the server no more than its
limit.
"""

import asyncio
import random
import sys
import zlib
from pathlib import Path

import websockets
from websockets.exceptions import ConnectionClosedError
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Offer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benches"))
from startscript import Server, StartScript

OFFERS = [
    {},
    {"server_no_context_takeover": True, "client_no_context_takeover": True},
    {"server_max_window_bits": 9},
    {"client_max_window_bits": 10},
    {"server_max_window_bits": 12, "client_max_window_bits": True},
]
SIZES = [0, 1, 5, 125, 126, 1000, 32_768, 65_535, 65_536, 300_000]
LARGE = 16 << 20
# The start scripts take messages of 64 MiB.
BOMB = 300 << 20
MAX_GROWTH = 96 << 20


def messages(seed: int) -> list[bytes]:
    chance = random.Random(seed)
    rows = ",".join(f'{{"id":{chance.randrange(10**6)},"name":"n{n % 7}"}}' for n in range(12_000))
    made = []
    for size in [*SIZES, chance.randrange(100_000)]:
        made += [chance.randbytes(size), b"ab" * (size // 2), rows[:size].encode()]
    return made


async def exchange(uri: str, offer: dict[str, object]) -> int:
    count = 0
    async with websockets.connect(
        uri, compression=None, extensions=[Offer(**offer)], max_size=None, ping_interval=None
    ) as client:
        if not client.protocol.extensions:
            raise AssertionError(f"{offer}: nothing was agreed upon")
        everything = messages(len(offer))
        if not offer:
            everything += [random.Random(1).randbytes(LARGE), b"\0" * LARGE]
        for data in everything:
            sends: list[object] = [data, [data[: len(data) // 3], data[len(data) // 3 :]]]
            if len(data) < 1 << 20:
                sends.append(data.decode("latin-1"))
            for message in sends:
                await client.send(message)
                answer = await client.recv()
                expected = b"".join(message) if isinstance(message, list) else message
                if answer != expected:
                    raise AssertionError(f"{offer}: {len(data)} bytes came back as {len(answer)}")
                count += 1
    return count


def resident(pid: int) -> int:
    """The peak of a process's memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) << 10


async def bomb(uri: str, pid: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(1 << 20)
    packed = b"".join(packer.compress(zeros) for _ in range(BOMB >> 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    packed = packed[:-4]
    before = resident(pid)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(uri.split(":")[2].strip("/")))
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\xc2\xff" + len(packed).to_bytes(8, "big") + bytes(4) + packed)
    head = await asyncio.wait_for(reader.readexactly(4), 30)
    writer.close()
    if head[0] != 0x88 or int.from_bytes(head[2:4], "big") != 1009:
        raise AssertionError(f"the bomb was answered with {head!r}, not with 1009")
    growth = resident(pid) - before
    if growth > MAX_GROWTH:
        raise AssertionError(f"the bomb cost {growth >> 20} MiB")


async def refused(uri: str) -> None:
    async with websockets.connect(uri, compression="deflate") as client:
        client.transport.write(b"\xc1\x83\0\0\0\0\xff\xff\xff")
        try:
            await client.recv()
        except ConnectionClosedError as error:
            if error.rcvd is None or error.rcvd.code != 1007:
                raise AssertionError(f"garbage was answered with {error.rcvd}") from error


async def play(server: Server) -> int:
    uri = f"ws://127.0.0.1:{server.port}/"
    count = 0
    for offer in OFFERS:
        count += await exchange(uri, offer)
    await refused(uri)
    await bomb(uri, server.pid)
    return count + 2


def main(scripts: list[str]) -> int:
    passed = failed = 0
    for path in scripts:
        name = Path(path).name
        server = Server(StartScript(name, Path(path).resolve(), ours=True))
        try:
            passed += asyncio.run(play(server))
            print(f"{name}: ok", flush=True)
        except (AssertionError, OSError, websockets.exceptions.WebSocketException) as error:
            failed += 1
            print(f"{name}: {error!r}", flush=True)
        finally:
            server.stop()
    print(f"compression: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
