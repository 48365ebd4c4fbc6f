"""What `send` makes of an iterable: a message in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .. import _abi
from .._records import HEAD, record

if TYPE_CHECKING:
    from .connection import Connection

BytesLike = (bytes, bytearray, memoryview)

_ERROR = 1011
# How many bytes may be collected before they go to the engine.
_AT_ONCE = 1 << 16


async def send_pieces(
    connection: Connection, pieces: AsyncIterator[Any], text: bool | None
) -> None:
    """Sends a message in pieces, while nothing else is sent to the client."""
    try:
        first = piece = await anext(pieces)
    except StopAsyncIteration:
        return
    while connection._blocked:
        await connection._room()
    connection._sending = connection._blocked = True
    begun = False
    try:
        collected = 0
        while True:
            data = _encoded(piece, first)
            if not begun:
                is_text = isinstance(first, str) if text is None else text
                op = _abi.OP_BEGIN_TEXT if is_text else _abi.OP_BEGIN_BINARY
                connection._post(record(op, connection.id))
                begun = True
            connection._post(record(_abi.OP_CHUNK, connection.id, data))
            collected += len(data) + HEAD.size
            if collected >= _AT_ONCE:
                collected = 0
                connection._channel.flush()
            await connection._flowing()
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                break
        await connection._flowing()
        connection._post(record(_abi.OP_END, connection.id))
    except BaseException:
        # The peer has half of it, unless it is gone.
        connection._begin_close(_ERROR, b"error in fragmented message")
        raise
    finally:
        connection._sending = False
        gone = connection._closing or connection._close is not None
        connection._blocked = gone or bool(connection._held)
        connection._wake_senders()


def pieces_of(message: Any) -> AsyncIterator[Any]:
    """The pieces of a message that is an iterable, one way or the other."""
    if isinstance(message, Mapping):
        raise TypeError("a message is not a dict-like object")
    if isinstance(message, Iterable):
        return _each(message)
    if isinstance(message, AsyncIterable):
        return aiter(message)
    raise TypeError(
        f"a message is str, bytes-like, or an iterable of them, not {type(message).__name__}"
    )


async def _each(pieces: Iterable[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


def _encoded(piece: object, like: object) -> bytes:
    """The bytes of a piece, which is of the kind of the first."""
    if isinstance(piece, str) and isinstance(like, str):
        return piece.encode()
    if isinstance(piece, BytesLike) and isinstance(like, BytesLike):
        return bytes(piece)
    raise TypeError("the pieces of a message are all str or all bytes-like")
