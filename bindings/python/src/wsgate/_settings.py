"""How settings reach the engine, from either layer."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from ctypes import byref, c_uint32
from typing import TYPE_CHECKING, Any, TypedDict, cast

from . import _abi
from ._library import lib
from ._records import milliseconds, text_of, unsigned

if TYPE_CHECKING:
    from ._channel import Channel
    from .compression import Compression
    from .gateway import Gateway


def set_text(channel: Channel, function: Any, text: str, *arguments: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"expected a string, not {text!r}")
    encoded = text.encode("utf-8", "surrogateescape")
    channel.call(function, encoded, len(encoded), *arguments)


class ServerSettings(TypedDict, total=False):
    """Settings of a server, the same in both layers. None stands for the default.

    Attributes:
        workers: threads that do the network's work; 0, the default, is one per core.
        directory: serve the files in it to requests that no path takes.
        queue_limit: bytes of events that may wait for Python; past it clients are not read. 16 MiB.
        max_connections: open at once, clients among them; one more is told 503. 1,000; 0 is no
            limit.
        max_connections_per_address: the same for one address, or a network of 56 bits in IPv6. 10;
            0 is no limit. Loopback and Unix sockets are exempt.
        max_requests: handshakes and requests that may wait for Python. 1,000; one more gets 503.
        max_header_size: of a request, in bytes. 32 KiB; past it 431.
        max_body_size: of a request, in bytes. 128 KiB; past it 413.
        header_timeout: seconds that a request's head may take. 15; then 408.
        body_timeout: seconds that its body may take. 30; then 408.
        request_timeout: seconds in which Python answers a request. 30; then 503.
        idle_timeout: seconds between two requests of a connection. 60; then it is closed.
        write_timeout: seconds in which a peer takes something of a response. 30; then it is cut.
        cache_time: seconds for which files may be cached without asking again. 0: not told.
        unix_mode: permissions of the files of Unix sockets. 0o660.
        methods: what requests may have, ``"GET, HEAD, POST"``; others get 405. All common ones.
    """

    workers: int | None
    directory: str | os.PathLike[str] | None
    queue_limit: int | None
    max_connections: int | None
    max_connections_per_address: int | None
    max_requests: int | None
    max_header_size: int | None
    max_body_size: int | None
    header_timeout: float | None
    body_timeout: float | None
    request_timeout: float | None
    idle_timeout: float | None
    write_timeout: float | None
    cache_time: int | None
    unix_mode: int | None
    methods: str | None


_THIRTY_TWO_BITS = frozenset({"workers", "unix_mode"})


def set_server(channel: Channel, settings: ServerSettings) -> None:
    for name, value in settings.items():
        if name not in ServerSettings.__annotations__:
            raise TypeError(f"got an unexpected keyword argument {name!r}")
        if value is None:
            continue
        setter = getattr(lib, f"wsgate_server_set_{name}")
        if name in ("directory", "methods"):
            set_text(channel, setter, os.fspath(cast("str", value)))
        elif name.endswith("_timeout"):
            channel.call(setter, milliseconds(name, cast("float", value)))
        else:
            bits = 32 if name in _THIRTY_TWO_BITS else 64
            channel.call(setter, unsigned(name, value, bits))


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
    compression: Compression | None = None,
    streaming: bool = False,
    stream_timeout: float | None = None,
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
            encoded = text_of(f"each of {name}", text)
            call(function, number, encoded, len(encoded))
    for name, on in (
        ("same_host", same_host),
        ("acceptor", acceptor),
        ("text_only", text_only),
        ("explicit_grants", explicit_grants),
        ("streaming", streaming),
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
        ("stream_timeout", stream_timeout),
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
            size, messages = (unsigned(name, limit) for limit in _pair(name, pair))
            call(getattr(lib, f"wsgate_endpoint_set_{name}"), number, size, messages)
    if heartbeat is not None:
        seconds, pings = _pair("heartbeat", heartbeat)
        period, unanswered = milliseconds("heartbeat", seconds), unsigned("heartbeat", pings)
        call(lib.wsgate_endpoint_set_heartbeat, number, period, unanswered)
    if compression is not None:
        compression.apply(channel, number)
    return number


def _pair(name: str, value: tuple[Any, Any]) -> tuple[Any, Any]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be a pair of numbers, not {value!r}")
    first, second = value
    return first, second


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
