"""A set of clients that is broadcast to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from ctypes import byref, c_uint64
from threading import get_ident
from typing import TYPE_CHECKING

from . import _abi
from ._library import lib
from ._records import BROADCAST_BINARY, BROADCAST_TEXT, LARGE, payload_of, record
from .client import Client
from .exceptions import ConnectionClosed

if TYPE_CHECKING:
    from .server import Server

__all__ = ["Gateway"]


class Gateway:
    """Clients that get the same messages; a client may be in many and leaves them when it closes.

    Methods may be called on any thread, and within callbacks they are collected like
    `Client.send`. The gateway lives in the engine: a message is encoded once, however many get it.
    It is freed with `free`, or when it is garbage-collected; an endpoint keeps its own.
    """

    __slots__ = ("__weakref__", "_channel", "_freed", "id")

    def __init__(self, server: Server) -> None:
        self._freed = True
        self._channel = server._channel
        id = c_uint64()
        self._channel.call(lib.wsgate_gateway_new, byref(id))
        self.id = id.value
        self._freed = False

    def __repr__(self) -> str:
        return f"<Gateway {self.id}>"

    def __del__(self) -> None:
        if not self._freed:
            self._channel.forgotten.append(self.id)

    def add(self, *clients: Client) -> None:
        """Adds clients; those that are closed are passed over."""
        self._change(_abi.OP_GATEWAY_ADD, clients)

    def remove(self, *clients: Client) -> None:
        """Removes clients; those that are not in it are passed over."""
        self._change(_abi.OP_GATEWAY_REMOVE, clients)

    def broadcast(
        self, message: str | bytes | bytearray | memoryview, exclude: Iterable[Client] = ()
    ) -> None:
        """Sends a text (str) or binary (bytes-like) message to all clients but those excluded."""
        payload, text = payload_of(message)
        ids = [client.id for client in exclude]
        channel = self._channel
        self._check()
        if channel.thread != get_ident() or len(payload) > LARGE:
            function = (
                lib.wsgate_gateway_broadcast_text if text else lib.wsgate_gateway_broadcast_binary
            )
            excluded = (c_uint64 * len(ids))(*ids)
            channel.call(function, self.id, payload, len(payload), excluded, len(ids))
            return
        shapes = BROADCAST_TEXT if text else BROADCAST_BINARY
        if ids:
            channel.records.append(record(shapes.op, self.id, payload, ids))
            return
        try:
            pack, before, after = shapes.by_length[len(payload)]
        except KeyError:
            channel.records.append(shapes.record(self.id, payload))
            return
        channel.records.append(pack(before, self.id, after, payload))

    def free(self) -> None:
        """Dissolves the gateway; its clients stay connected. Calling it again does nothing."""
        if not self._freed:
            self._freed = True
            with suppress(ConnectionClosed):
                self._channel.call(lib.wsgate_gateway_free, self.id)

    def _change(self, op: int, clients: tuple[Client, ...]) -> None:
        self._check()
        if clients:
            self._channel.post(record(op, self.id, ids=[client.id for client in clients]))

    def _check(self) -> None:
        if self._freed:
            raise ConnectionClosed(_abi.STATUS_CLOSED, "the gateway was freed")
