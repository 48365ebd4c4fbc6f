"""A set of clients that is broadcast to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from ctypes import byref, c_uint64, create_string_buffer
from threading import get_ident
from typing import TYPE_CHECKING

from . import _abi
from ._library import lib
from ._records import (
    BROADCAST_BINARY,
    BROADCAST_TEXT,
    LARGE,
    compress_flags,
    payload_of,
    record,
    text_of,
    unsigned,
)
from .endpoint import plain
from .exceptions import ConnectionClosed
from .outcome import UNASKED, Outcome
from .peer import Peer

if TYPE_CHECKING:
    from ._channel import Channel
    from ._pump import Pump

__all__ = ["Gateway"]

Message = str | bytes | bytearray | memoryview
OnOutcome = Callable[[Outcome], object]

# A gateway's name has at most so many bytes.
_NAME = 255


class Gateway:
    """Clients that get the same messages; a client may be in many and leaves them when it closes.

    Methods may be called on any thread, and within callbacks they are collected like
    `Client.send`. The gateway lives in the engine: a message is encoded once, however many get it.
    It is freed with `free`, or when it is garbage-collected; an endpoint keeps its own.

    Iterating gives its clients as they are in the engine: one that joined or left a moment ago may
    not have yet.

    Args:
        server: a `Server`, or what `serve` returns.
        name: makes it findable by `find`; unique within a server.
    """

    __slots__ = ("__weakref__", "_channel", "_freed", "_pump", "id")

    def __init__(self, server: HasGateways, name: str | None = None) -> None:
        self._freed = True
        text = b"" if name is None else text_of("name", name)
        self._channel: Channel = server._channel
        self._pump: Pump = server._pump
        id = c_uint64()
        self._channel.call(lib.wsgate_gateway_new, byref(id))
        self.id = id.value
        self._freed = False
        self._channel.gateways[self.id] = self
        if name is not None:
            self._channel.call(lib.wsgate_gateway_set_name, self.id, text, len(text))

    @classmethod
    def find(cls, server: HasGateways, name: str) -> Gateway | None:
        """The server's gateway of this name, if there is one."""
        id = c_uint64()
        text = text_of("name", name)
        channel: Channel = server._channel
        try:
            channel.call(lib.wsgate_gateway_find, text, len(text), byref(id))
        except ConnectionClosed:
            return None
        return channel.gateways.get(id.value)

    def __repr__(self) -> str:
        return f"<Gateway {self.id}>"

    def __del__(self) -> None:
        if not self._freed:
            self._channel.forgotten.append(self.id)

    @property
    def name(self) -> str | None:
        """Its name, if it has one."""
        self._check()
        buffer = create_string_buffer(_NAME)
        length = self._channel.call(lib.wsgate_gateway_name, self.id, buffer, _NAME)
        return buffer.raw[:length].decode() or None

    @property
    def freed(self) -> bool:
        return self._freed

    def __len__(self) -> int:
        self._check()
        return self._channel.call(lib.wsgate_gateway_count, self.id)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Peer]:
        clients = self._pump.clients
        return (clients[id] for id in self.ids() if id in clients)

    def __contains__(self, client: object) -> bool:
        return isinstance(client, Peer) and client.id in self.ids()

    def ids(self) -> list[int]:
        """The ids of its clients, in no order."""
        self._check()
        capacity = len(self) + 16
        while True:
            ids = (c_uint64 * capacity)()
            count = self._channel.call(lib.wsgate_gateway_clients, self.id, ids, capacity)
            if count <= capacity:
                return list(ids[:count])
            capacity = count + 16

    def add(self, *clients: Peer) -> None:
        """Adds clients; those that are closed are passed over."""
        self._change(_abi.OP_GATEWAY_ADD, clients)

    def remove(self, *clients: Peer) -> None:
        """Removes clients; those that are not in it are passed over."""
        self._change(_abi.OP_GATEWAY_REMOVE, clients)

    def broadcast(
        self,
        message: Message,
        exclude: Iterable[Peer | int] = (),
        on_outcome: OnOutcome | None = None,
        *,
        compress: bool | None = None,
    ) -> Outcome:
        """Sends a text (str) or binary (bytes-like) message to all clients but those excluded.

        `compress` says that it is compressed, or not, where the endpoints would choose otherwise.

        On an asyncio server the result can be awaited; elsewhere `on_outcome` is called with it,
        on the thread that runs the callbacks. Who is excluded counts for neither side.
        """
        self._check()
        channel = self._channel
        if on_outcome is not None or channel.awaits or exclude or compress is not None:
            payload, text = payload_of(message)
            op = _abi.OP_BROADCAST_TEXT if text else _abi.OP_BROADCAST_BINARY
            return self._send(op, payload, exclude, on_outcome, compress)
        payload, text = payload_of(message)
        if channel.thread != get_ident() or len(payload) > LARGE:
            function = (
                lib.wsgate_gateway_broadcast_text if text else lib.wsgate_gateway_broadcast_binary
            )
            channel.call(function, self.id, payload, len(payload), None, 0)
            return UNASKED
        one = (BROADCAST_TEXT if text else BROADCAST_BINARY).record(self.id, payload)
        if channel.run:
            channel.seal()
        channel.records.append(one)
        return UNASKED

    def multicast(
        self,
        message: Message,
        clients: Iterable[Peer | int],
        on_outcome: OnOutcome | None = None,
        *,
        compress: bool | None = None,
    ) -> Outcome:
        """Sends to those clients of the gateway that are named, by themselves or by their ids.

        Who is not in the gateway is skipped, and has failed in the outcome.
        """
        self._check()
        payload, text = payload_of(message)
        op = _abi.OP_MULTICAST_TEXT if text else _abi.OP_MULTICAST_BINARY
        return self._send(op, payload, clients, on_outcome, compress)

    def send(
        self,
        message: Message,
        client: Peer | int,
        on_outcome: OnOutcome | None = None,
        *,
        compress: bool | None = None,
    ) -> Outcome:
        """Sends to one client, if it is in the gateway: a multicast to one."""
        return self.multicast(message, (client,), on_outcome, compress=compress)

    def free(self) -> None:
        """Dissolves the gateway; its clients stay connected. Calling it again does nothing."""
        if not self._freed:
            self._freed = True
            with suppress(ConnectionClosed):
                self._channel.call(lib.wsgate_gateway_free, self.id)

    def _send(
        self,
        op: int,
        payload: bytes,
        clients: Iterable[Peer | int],
        callback: OnOutcome | None,
        compress: bool | None,
    ) -> Outcome:
        flags = compress_flags(compress)
        ids = [client.id if isinstance(client, Peer) else _id(client) for client in clients]
        plain("on_outcome", callback)
        channel = self._channel
        if callback is None and not channel.awaits:
            channel.post(record(op, self.id, payload, ids, flags=flags))
            return UNASKED
        outcome = Outcome(asked=True, callback=callback)
        ticket = channel.expect(outcome)
        try:
            flags |= _abi.RECORD_FLAG_OUTCOME
            channel.post(record(op, self.id, payload, ids, ticket, flags))
        except BaseException:
            channel.outcomes.pop(ticket, None)
            raise
        return outcome

    def _change(self, op: int, clients: tuple[Peer, ...]) -> None:
        self._check()
        for client in clients:
            if not isinstance(client, Peer):
                raise TypeError(f"a gateway is of clients; {client!r} is none")
        if clients:
            self._channel.post(record(op, self.id, ids=[client.id for client in clients]))

    def _check(self) -> None:
        if self._freed:
            raise ConnectionClosed(_abi.STATUS_CLOSED, "the gateway was freed")


def _id(client: object) -> int:
    """Of a client that is named by its id."""
    if isinstance(client, bool) or not isinstance(client, int):
        raise TypeError(f"clients are named by themselves or by their ids, not by {client!r}")
    return unsigned("a client's id", client)


if TYPE_CHECKING:
    from typing import Protocol

    class HasGateways(Protocol):
        """A server of either layer."""

        @property
        def _channel(self) -> Channel: ...

        @property
        def _pump(self) -> Pump: ...
