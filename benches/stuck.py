#!/usr/bin/env python3
"""What one client that never reads costs the others: broadcasts of 16 KiB to 50 readers, with and without it.

By each policy for slow consumers: the readers' p99 latency beside that of a run without the stuck client (the
median of the ratios of neighbouring runs), and how far the server's memory grew in the run with it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from results import Case
from rounds import run_load
from run import build_load
from startscript import BENCHES, Server, StartScript

POLICIES = {"close": "0", "drop newest": "1", "drop oldest": "2"}


def case(stuck: int, seconds: float) -> Case:
    arguments = ("--clients", "50", "--in-flight", "1", "--size", "16384", "--seconds", str(seconds))
    return Case(
        mode="broadcast",
        name=f"{stuck} stuck",
        table="",
        column="",
        arguments=(*arguments, "--stuck", str(stuck)),
        figure="latency_us_p99",
        unit=1,
    )


def peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--stuck", type=int, default=1)
    options = parser.parse_args()
    load = build_load()
    for policy, number in POLICIES.items():
        os.environ["SLOW_CONSUMER"] = number
        script = StartScript("c-push", BENCHES / "servers" / "c-push-broadcast.sh", ours=True)
        ratios, without, grown = [], [], []
        for _ in range(options.rounds):
            server = Server(script)
            try:
                alone = run_load(load, case(0, options.seconds), server)["latency_us_p99"]
                before = peak(server.pid)
                beside = run_load(load, case(options.stuck, options.seconds), server)["latency_us_p99"]
                grown.append(peak(server.pid) - before)
            finally:
                server.stop()
            without.append(alone)
            ratios.append(beside / alone)
        latency, ratio = statistics.median(without), statistics.median(ratios)
        print(
            f"{policy}: p99 {latency:.0f} us without, {ratio:.2f} times that beside {options.stuck} stuck;"
            f" memory grew by {max(grown) / 2**20:.1f} MiB at most"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
