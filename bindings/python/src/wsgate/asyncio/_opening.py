"""The application's part in a handshake, and plain requests."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from .._library import lib
from ..exceptions import ConnectionClosed
from ..handshake import answer, answer_failed
from ..request import Headers, Request
from ..response import Response, encode_headers, phrase

if TYPE_CHECKING:
    from ._channel import LoopChannel
    from .connection import Connection
    from .router import Options

SWITCHING = 101


async def decide(connection: Connection) -> bool:
    """Accepts or rejects a handshake; True when it is to become a client."""
    channel = connection._channel
    request = connection.request
    options = connection.endpoint.options
    try:
        response = refused_origin(options, request)
        if response is not None:
            response = await connection.server._worded(request, response)
        if response is None and options.process_request is not None:
            response = await value_of(options.process_request(connection, request))
        subprotocol: bytes | None = None
        if response is None:
            response = Response(SWITCHING, phrase(SWITCHING), Headers())
            if options.select_subprotocol is not None:
                chosen = options.select_subprotocol(connection, request.subprotocols)
                subprotocol = (chosen or "").encode()
        if options.server_header is not None:
            response.headers["Server"] = options.server_header
        if options.process_response is not None:
            other = await value_of(options.process_response(connection, request, response))
            response = response if other is None else other
        if response.status_code == SWITCHING:
            fields = encode_headers(response.headers)
            channel.call(
                lib.wsgate_accept,
                connection.id, subprotocol, len(subprotocol or b""), fields, len(fields), 0, 0,
            )  # fmt: skip
            return True
        answer_with(channel, lib.wsgate_reject, connection.id, response)
    except ConnectionClosed:
        pass  # Its time was over, or it has left.
    except Exception:
        channel.logger.exception("opening handshake failed")
        answer_failed(channel, lib.wsgate_reject, connection.id)
    return False


async def respond(channel: LoopChannel, id: int, response: Any) -> None:
    """Answers a plain request with what a handler gave, once it is there."""
    try:
        answer_with(channel, lib.wsgate_respond, id, await value_of(response))
    except ConnectionClosed:
        pass
    except Exception:
        channel.logger.exception("request handler failed")
        answer_failed(channel, lib.wsgate_respond, id)


def refusal(status: int) -> Response:
    return Response.text(status, phrase(status))


def answer_with(channel: LoopChannel, function: Any, id: int, response: Any) -> None:
    if not isinstance(response, Response):
        raise TypeError(f"expected a wsgate.Response or None, not {response!r}")
    # The engine counts the body itself; `websockets` sets these two.
    headers = [
        (name, value)
        for name, value in response.headers.raw_items()
        if name.lower() not in ("content-length", "connection")
    ]
    answer(channel, function, id, response.status_code, response.body, headers)


def refused_origin(options: Options, request: Request) -> Response | None:
    """What the engine cannot check: patterns, and None for the lack of an Origin."""
    if options.engine_checks_origins or options.origins is None:
        return None
    values = request.headers.get_all("Origin")
    origin = values[0] if len(values) == 1 else None
    for allowed in options.origins:
        if isinstance(allowed, re.Pattern):
            if origin is not None and allowed.fullmatch(origin) is not None:
                return None
        elif origin == allowed and len(values) < 2:
            return None
    return Response.text(403, "Origin forbidden")


async def value_of(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
