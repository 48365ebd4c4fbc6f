"""What a client is, whatever layer talks to it."""

from __future__ import annotations

from typing import Any

from ._channel import Channel
from .info import ClientInfo, client_info
from .request import Request

__all__ = ["Peer"]


class Peer:
    """One connection: who it is and what it asked for.

    Attributes:
        id: the engine's id, unique in the process and never used again.
        endpoint: where the client connected.
        compressed: whether permessage-deflate was agreed upon.
    """

    __slots__ = (
        "__weakref__", "_channel", "_on_message", "_request", "compressed", "endpoint", "id",
    )  # fmt: skip

    # Called by the pump with each message; kept here because looking it up elsewhere costs each.
    _on_message: Any
    endpoint: Any

    def __init__(
        self, id: int, endpoint: Any, channel: Channel, request: bytes | Request
    ) -> None:
        self.id = id
        self.endpoint = endpoint
        self.compressed = False
        self._channel = channel
        self._request: bytes | Request = request

    def __repr__(self) -> str:
        host, port = self.remote_address
        return f"<{type(self).__name__} {self.id} {host}:{port} {self.request.target}>"

    @property
    def request(self) -> Request:
        """The request that opened the connection."""
        if isinstance(self._request, bytes):
            self._request = Request(self._request)
        return self._request

    @property
    def remote_address(self) -> tuple[str, int]:
        """The client's host and port."""
        return self.request.remote_address

    @property
    def local_address(self) -> tuple[str, int]:
        """The host and port that the client connected to."""
        return self.request.local_address

    @property
    def info(self) -> ClientInfo:
        """Its counters and timestamps as they are now; its close event has the last ones."""
        return client_info(self._channel, self.id)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol agreed on, if any."""
        return self.request.subprotocol
