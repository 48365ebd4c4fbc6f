"""Commands as the bytes that `wsgate_submit` reads: a head, ids, the payload, padding to 8."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import Any

from . import _abi

# A longer message is cheaper to hand over by a call of its own than to copy into a record.
LARGE = 16 * 1024

# Shapes are kept per length, so their number must stay small.
_SHAPED = 2 * 1024

HEAD = Struct("=HHIQQII")

Shape = tuple[Callable[..., bytes], bytes, bytes]


class Shapes:
    """By payload length, how to pack a record of one op in a single call.

    All of the head but the target depends on the length alone, and struct pads the payload.
    """

    __slots__ = ("_by_length", "op")

    def __init__(self, op: int) -> None:
        self.op = op
        # Not a dict with __missing__: the interpreter is faster with a plain one.
        self._by_length: dict[int, Shape] = {}

    def record(self, target: int, payload: bytes) -> bytes:
        try:
            pack, before, after = self._by_length[len(payload)]
        except KeyError:
            length = len(payload)
            if length > _SHAPED:
                return record(self.op, target, payload)
            padded = length + -length % 8
            pack, before, after = self._by_length[length] = (
                Struct(f"=8sQ16s{padded}s").pack,
                struct.pack("=HHI", self.op, 0, HEAD.size + padded),
                struct.pack("=QII", 0, 0, length),
            )
        return pack(before, target, after, payload)


SEND_TEXT = Shapes(_abi.OP_SEND_TEXT)
SEND_BINARY = Shapes(_abi.OP_SEND_BINARY)
BROADCAST_TEXT = Shapes(_abi.OP_BROADCAST_TEXT)
BROADCAST_BINARY = Shapes(_abi.OP_BROADCAST_BINARY)


def record(
    op: int,
    target: int,
    payload: bytes = b"",
    ids: Sequence[int] = (),
    ticket: int = 0,
    flags: int = 0,
) -> bytes:
    length = len(payload)
    padding = -length % 8
    size = HEAD.size + 8 * len(ids) + length + padding
    head = HEAD.pack(op, flags, size, target, ticket, len(ids), length)
    return b"".join((head, struct.pack(f"={len(ids)}Q", *ids), payload, bytes(padding)))


def each(run: list[Any]) -> bytes:
    """One record for `id, message, id, message, …`, all of them text in ASCII, or all bytes."""
    if len(run) == 2:
        id, message = run
        if type(message) is str:
            return SEND_TEXT.record(id, message.encode())
        return SEND_BINARY.record(id, message)
    messages = run[1::2]
    text = type(messages[0]) is str
    data = "".join(messages).encode() if text else b"".join(messages)
    op = _abi.OP_SEND_EACH_TEXT if text else _abi.OP_SEND_EACH_BINARY
    count = len(messages)
    length = 4 * count + len(data)
    padding = -length % 8
    head = HEAD.pack(op, 0, HEAD.size + 8 * count + length + padding, 0, 0, count, length)
    ids, lengths = array("Q", run[::2]), array("I", map(len, messages))
    return b"".join((head, ids, lengths, data, bytes(padding)))


def commands(one: bytes) -> Iterator[bytes]:
    """What a record stands for: itself, or a record for each of its messages."""
    op, flags, _, _, _, count, length = HEAD.unpack_from(one)
    if op not in _EACH:
        yield one
        return
    lengths = HEAD.size + 8 * count
    end = lengths + 4 * count
    for i in range(count):
        (id,) = struct.unpack_from("=Q", one, HEAD.size + 8 * i)
        (length,) = struct.unpack_from("=I", one, lengths + 4 * i)
        start, end = end, end + length
        yield record(_EACH[op], id, one[start:end], flags=flags)


_EACH = {
    _abi.OP_SEND_EACH_TEXT: _abi.OP_SEND_TEXT,
    _abi.OP_SEND_EACH_BINARY: _abi.OP_SEND_BINARY,
}


# By what a call says of a message's compression: the flags of its record, which are a call's, too.
_COMPRESS = {
    None: 0,
    True: _abi.RECORD_FLAG_COMPRESS_ALWAYS,
    False: _abi.RECORD_FLAG_COMPRESS_NEVER,
}


def compress_flags(compress: object) -> int:
    if compress is None or isinstance(compress, bool):
        return _COMPRESS[compress]
    raise TypeError(f"compress is True, False or None, not {compress!r}")


def payload_of(message: str | bytes | bytearray | memoryview) -> tuple[bytes, bool]:
    """The bytes of a message, and whether it is text."""
    if isinstance(message, str):
        return message.encode(), True
    if isinstance(message, (bytes, bytearray, memoryview)):
        return bytes(message), False
    raise TypeError(f"a message is str or bytes-like, not {type(message).__name__}")


def unsigned(name: str, value: object, bits: int = 64) -> int:
    """Checks what ctypes would cut down to size without a word."""
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{name} must be from 0 to {(1 << bits) - 1}, not {value}")
    return value


def text_of(name: str, value: object) -> bytes:
    """Checks what is to be a string, and encodes it."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {value!r}")
    return value.encode()


def milliseconds(name: str, seconds: float) -> int:
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {seconds!r}")
    if not 0 <= seconds <= 1e12:
        raise ValueError(f"{name} must be a number of seconds from 0 up, not {seconds}")
    return round(seconds * 1000)
