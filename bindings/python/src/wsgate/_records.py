"""Commands as the bytes that `wsgate_submit` reads: a head, ids, the payload, padding to 8."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from struct import Struct

from . import _abi

# A longer message is cheaper to hand over by a call of its own than to copy into a record.
LARGE = 16 * 1024

# Shapes are kept per length, so their number must stay small.
_SHAPED = 2 * 1024

HEAD = Struct("=HHIQQII")

Shape = tuple[Callable[..., bytes], bytes, bytes]


class Shapes:
    """By payload length, how to pack a record of one op in a single call.

    `pack, before, after = shapes.by_length[len(payload)]`, and the record is
    `pack(before, target, after, payload)`: all of the head but the target depends on the length
    alone, and struct pads the payload. On a KeyError, `record` packs it, and learns the shape if it
    is worth that.
    """

    __slots__ = ("by_length", "op")

    def __init__(self, op: int) -> None:
        self.op = op
        # Not a dict with __missing__: the interpreter is faster with a plain one.
        self.by_length: dict[int, Shape] = {}

    def record(self, target: int, payload: bytes) -> bytes:
        length = len(payload)
        if length > _SHAPED:
            return record(self.op, target, payload)
        padded = length + -length % 8
        pack, before, after = self.by_length[length] = (
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


def milliseconds(name: str, seconds: float) -> int:
    if not 0 <= seconds <= 1e12:
        raise ValueError(f"{name} must be a number of seconds from 0 up, not {seconds}")
    return round(seconds * 1000)
