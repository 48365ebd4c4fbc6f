#!/usr/bin/env python3
"""run.py SCRIPT...: compressed messages, byte for byte, between clients of others and each start script.

The clients are PyPI's `websockets`, npm's `ws` and a headless Chromium, those of them that there are; one that is not
there is told of. Each exchanges random, repetitive, textual, mixed and empty messages of up to 16 MiB, text and
binary, whole and in fragments, several at once, for every kind of agreement that it can offer. Then come those that
mean harm: bombs, garbage, and streams that are cut or go on (hostile.py).

Servers that stream (-stream-) get exchanges alone, with longer messages; those without compression (no -deflate-) are
to agree upon nothing.

The first script is tried with all that, the others with the most common agreements and messages of up to 300 KB.

    LONG=1        the same for each script, long messages with each server, and more rounds
    ROUNDS=n      so many rounds of random messages for each exchange [10; LONG: 100]
    SEED=n        the first seed; it is printed [random]
    CLIENTS=ws    only these, with commas
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import chromium
import hostile
import npm_ws
import pypi_websockets
from plan import Plan
from websockets.exceptions import WebSocketException

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches"))
from startscript import Server, ServerFailedError, StartScript  # noqa: E402 - found there only

CLIENTS: list[ModuleType] = [pypi_websockets, npm_ws, chromium]
LARGE = 16 << 20
LARGE_STREAMED = 4 << 20

# The C servers let a test choose windows and fragments of ours; the clients' offers do the rest.
SERVERS: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("window of 9, fragments", {"DEFLATE_WINDOW": "9", "FRAME_SPLIT": "1000"}),
    ("window of 15", {"DEFLATE_WINDOW": "15"}),
]


@dataclass(frozen=True)
class Extent:
    seed: int
    rounds: int
    long: bool


class Tally:
    def __init__(self) -> None:
        self.exchanged: Counter[str] = Counter()
        self.failed = 0


@contextmanager
def started(path: Path, environment: dict[str, str]) -> Iterator[Server]:
    server = Server(StartScript(path.name, path, ours=True), environment)
    try:
        yield server
    finally:
        server.stop()


def main(scripts: list[str]) -> int:
    seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
    long = bool(os.environ.get("LONG"))
    extent = Extent(seed, int(os.environ.get("ROUNDS") or (100 if long else 10)), long)
    print(f"compression: SEED={seed} ROUNDS={extent.rounds}", flush=True)
    wanted = os.environ.get("CLIENTS", "").split(",")
    clients: list[tuple[ModuleType, Any]] = []
    for module in CLIENTS:
        if wanted != [""] and module.NAME not in wanted:
            continue
        client = module.start(ROOT)
        if isinstance(client, str):
            print(f"compression: {module.NAME} IS LEFT OUT: {client}", flush=True)
        else:
            clients.append((module, client))
    tally = Tally()
    try:
        for number, script in enumerate(scripts):
            play(Path(script).resolve(), clients, extent, long or number == 0, tally)
    finally:
        for _, client in clients:
            client.close()
    each = ", ".join(f"{name} {count}" for name, count in tally.exchanged.items())
    print(f"compression: messages exchanged: {each}; {tally.failed} failures")
    return 1 if tally.failed or not tally.exchanged.total() else 0


def play(path: Path, clients: list[tuple[ModuleType, Any]], extent: Extent, whole: bool, tally: Tally) -> None:
    in_c, streams = path.name.startswith("c-"), "-stream-" in path.name
    began = time.monotonic()

    def attempt(who: str, server_is: str, work: Any) -> None:
        try:
            tally.exchanged[who] += work()
        except (AssertionError, OSError, EOFError, ServerFailedError, WebSocketException) as error:
            tally.failed += 1
            print(f"{path.name}, {who} {server_is}: {error!r}", flush=True)

    for number, (server_is, environment) in enumerate(SERVERS if in_c and whole else SERVERS[:1]):
        with started(path, environment) as server:
            uri = f"ws://127.0.0.1:{server.port}/"
            for module, client in clients:
                for offer_number, offer in enumerate(module.OFFERS if whole else module.OFFERS[:2]):
                    # Clients bound the fragments that they take.
                    long = number == 0 or (extent.long and "FRAME_SPLIT" not in environment)
                    large = LARGE if whole else LARGE_STREAMED if streams else 0
                    if offer_number > 0 or not long:
                        large = 0
                    plan = Plan(uri, offer, "-deflate-" in path.name, extent.seed + offer_number, extent.rounds, large)
                    attempt(module.NAME, server_is, lambda plan=plan, client=client: client.exchange(plan))
    if in_c and not streams:
        with started(path, hostile.ENVIRONMENT) as server:
            attempt("hostile", "", lambda: hostile.run(server.port, server.pid))
    print(f"{path.name}: {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
