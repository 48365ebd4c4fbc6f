"""The process of a chat server: started from a command line, stopped by SIGTERM."""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30  # PHP and Python load the library, and a cold disk is slow
STOP_SECONDS = 10  # the chats grant 3 s to their clients


class ServerFailure(Exception):
    pass


class ChatServer:
    """Starts and stops one command, always on the same port."""

    def __init__(self, command: str) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._command = (
            command.replace("{address}", self.address) if "{address}" in command else f"{command} {self.address}"
        )
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._output: list[str] = []
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{self.address}/"

    def start(self) -> None:
        """Returns when the server has printed that it listens."""
        # Without ORIGINS a chat allows the pages that it serves itself, as for somebody who just started it.
        environment = {name: value for name, value in os.environ.items() if name != "ORIGINS"}
        self._output.clear()
        self._ready.clear()
        # env takes NAME=value words before the command, and becomes the command. A process group of its own: the
        # command may be a script, and all that it starts has to get the signal.
        self._process = subprocess.Popen(
            ["env", "--", *shlex.split(self._command)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self._ready.wait(START_SECONDS)
        announced = re.search(r"^listening on (\S+)$", "".join(self._output), re.MULTILINE)
        if announced is None:
            self.kill()
            raise ServerFailure(f"the server did not print that it listens; it printed:\n{self.tail()}")
        if announced[1] != self.url:
            self.kill()
            raise ServerFailure(f"the server listens on {announced[1]}, not on {self.url}")

    def stop(self) -> int:
        """Asks the server to stop and returns its exit status once everything that it started is gone."""
        assert self._process is not None and self._reader is not None
        self._signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailure(
                f"the server still runs {STOP_SECONDS} s after SIGTERM; it printed:\n{self.tail()}"
            ) from None
        # The pipe ends with the last process that holds it.
        self._reader.join(STOP_SECONDS)
        if self._reader.is_alive():
            self.kill()
            raise ServerFailure("the server left a process behind")
        return status

    def kill(self) -> None:
        """Ends whatever still runs; for the way out."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    def tail(self) -> str:
        return "".join(self._output[-20:]) or "(nothing)"

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._output.append(line)
            if line.startswith("listening on "):
                self._ready.set()
        self._ready.set()  # it ended: nothing more to wait for

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def free_port() -> int:
    """A port that stays free while the server is down.

    Ports that the kernel gives to outgoing connections would not do: a tab that reconnects could be given the very port
    that it wants to reach.
    """
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(lowest_outgoing // 2, lowest_outgoing), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailure("no free port found")
