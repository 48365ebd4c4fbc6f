#!/usr/bin/env python3
"""Measures the servers that have start scripts against each other. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

from others import Others
from results import Case, Results
from rounds import TURNS, Rounds
from startscript import BENCHES, StartScript, find

MODES = ("echo", "broadcast", "idle")
STREAMED_MIB = 1024
FLOODED = 500
DEFLATE = ("deflate-echo", "plain-echo", "deflate-broadcast", "plain-broadcast")
MEMORY_CLIENTS = 1000
# Size, depth and clients; the last two are what programs in slower languages are compared by.
ECHOES = [
    *((size, depth, clients) for size in (32, 1024, 16384) for depth in (1, 16) for clients in (1, 8, 100)),
    *((100, depth, 50) for depth in (1, 32)),
]
# Clients, and messages in flight.
BROADCASTS = [(clients, in_flight) for clients in (111, 500, 1000) for in_flight in (1, 8)]
IDLE_CLIENTS = 20_000
# What a server needs for itself: its listener, poller, libraries' descriptors.
DESCRIPTORS_TO_SPARE = 100


def cases_of(mode: str, seconds: float) -> list[Case]:
    duration = ("--seconds", str(seconds / TURNS))
    if mode == "echo":
        return [
            Case(
                mode=mode,
                name=f"echo, {size} B, depth {depth}, clients {clients}",
                table=f"echo of {size} B, clients x depth: us of server CPU per message, median (min), ratio",
                column=f"{clients} x {depth}",
                arguments=("--size", str(size), "--depth", str(depth), "--clients", str(clients), *duration),
                figure="server_cpu_ns_per_delivery",
                unit=1000,
            )
            for size, depth, clients in ECHOES
        ]
    if mode == "broadcast":
        size: tuple[str, ...] = ("--size", "128")
        return [
            Case(
                mode=mode,
                name=f"broadcast, 128 B, in flight {in_flight}, clients {clients}",
                table=f"broadcast of 128 B to {clients} clients: us of server CPU per delivery, "
                "median (min), ratio",
                column=f"{in_flight} in flight",
                arguments=(*size, "--in-flight", str(in_flight), "--clients", str(clients), *duration),
                figure="server_cpu_ns_per_delivery",
                unit=1000,
            )
            for clients, in_flight in BROADCASTS
        ]
    if mode == "workers":
        return [
            Case(
                mode="flood",
                name=f"flood, 128 B, in flight 8, clients {FLOODED}",
                table=f"broadcast of 128 B to {FLOODED} clients, who read afterwards, by number of workers: "
                "millions of deliveries a second, median (min), ratio (more is better)",
                column="8 in flight",
                arguments=("--size", "128", "--in-flight", "8", "--clients", str(FLOODED)),
                figure="deliveries_per_second",
                unit=1e6,
            )
        ]
    if mode in DEFLATE:
        return deflate_cases(mode, duration)
    if mode == "stream":
        return [
            Case(
                mode=mode,
                name=f"stream, {STREAMED_MIB} MiB, {what}",
                table=f"a message of {STREAMED_MIB} MiB in and out: {what}, median (min), ratio",
                column="frames of 64 KiB",
                arguments=("--size", str(STREAMED_MIB << 20)),
                figure=figure,
                unit=unit,
            )
            for what, figure, unit in (
                ("us per KB", "ns_per_kilobyte", 1000),
                ("us of server CPU per KB", "server_cpu_ns_per_kilobyte", 1000),
                ("MB of memory at the most", "peak_memory", 1e6),
            )
        ]
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    clients = min(IDLE_CLIENTS, hard_limit - DESCRIPTORS_TO_SPARE)
    return [
        Case(
            mode=mode,
            name=f"idle, clients {clients}",
            table=f"idle: bytes of server memory per client, of {clients}, median (min), ratio",
            column="bytes",
            arguments=("--clients", str(clients)),
            figure="memory_per_client",
            unit=1,
            decimals=0,
            new_server=True,
        )
    ]


def deflate_cases(mode: str, duration: tuple[str, ...]) -> list[Case]:
    """1 KiB of JSON; in the plain modes beside it, as many bytes as they are."""
    how, mode = mode.split("-")
    offer = ("--deflate",) if how == "deflate" else ()
    echoes = mode == "echo"
    each = "message" if echoes else "delivery"
    what = f"{mode} of 1 KiB of JSON, {'compressed' if offer else 'not compressed'}"
    cpu = ("us of server CPU", "server_cpu_ns_per_delivery", 1000, 2)
    wire = ("bytes on the wire", "wire_bytes_per_delivery", 1, 0)
    burst = "--depth" if echoes else "--in-flight"
    shapes = [(burst, "1"), (burst, "16" if echoes else "8")]
    cases = [
        Case(
            mode=mode,
            name=f"{what}, {words}, {shape[0]} {shape[1]}",
            table=f"{what}: {words} per {each}, median (min), ratio",
            column=f"100 x {shape[1]}" if echoes else f"{shape[1]} in flight",
            arguments=(*offer, "--size", "1024", *shape, "--clients", "100" if echoes else "500", *duration),
            figure=figure,
            unit=unit,
            decimals=decimals,
        )
        for words, figure, unit, decimals in ((cpu, wire) if offer else (cpu,))
        for shape in shapes
    ]
    if echoes:
        cases.append(
            Case(
                mode=mode,
                name=f"{what}, bytes of server memory",
                table=f"{what}: bytes of server memory per client of {MEMORY_CLIENTS}, after traffic",
                column="bytes",
                arguments=(
                    *(*offer, "--size", "1024", "--depth", "1", "--clients", str(MEMORY_CLIENTS)),
                    *("--memory", "--messages", str(10 * MEMORY_CLIENTS)),
                ),
                figure="memory_per_client",
                unit=1,
                decimals=0,
                new_server=True,
            )
        )
    return cases


def scripts_of(mode: str, options: argparse.Namespace) -> list[StartScript]:
    """The start scripts of a mode; of the plain ones, those of servers that can compress."""
    if mode == "workers":
        # The same server, by the number of its workers.
        counts = range(1, (os.cpu_count() or 1) + 1)
        return [
            StartScript(f"{script.name}-{count}", script.path, script.ours, (("WORKERS", str(count)),))
            for script in find("broadcast", options.peers)
            if script.name in (options.servers or ["c-push"])
            for count in counts
        ]
    if not mode.startswith("plain-"):
        # An idle client needs no mode of its own.
        return find({"idle": "echo", "stream": "stream-echo"}.get(mode, mode), options.peers)
    mode = mode.removeprefix("plain-")
    able = {script.name.removesuffix("-takeover") for script in find(f"deflate-{mode}", options.peers)}
    return [script for script in find(mode, options.peers) if script.name in able]


def main() -> int:
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Idle clients are descriptors, here and in the servers, which inherit the limit.
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    load = build_load()
    modes = {"all": MODES, "deflate": DEFLATE}.get(options.mode, (options.mode,))
    report = []
    for mode in modes:
        cases = [case for case in cases_of(mode, options.seconds) if options.only.search(case.name)]
        scripts = scripts_of(mode, options)
        if options.servers and mode != "workers":
            there = {script.name for script in scripts}
            # A server that compresses with takeover only has its plain scripts under the name without.
            there |= {name.removesuffix("-takeover") for name in there}
            for name in set(options.servers) - there:
                if mode.startswith("plain-"):
                    continue
                print(f"{mode}: there is no start script of {name}", file=sys.stderr)
            scripts = [script for script in scripts if script.name in options.servers]
        if not scripts or not cases:
            print(f"{mode}: nothing to measure", file=sys.stderr)
            continue
        names = [script.name for script in scripts]
        results = Results(names, options.reference if options.reference in names else names[0])
        others = Others()
        with Rounds(load, scripts, results) as rounds:
            for _ in range(options.rounds):
                rounds.run(cases)
        print(results.tables(cases, markdown=options.markdown))
        print(f"\nOthers used {others.share():.0%} of the machine's CPU time meanwhile.\n", flush=True)
        report += results.as_json(cases)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=[*MODES, *DEFLATE, "stream", "workers", "all", "deflate"])
    parser.add_argument("--servers", type=lambda text: text.split(","), help="only these, by name: a,b,c")
    parser.add_argument(
        "--only", type=re.compile, default=re.compile(""), metavar="REGEX", help="only these cases"
    )
    parser.add_argument(
        "--peers",
        type=Path,
        action="append",
        default=[],
        help="a directory with more start scripts, as $PEERS is",
    )
    parser.add_argument(
        "--reference", default="c-push", help="the server that is 1.00x [c-push, else the first]"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=0.75, help="of load for a server, case and round [0.75]"
    )
    parser.add_argument("--quick", action="store_const", const=0.2, dest="seconds", help="--seconds 0.2")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures of all rounds")
    options = parser.parse_args()
    if os.environ.get("PEERS"):
        options.peers.append(Path(os.environ["PEERS"]))
    for peers in options.peers:
        if not peers.is_dir():
            parser.error(f"{peers} is not a directory")
    return options


def build_load() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", BENCHES / "target"))
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--bin", "load"]
    manifest = ["--manifest-path", str(BENCHES / "Cargo.toml"), "--target-dir", str(target)]
    subprocess.run([*build, *manifest], check=True)
    return target / "release" / "load"


if __name__ == "__main__":
    sys.exit(main())
