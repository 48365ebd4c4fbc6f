"""How settings reach the engine, from either layer."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from ctypes import byref, c_uint32
from typing import TYPE_CHECKING, Any

from . import _abi
from ._library import lib
from ._records import milliseconds, unsigned

if TYPE_CHECKING:
    from ._channel import Channel
    from .gateway import Gateway


def set_text(channel: Channel, function: Any, text: str, *arguments: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"expected a string, not {text!r}")
    encoded = text.encode("utf-8", "surrogateescape")
    channel.call(function, encoded, len(encoded), *arguments)


def set_server(
    channel: Channel,
    *,
    workers: int = 0,
    directory: str | os.PathLike[str] | None = None,
    queue_limit: int | None = None,
    max_connections: int | None = None,
    max_body_size: int | None = None,
    request_timeout: float | None = None,
) -> None:
    """What both layers name alike; see `Server`."""
    channel.call(lib.wsgate_server_set_workers, unsigned("workers", workers, 32))
    if directory is not None:
        set_text(channel, lib.wsgate_server_set_directory, os.fspath(directory))
    if queue_limit is not None:
        limit = unsigned("queue_limit", queue_limit)
        channel.call(lib.wsgate_server_set_queue_limit, limit)
    if max_connections is not None:
        count = unsigned("max_connections", max_connections)
        channel.call(lib.wsgate_server_set_max_connections, count)
    if max_body_size is not None:
        size = unsigned("max_body_size", max_body_size)
        channel.call(lib.wsgate_server_set_max_body_size, size)
    if request_timeout is not None:
        timeout = milliseconds("request_timeout", request_timeout)
        channel.call(lib.wsgate_server_set_request_timeout, timeout)


def add_endpoint(
    channel: Channel,
    path: str,
    *,
    gateway: Gateway | None = None,
    origins: Iterable[str] = (),
    same_host: bool = False,
    subprotocols: Iterable[str] = (),
    acceptor: bool = False,
    handshake_timeout: float | None = None,
    max_message_size: int | None = None,
    max_frame_size: int | None = None,
    max_fragments: int | None = None,
    close_period: float | None = None,
    outbox_limit: tuple[int, int] | None = None,
    slow_consumer: int | None = None,
    frame_split: int | None = None,
    text_only: bool = False,
    receive_window: tuple[int, int] | None = None,
    explicit_grants: bool = False,
    heartbeat: tuple[float, int] | None = None,
    rate_limit: tuple[int, int] | None = None,
    rate_policy: int | None = None,
) -> int:
    """Adds an endpoint with its settings; gives its number. See `Server.endpoint`."""
    out = c_uint32()
    set_text(channel, lib.wsgate_server_add_endpoint, path, byref(out))
    number = out.value
    call = channel.call
    for name, texts, function in (
        ("origins", origins, lib.wsgate_endpoint_add_origin),
        ("subprotocols", subprotocols, lib.wsgate_endpoint_add_subprotocol),
    ):
        if isinstance(texts, str):
            raise TypeError(f"{name} must be a collection of strings, not {texts!r}")
        for text in texts:
            encoded = text.encode()
            call(function, number, encoded, len(encoded))
    for name, on in (
        ("same_host", same_host),
        ("acceptor", acceptor),
        ("text_only", text_only),
        ("explicit_grants", explicit_grants),
    ):
        if on:
            call(getattr(lib, f"wsgate_endpoint_set_{name}"), number, 1)
    if gateway is not None:
        call(lib.wsgate_endpoint_set_gateway, number, gateway.id)
    for name, value, bits in (
        ("max_message_size", max_message_size, 64),
        ("max_frame_size", max_frame_size, 64),
        ("max_fragments", max_fragments, 64),
        ("frame_split", frame_split, 64),
        ("slow_consumer", slow_consumer, 32),
        ("rate_policy", rate_policy, 32),
    ):
        if value is not None:
            setter = getattr(lib, f"wsgate_endpoint_set_{name}")
            call(setter, number, unsigned(name, value, bits))
    for name, seconds in (
        ("handshake_timeout", handshake_timeout),
        ("close_period", close_period),
    ):
        if seconds is not None:
            setter = getattr(lib, f"wsgate_endpoint_set_{name}")
            call(setter, number, milliseconds(name, seconds))
    for name, pair in (
        ("outbox_limit", outbox_limit),
        ("receive_window", receive_window),
        ("rate_limit", rate_limit),
    ):
        if pair is not None:
            size, messages = (unsigned(name, limit) for limit in pair)
            call(getattr(lib, f"wsgate_endpoint_set_{name}"), number, size, messages)
    if heartbeat is not None:
        period = milliseconds("heartbeat", heartbeat[0])
        unanswered = unsigned("heartbeat", heartbeat[1])
        call(lib.wsgate_endpoint_set_heartbeat, number, period, unanswered)
    return number


def engine_level(level: int) -> int:
    """The engine's log level that matches a logger's."""
    if level > logging.ERROR:
        return _abi.LOG_LEVEL_OFF
    if level > logging.WARNING:
        return _abi.LOG_LEVEL_ERROR
    if level > logging.INFO:
        return _abi.LOG_LEVEL_WARN
    if level > logging.DEBUG:
        return _abi.LOG_LEVEL_INFO
    return _abi.LOG_LEVEL_DEBUG if level == logging.DEBUG else _abi.LOG_LEVEL_TRACE
