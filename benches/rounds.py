"""Rounds over the cases, and within a case over the servers in turn: neighbours in time are compared.

A round has new processes: one process can have luck with its addresses, five cannot. While one server is
measured the others of its round stay up, asleep without clients. Where memory is measured, each measurement
has a new server, because memory that a server got for earlier clients would hide what these cost.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from startscript import Server, ServerFailedError, StartScript

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from results import Case, Results

# A round's time for a server and case comes in this many pieces.
TURNS = 3


class Rounds:
    """Runs the load generator against the servers; as a context, it ends those that still run."""

    def __init__(self, load: Path, scripts: list[StartScript], results: Results) -> None:
        self._load = load
        self._scripts = scripts
        self._results = results
        self._running: dict[str, Server] = {}
        self._round = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop_all()

    def run(self, cases: list[Case]) -> None:
        """One round. A server that fails in a case is left out of this case from then on."""
        for case in cases:
            print(case.name, file=sys.stderr)
            for turn in range(1 if case.new_server else TURNS):
                number = self._round * TURNS + turn
                # Nobody always follows the same neighbour.
                first = number % len(self._scripts)
                for script in self._scripts[first:] + self._scripts[:first]:
                    if not self._results.failed(case, script.name):
                        self._sample(case, script, number)
        self._round += 1
        self._stop_all()

    def _sample(self, case: Case, script: StartScript, number: int) -> None:
        try:
            if case.new_server:
                self._stop(script.name)
            if script.name not in self._running:
                self._running[script.name] = Server(script)
            line = run_load(self._load, case, self._running[script.name])
        except ServerFailedError as error:
            self._results.fail(case, script.name, str(error))
            self._stop(script.name)
            return
        self._results.add(case, script.name, number, line)
        if case.new_server:
            self._stop(script.name)

    def _stop_all(self) -> None:
        for name in list(self._running):
            self._stop(name)

    def _stop(self, name: str) -> None:
        server = self._running.pop(name, None)
        if server:
            server.stop()


def run_load(load: Path, case: Case, server: Server) -> dict[str, Any]:
    timeout = 60 if case.mode == "idle" else 20
    command = [
        load,
        case.mode,
        "--port",
        server.port,
        "--pid",
        server.pid,
        "--timeout",
        timeout,
        *case.arguments,
    ]
    try:
        # An idle run closes its clients at the end of its input, which here is at once.
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerFailedError("the load generator did not end") from error
    if not server.running():
        raise ServerFailedError(f"the server ended: {server.last_words()}")
    if done.returncode != 0:
        raise ServerFailedError(done.stderr.strip())
    line: dict[str, Any] = json.loads(done.stdout)
    return line
