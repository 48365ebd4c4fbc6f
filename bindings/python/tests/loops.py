"""Tests that are coroutines, and their clients."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

SECONDS = 20


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs a test on an event loop of its own; no task of its survives it."""

    @functools.wraps(test)
    def run(*arguments: Any, **more: Any) -> None:
        async def bounded() -> None:
            await asyncio.wait_for(test(*arguments, **more), SECONDS)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for _ in range(3):
                # A task that has just ended is among them until the loop has turned.
                await asyncio.sleep(0)
                left = {task for task in left if not task.done()}
            assert not left

        asyncio.run(bounded())

    return run


def port_of(server: Any) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


def client_of(server: Any, path: str = "/", **options: Any) -> connect:
    plain = {"compression": None, "max_size": None, "proxy": None, "ping_interval": None}
    return connect(f"ws://127.0.0.1:{port_of(server)}{path}", **plain | options)


async def drained(connection: ClientConnection) -> list[str | bytes]:
    """All that comes until it is closed, however that is."""
    messages = []
    try:
        while True:
            messages.append(await connection.recv())
    except Exception:
        return messages
