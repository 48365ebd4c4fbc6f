"""What peers send to hurt: bombs, garbage, streams that are cut or go on, and a thousand of them at once."""

from __future__ import annotations

import asyncio
import os
import random
import zlib
from pathlib import Path

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
SECONDS = 60
TEXT, BINARY, CLOSE, COMPRESSED, FIN = 1, 2, 8, 0x40, 0x80

MIB = 1 << 20
LIMIT = 10 * MIB
"""The message size of the server, which MESSAGE_SIZE tells it."""
BUDGET = 32 * MIB
"""Its inbox budget, which INBOX_BUDGET tells it."""
ENVIRONMENT = {"MESSAGE_SIZE": str(LIMIT), "INBOX_BUDGET": str(BUDGET)}
MAX_GROWTH = 16 * MIB
CROWD = 1000
CLIENT = 24 << 10
"""What a client of the crowd may cost beside: its handshake, its socket, and the gaps that the allocator has where its
message grew. Its contexts end with it, although it lingers."""


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(MIB)
    packed = b"".join(packer.compress(zeros) for _ in range(size // MIB)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return packed[:-4]


def deflate(data: bytes, *, ends: bool = False) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush(zlib.Z_FINISH if ends else zlib.Z_SYNC_FLUSH)
    return packed if ends else packed[:-4]


def frame(first: int, payload: bytes) -> bytes:
    """Masked, with zeros."""
    length = len(payload)
    if length < 126:
        head = bytes([0x80 | length])
    elif length < 65536:
        head = b"\xfe" + length.to_bytes(2, "big")
    else:
        head = b"\xff" + length.to_bytes(8, "big")
    return bytes([first]) + head + bytes(4) + payload


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> Peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HANDSHAKE)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)
        if b"permessage-deflate" not in head:
            raise AssertionError(f"nothing was agreed upon: {head!r}")
        return cls(reader, writer)

    async def answer(self) -> tuple[int, bytes]:
        """The next frame's first byte and payload."""
        first, length = await asyncio.wait_for(self.reader.readexactly(2), SECONDS)
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return first, await asyncio.wait_for(self.reader.readexactly(length), SECONDS)

    async def close_code(self) -> int:
        first, payload = await self.answer()
        if first != FIN | CLOSE:
            raise AssertionError(f"no Close frame came, but {first:#x} with {len(payload)} bytes")
        return int.from_bytes(payload[:2], "big")

    def cut(self) -> None:
        self.writer.transport.abort()


def memory(pid: int, line: str) -> int:
    """VmRSS or VmHWM of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(each for each in status.splitlines() if each.startswith(line)).split()[1]) << 10


async def one_bomb(port: int, pid: int) -> None:
    packed = bomb(300 * MIB)
    before = memory(pid, "VmRSS")
    for data in (frame(FIN | COMPRESSED | BINARY, packed), frame(FIN | COMPRESSED | TEXT, packed)):
        peer = await Peer.connect(port)
        peer.writer.write(data)
        if (code := await peer.close_code()) != 1009:
            raise AssertionError(f"the bomb was answered with {code}")
        peer.cut()
    growth = memory(pid, "VmHWM") - before
    if growth >= MAX_GROWTH:
        raise AssertionError(f"the bomb of {len(packed)} bytes cost {growth >> 10} KiB")


async def a_crowd_of_bombs(port: int, pid: int) -> None:
    """All at once, each unfinished while the others come."""
    data = frame(FIN | COMPRESSED | BINARY, bomb(300 * MIB))
    before = memory(pid, "VmRSS")
    peers = await asyncio.gather(*[Peer.connect(port) for _ in range(CROWD)])

    async def begin(peer: Peer) -> None:
        peer.writer.write(data[: len(data) // 2])
        await peer.writer.drain()

    async def finish(peer: Peer) -> int:
        peer.writer.write(data[len(data) // 2 :])
        return await peer.close_code()

    await asyncio.gather(*[begin(peer) for peer in peers])
    codes = await asyncio.gather(*[finish(peer) for peer in peers])
    for peer in peers:
        peer.cut()
    if set(codes) - {1009, 1013} or 1009 not in codes:
        raise AssertionError(f"the crowd was answered with {set(codes)}")
    growth = memory(pid, "VmHWM") - before
    # Beside the budget: what a worker inflates, and what a thousand clients cost.
    if growth >= BUDGET + MAX_GROWTH + CROWD * CLIENT:
        raise AssertionError(f"{CROWD} bombs cost {growth >> 20} MiB")


async def streams_that_are_wrong(port: int) -> None:
    text = b"a message that is long enough to be cut in two, a message that is long enough"
    whole = deflate(text)
    for what, payload in {
        "garbage": b"\xff\xff\xff",
        "a cut stream": whole[: len(whole) // 2],
        "a stream that lacks its end": whole[:-2],
        "garbage behind a stream's end": deflate(text, ends=True) + b"\xff\xff\xff",
        "a distance that is too far": bytes.fromhex("4b04a2ff00"),
    }.items():
        peer = await Peer.connect(port)
        peer.writer.write(frame(FIN | COMPRESSED | TEXT, payload))
        if (code := await peer.close_code()) != 1007:
            raise AssertionError(f"{what} was answered with {code}")
        peer.cut()


async def streams_that_go_on(port: int) -> None:
    """Odd, and right: they are answered, and soon."""
    for what, payload, content in (
        ("a stream that has ended", deflate(b"ended", ends=True) + b"\0", b"ended"),
        ("another behind its end", deflate(b"ended", ends=True) + deflate(b" again"), b"ended again"),
        ("many empty blocks", b"\0\0\0\xff\xff" * 50_000 + b"\0", b""),
        ("nothing but a byte", b"\0", b""),
    ):
        peer = await Peer.connect(port)
        peer.writer.write(frame(FIN | COMPRESSED | BINARY, payload))
        first, answer = await peer.answer()
        if first & COMPRESSED:
            answer = zlib.decompressobj(-15).decompress(answer + b"\0\0\xff\xff")
        if (first & 0x0F, answer) != (BINARY, content):
            raise AssertionError(f"{what} was answered with {first:#x} and {len(answer)} bytes")
        peer.cut()


async def cut_connections(port: int, pid: int) -> None:
    """Who leaves in the midst of a message leaves nothing behind."""
    chance = random.Random(7)
    data = frame(FIN | COMPRESSED | BINARY, deflate(chance.randbytes(1 << 20)))

    async def crowd() -> int:
        peers = await asyncio.gather(*[Peer.connect(port) for _ in range(20)])
        for peer in peers:
            peer.writer.write(data[: chance.randrange(len(data))])
            await peer.writer.drain()
            peer.cut()
        # When another has been served, all that has come before is known to the worker.
        last = await Peer.connect(port)
        last.writer.write(frame(FIN | COMPRESSED | TEXT, deflate(b"here")))
        await last.answer()
        last.cut()
        return memory(pid, "VmRSS")

    first = await crowd()
    grown = max([await crowd() for _ in range(5)]) - first
    if grown >= MAX_GROWTH:
        raise AssertionError(f"cut messages left {grown >> 10} KiB behind")


async def play(port: int, pid: int) -> int:
    await one_bomb(port, pid)
    await streams_that_are_wrong(port)
    await streams_that_go_on(port)
    await cut_connections(port, pid)
    await a_crowd_of_bombs(port, pid)
    # It goes on as ever.
    await streams_that_go_on(port)
    return 6


def run(port: int, pid: int) -> int:
    return asyncio.run(play(port, pid))


if __name__ == "__main__":
    import sys

    print(run(int(sys.argv[1]), int(sys.argv[2] if len(sys.argv) > 2 else os.environ["PID"])))
