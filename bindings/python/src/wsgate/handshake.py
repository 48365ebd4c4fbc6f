"""What waits for the application's decision: handshakes and plain requests."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ._channel import Channel
from ._library import lib
from ._records import text_of
from .client import Client
from .exceptions import ConnectionClosed
from .request import Request
from .response import HeadersLike, encode_headers

if TYPE_CHECKING:
    from ._pump import CallbackPump
    from .endpoint import Endpoint

__all__ = ["Handshake", "HttpRequest"]


class Handshake:
    """A client that wants to connect, before anybody said yes; `on_handshake` gets it.

    Decide with `accept` or `reject`: in the handler or later, on any thread. Until the endpoint's
    ``handshake_timeout`` is over; then it is answered with 503, and `on_handshake_gone` is called,
    as when the client leaves.

    Attributes:
        id: becomes the client's.
        endpoint: where it wants to connect.
        request: what it sent, with the ``subprotocols`` that it offers.
        data: the application's own; the client's, when it is accepted.
        decided: whether it was decided, or is gone.
    """

    __slots__ = ("_pump", "data", "decided", "endpoint", "id", "request")

    def __init__(self, id: int, endpoint: Endpoint, pump: CallbackPump, data: bytes) -> None:
        self.id = id
        self.endpoint = endpoint
        self.request = Request(data, undecided=True)
        self.data: Any = None
        self.decided = False
        self._pump = pump

    def __repr__(self) -> str:
        host, port = self.request.remote_address
        return f"<Handshake {self.id} {host}:{port} {self.request.target}>"

    def accept(self, subprotocol: str | None = "", headers: HeadersLike = ()) -> Client:
        """Accepts it; what is sent to the client from now on reaches it first.

        `subprotocol` is one of those offered, or None for none; without it the endpoint's list
        decides. `headers` go into the response. Raises `ConnectionClosed` when it was decided
        before, or is gone.
        """
        channel = self._pump.channel
        pump = self._pump
        client = Client(self.id, self.endpoint, channel, self.request)
        client.data = self.data
        name = None if subprotocol == "" else text_of("subprotocol", subprotocol or "")
        fields = encode_headers(headers)
        # Known before the engine is told: its ACCEPT may be taken by another thread at once.
        pump.expected[self.id] = client
        try:
            channel.call(
                lib.wsgate_accept,
                self.id, name, len(name or b""), fields, len(fields), 0, 0,
            )  # fmt: skip
        except BaseException:
            pump.expected.pop(self.id, None)
            raise
        self._settled()
        return client

    def reject(
        self, status: int = 403, body: str | bytes = b"", headers: HeadersLike = ()
    ) -> None:
        """Answers with a status from 300 to 599 instead.

        A body that is `str` is sent as UTF-8 text. Raises `ConnectionClosed` when it was decided
        before, or is gone.
        """
        answer(self._pump.channel, lib.wsgate_reject, self.id, status, body, headers)
        self._settled()

    def _settled(self) -> None:
        self.decided = True
        self._pump.handshakes.pop(self.id, None)


class HttpRequest(Request):
    """A plain request that waits for `respond`; `on_request` and `on_refused` get it.

    Attributes:
        id: the engine's.
        refused: the status that the server would answer with by itself; None in `on_request`.
    """

    __slots__ = ("_channel", "id", "refused")

    def __init__(self, id: int, channel: Channel, refused: int | None, data: bytes) -> None:
        super().__init__(data)
        self.id = id
        self.refused = refused
        self._channel = channel

    def respond(
        self, status: int = 200, body: str | bytes = b"", headers: HeadersLike = ()
    ) -> None:
        """Answers, now or later, on any thread.

        A body that is `str` is sent as UTF-8 text. Raises `ConnectionClosed` when it is answered
        already, timed out, or the peer has left.
        """
        answer(self._channel, lib.wsgate_respond, self.id, status, body, headers)


def answer(
    channel: Channel,
    function: Any,
    id: int,
    status: int,
    body: str | bytes,
    headers: HeadersLike,
) -> None:
    fields = encode_headers(headers)
    if isinstance(body, str):
        body = body.encode()
        if b"content-type" not in fields.lower():
            fields += b"Content-Type\0text/plain; charset=utf-8\0"
    channel.call(function, id, int(status), fields, len(fields), body, len(body))


def answer_failed(channel: Channel, function: Any, id: int) -> None:
    """Says 500 in place of a handler that raised, unless it had answered before."""
    with suppress(ConnectionClosed):
        answer(channel, function, id, 500, "Internal Server Error", ())
