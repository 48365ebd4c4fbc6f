"""Start scripts, `NAME-MODE.sh PORT`, and the servers that they become."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCHES = Path(__file__).resolve().parent
READY = re.compile(rb"listening on ws://127\.0\.0\.1:(\d+)/")
START_SECONDS = 600  # a script may have to build its server first
STOP_SECONDS = 5


class ServerFailedError(Exception):
    """A server did not start, or ended before it was told to."""


@dataclass(frozen=True)
class StartScript:
    name: str
    path: Path
    ours: bool
    """Takes port 0 and prints the line with the port; others get a port and are ready when they accept."""
    environment: tuple[tuple[str, str], ...] = ()
    """Beside what all get."""


def find(mode: str, outside: list[Path]) -> list[StartScript]:
    """All start scripts of a mode: ours, the peers here, and those in directories outside."""
    suffix = f"-{mode}.sh"
    found: dict[str, StartScript] = {}
    for directory in [BENCHES / "servers", BENCHES / "peers", *outside]:
        for path in sorted(directory.glob(f"*{suffix}")):
            name = path.name.removesuffix(suffix)
            # Those that compress, and those that stream, have modes of their own.
            if name.endswith("-deflate") or "-stream" in name:
                continue
            found.setdefault(name, StartScript(name, path.resolve(), directory not in outside))
    return list(found.values())


class Server:
    """A running server; to be stopped by whoever started it."""

    def __init__(self, script: StartScript, environment: dict[str, str] | None = None) -> None:
        port = 0 if script.ours else free_port()
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the server
        # A session of its own: the server's children can be ended with it, and Ctrl-C leaves that to us.
        self._process = subprocess.Popen(
            [script.path, str(port)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | dict(script.environment) | (environment or {}),
        )
        try:
            self.port = self._wait_for_line() if script.ours else self._wait_for_accept(port)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        # Not reaped before `stop`: until then its id, which is its session's too, cannot be anybody else's.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def last_words(self) -> str:
        """The end of what it printed."""
        words = self._printed().decode(errors="replace").strip().splitlines()
        return words[-1] if words else "(it printed nothing)"

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what is left of its session."""
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def _wait_for_line(self) -> int:
        for _ in self._attempts():
            if line := READY.search(self._printed()):
                return int(line[1])
        raise ServerFailedError(f"it did not say where it listens: {self.last_words()}")

    def _wait_for_accept(self, port: int) -> int:
        for _ in self._attempts():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                continue
            return port
        raise ServerFailedError(f"it does not accept connections: {self.last_words()}")

    def _attempts(self) -> Iterator[None]:
        """Looks again until the deadline, or until it has ended."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            running = self.running()
            yield
            if not running:
                return
            time.sleep(0.01)

    def _printed(self) -> bytes:
        return os.pread(self._log.fileno(), 1 << 20, 0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
