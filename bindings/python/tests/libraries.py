"""Two libraries that mean the same by the same names."""

from __future__ import annotations

import types
from typing import Any

import websockets.asyncio.server
import websockets.exceptions

import wsgate

LIBRARIES = {
    "wsgate": types.SimpleNamespace(
        serve=wsgate.serve, logger="wsgate.server", exceptions=wsgate
    ),
    "websockets": types.SimpleNamespace(
        serve=lambda *arguments, streaming=True, **options: websockets.asyncio.server.serve(
            *arguments, compression=None, **options
        ),
        logger="websockets.server",
        exceptions=websockets.exceptions,
    ),
}


def serve(library: Any, handler: Any, **options: Any) -> Any:
    return library.serve(handler, "127.0.0.1", 0, **options)
