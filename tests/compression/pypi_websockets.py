"""PyPI's `websockets` as a client."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import websockets
from plan import Plan
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Offer

NAME = "websockets"
OFFERS: list[dict[str, Any]] = [
    {},
    {"server_no_context_takeover": True, "client_no_context_takeover": True},
    {"server_max_window_bits": 9},
    {"client_max_window_bits": 10},
    {"server_max_window_bits": 12, "client_max_window_bits": True},
    {"server_max_window_bits": 15, "client_max_window_bits": 9, "server_no_context_takeover": True},
]
SIZES = [0, 1, 5, 125, 126, 1000, 4096, 32_768, 65_535, 65_536, 300_000]

Message = str | bytes


def noise(chance: random.Random, size: int) -> Message:
    return chance.randbytes(size)


def letters(chance: random.Random, size: int) -> Message:
    """Text that hardly gets smaller: any of 256 characters, of one byte or two."""
    return chance.randbytes(size * 2 // 3).decode("latin-1")


def signs(chance: random.Random, size: int) -> Message:
    """Text that doesn't either, of two and three bytes a character."""
    return chance.randbytes(size // 3 * 2).decode("utf-16-le", "replace")


def repetitive(chance: random.Random, size: int) -> Message:
    period = chance.choice((b"\0", b"ab", b"0123456789abcdef"))
    return (period * (size // len(period) + 1))[:size]


def recurring(chance: random.Random, size: int) -> Message:
    """Noise that comes again."""
    return chance.randbytes(size // 3) * 3


def rows(chance: random.Random, size: int) -> Message:
    row = '{{"id":{},"name":"n{}"}},'
    return "".join(row.format(chance.randrange(10**6), chance.randrange(9)) for _ in range(size // 20 + 1))[:size]


KINDS = [noise, letters, signs, repetitive, recurring, rows]


def pieces(chance: random.Random, message: Message) -> Message | list[Message]:
    """The message whole, or in some fragments, of which any may be empty."""
    if chance.random() < 0.5:
        return message
    cuts = sorted(chance.randrange(len(message) + 1) for _ in range(chance.randrange(1, 5)))
    bounds = zip([0, *cuts], [*cuts, len(message)], strict=True)
    return [message[start:end] for start, end in bounds]


async def play(plan: Plan) -> int:
    offer, rounds, large = plan.offer, plan.rounds, plan.large
    chance = random.Random(plan.seed)
    count = 0
    async with websockets.connect(
        plan.uri,
        compression=None,
        extensions=[Offer(**offer)],
        max_size=None,
        # It takes all that comes while it sends: a server that streams does not read who does not.
        max_queue=None,
        ping_interval=None,
    ) as client:
        if bool(client.protocol.extensions) != plan.compressed:
            raise AssertionError(f"websockets, {offer}: agreed upon: {client.protocol.extensions}")

        async def exchange(messages: list[Message]) -> None:
            nonlocal count
            for message in messages:
                await client.send(pieces(chance, message))
            for message in messages:
                answer = await client.recv()
                if answer != message:
                    kind, length = type(message).__name__, len(message)
                    raise AssertionError(f"websockets, {offer}: {kind} of {length} came back as {len(answer)}")
                count += 1

        for size in SIZES:
            for kind in KINDS:
                await exchange([kind(chance, size)])
        for _ in range(rounds):
            sizes = [chance.randrange(1 << chance.randrange(18)) for _ in range(chance.randrange(1, 8))]
            await exchange([chance.choice(KINDS)(chance, size) for size in sizes])
        if large:
            for kind in KINDS:
                await exchange([kind(chance, large)])
            for _ in range(rounds // 4):
                await exchange([chance.choice(KINDS)(chance, chance.randrange(large >> chance.randrange(9)))])
    return count


class PypiWebsockets:
    def exchange(self, plan: Plan) -> int:
        return asyncio.run(play(plan))

    def close(self) -> None:
        pass


def start(_root: Path) -> PypiWebsockets | str:
    return PypiWebsockets()
