"""Where a server listens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class ListeningSocket(NamedTuple):
    """An address that a server listens on; of a Unix socket, the path and port 0."""

    host: str
    port: int

    def getsockname(self) -> Any:
        return (self.host, self.port) if self.port else self.host

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


async def resolved(
    loop: asyncio.AbstractEventLoop, host: str | Sequence[str] | None, port: int
) -> list[str]:
    """The addresses that hosts stand for, those of them that this machine has."""
    hosts: Iterable[str | None] = [host] if host is None or isinstance(host, str) else host
    found: dict[str, None] = {}
    for one in hosts:
        if one is not None and one.startswith("unix:"):
            found[one] = None
            continue
        infos = await loop.getaddrinfo(
            one or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, *_, address in infos:
            if len(infos) == 1 or _is_here(family, str(address[0])):
                name = str(address[0])
                where = int(address[1])
                found[f"[{name}]:{where}" if ":" in name else f"{name}:{where}"] = None
    return list(found)


def _is_here(family: int, host: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True
