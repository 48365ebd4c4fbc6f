#!/usr/bin/env python3
"""Plays the conformance scenarios against servers, and compares what they said.

    run.py [--only REGEX] [--transcript DIR] START_SCRIPT...

A start script takes a port (0: any) and prints `listening on ws://127.0.0.1:PORT/` when it is
ready; see benches/servers/*-conformance.sh. Each server must meet every scenario, say the same as
the first one in each, byte for byte, and leave with status 0 on SIGTERM.

Exit: 0 all of it holds, 1 something does not, 2 the run itself went wrong.
"""

from __future__ import annotations

import argparse
import difflib
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

from client import Unmet
from play import Player
from scenario import Scenario, load

READY = re.compile(rb"^listening on ws://127\.0\.0\.1:(\d+)/", re.MULTILINE)
START_PATIENCE = 900.0  # the script may build the library first
STOP_PATIENCE = 15.0
DIFF_LINES = 100


class Server:
    """A start script that runs."""

    def __init__(self, script: Path) -> None:
        self._process = subprocess.Popen([script, "0"], stdout=subprocess.PIPE)
        self.port = self._await_port()

    def _await_port(self) -> int:
        said = b""
        deadline = time.monotonic() + START_PATIENCE
        stdout = self._process.stdout
        assert stdout is not None
        while not (ready := READY.search(said)):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([stdout], [], [], left)[0]:
                self.stop()
                raise RuntimeError(f"did not say where it listens within {START_PATIENCE:.0f} s")
            data = stdout.read1()  # type: ignore[attr-defined]
            if not data:
                status = self.stop()
                raise RuntimeError(f"ended with status {status} before it listened: {said!r}")
            said += data
        return int(ready[1])

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> int:
        """The exit status; negative is the signal that ended it."""
        if not self.has_ended():
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class Tally:
    passed = 0
    failed = 0

    def count(self, what: str, fault: str | None) -> None:
        if fault is None:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}: {fault}", flush=True)


# What was said in each scenario; nothing for one that was not met.
Transcript = dict[str, list[str]]


def play_all(script: Path, scenarios: list[Scenario], tally: Tally) -> Transcript:
    """Plays all of it against one server."""
    said: Transcript = {}
    try:
        server = Server(script)
    except (OSError, RuntimeError) as error:
        tally.count(f"{script.stem}: start", str(error))
        return said
    fault: str | None = None
    try:
        for scenario in scenarios:
            if server.has_ended():
                fault = "ended by itself before all was played"
                break
            player = Player(server.port)
            unmet: str | None = None
            try:
                player.play(scenario.steps)
            except (Unmet, OSError) as error:
                unmet = str(error)
            else:
                said[scenario.name] = player.transcript
            tally.count(f"{script.stem}: {scenario.name}", unmet)
    finally:
        status = server.stop()
    if status and not fault:
        fault = f"left with status {status} on SIGTERM"
    tally.count(f"{script.stem}: stop", fault)
    return said


def text(said: Transcript, names: Collection[str]) -> str:
    sections = ([f"# {name}", *lines, ""] for name, lines in said.items() if name in names)
    return "\n".join(line for section in sections for line in section)


def compare(transcripts: dict[str, Transcript], tally: Tally) -> None:
    """Holds each server's transcript against the first one's, where both met the scenario."""
    first, *others = transcripts
    for other in others:
        both = transcripts[first].keys() & transcripts[other].keys()
        ours, theirs = (text(transcripts[name], both).splitlines() for name in (first, other))
        lines = list(difflib.unified_diff(ours, theirs, first, other, n=2, lineterm=""))
        tally.count(f"{other}: transcript", f"differs from {first}'s" if lines else None)
        for line in lines[:DIFF_LINES]:
            print(f"  {line}")
        if len(lines) > DIFF_LINES:
            print(f"  … and {len(lines) - DIFF_LINES} lines more")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="REGEX", help="scenarios whose name matches")
    parser.add_argument("--transcript", type=Path, metavar="DIR", help="leave one per server here")
    parser.add_argument("scripts", nargs="+", type=Path, metavar="START_SCRIPT")
    arguments = parser.parse_args()
    try:
        scenarios = load(arguments.only)
    except (ValueError, KeyError, re.error) as error:
        print(f"run.py: {error!r}", file=sys.stderr)
        return 2
    if not scenarios:
        print(f"run.py: no scenario matches {arguments.only!r}", file=sys.stderr)
        return 2

    tally = Tally()
    transcripts: dict[str, Transcript] = {}
    for script in arguments.scripts:
        transcripts[script.stem] = play_all(script.resolve(), scenarios, tally)
        if arguments.transcript:
            arguments.transcript.mkdir(parents=True, exist_ok=True)
            said = transcripts[script.stem]
            (arguments.transcript / f"{script.stem}.txt").write_text(text(said, said), "utf-8")
    compare(transcripts, tally)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
