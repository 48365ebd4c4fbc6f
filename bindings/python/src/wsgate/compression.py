"""permessage-deflate, as an endpoint wants it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ._library import lib
from ._records import unsigned

if TYPE_CHECKING:
    from ._channel import Channel

__all__ = ["Compression"]


@dataclasses.dataclass(frozen=True)
class Compression:
    """How messages are compressed (RFC 7692), with the clients that offer it.

    Attributes:
        level: 1, fast, to 9, small.
        takeover: whether messages may refer to earlier ones, ours and the client's. Similar
            messages get much smaller, and each client costs two contexts of its own.
        window: what we and the client compress with, in bits, 9 to 15; None: 12 where contexts are
            taken over, 15 elsewhere.
        memory: of a context of ours besides its window, 1 to 9: ``1 << (memory + 9)`` bytes.
        threshold: shorter messages are not compressed, in bytes.
        text, binary: which messages are.
        ratio: how many times its compressed size a client's message may inflate to, where that is
            more than 64 KiB; 0, the size limits alone bound it.
    """

    level: int = 6
    takeover: tuple[bool, bool] = (False, False)
    window: tuple[int, int] | None = None
    memory: int = 5
    threshold: int = 861
    text: bool = True
    binary: bool = True
    ratio: int = 0

    def apply(self, channel: Channel, endpoint: int) -> None:
        call = channel.call
        ours, theirs = self.takeover
        call(lib.wsgate_endpoint_set_compression, endpoint, unsigned("level", self.level, 32))
        call(lib.wsgate_endpoint_set_compression_takeover, endpoint, int(ours), int(theirs))
        if self.window is not None:
            bits = [unsigned("window", bits, 32) for bits in self.window]
            call(lib.wsgate_endpoint_set_compression_window, endpoint, *bits)
        memory = unsigned("memory", self.memory, 32)
        call(lib.wsgate_endpoint_set_compression_memory, endpoint, memory)
        threshold = unsigned("threshold", self.threshold)
        what = int(self.text), int(self.binary)
        call(lib.wsgate_endpoint_set_compression_of, endpoint, threshold, *what)
        ratio = unsigned("ratio", self.ratio)
        call(lib.wsgate_endpoint_set_compression_ratio, endpoint, ratio)


# What `websockets` means by it.
DEFLATE = Compression(takeover=(True, True))
