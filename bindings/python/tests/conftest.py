from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from libraries import LIBRARIES
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as websocket

import wsgate

SECONDS = 10

# For the programs that tests start.
os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent / "src")


@pytest.fixture(params=LIBRARIES.values(), ids=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def run() -> Iterator[Callable[[wsgate.Server], int]]:
    """Runs servers on threads of their own until the test ends; gives each one's port."""
    running: list[tuple[wsgate.Server, threading.Thread]] = []

    def start(server: wsgate.Server) -> int:
        server.start()
        (port,) = server.ports
        thread = threading.Thread(target=server.run, name="server")
        thread.start()
        running.append((server, thread))
        return port

    yield start
    for server, thread in running:
        server.stop(grace=0.2)
        thread.join(SECONDS)
        assert not thread.is_alive()


@pytest.fixture
def connect() -> Iterator[Callable[..., ClientConnection]]:
    """Opens connections that end with the test."""
    with ExitStack() as opened:

        def open(port: int, path: str = "/", **options: Any) -> ClientConnection:
            return opened.enter_context(
                websocket(
                    f"ws://127.0.0.1:{port}{path}",
                    compression=None,
                    max_size=None,
                    open_timeout=SECONDS,
                    close_timeout=1,
                    **options,
                )
            )

        yield open
