"""What became of a message to many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from struct import Struct

__all__ = ["Outcome"]

# wsgate_outcome, before the ids.
_OUTCOME = Struct("=QQQ")


class Outcome:
    """What became of a broadcast, multicast or gateway send.

    On an asyncio server it can be awaited, any number of times, or ignored::

        outcome = await room.broadcast("hello")
        print(outcome.delivered, outcome.failed)

    In the callback layer ``on_outcome`` gets it. It completes when the operating system has taken
    the message's last byte for each client, or the client is gone, or was too slow.

    Attributes:
        done: whether the following are known.
        delivered: how many clients the message has left for.
        failed: how many it has not.
        failed_ids: the ids of these clients; not all of them, when a million wait to be told.
    """

    __slots__ = ("_callback", "_error", "_waiters", "delivered", "done", "failed", "failed_ids")

    def __init__(self, asked: bool, callback: Callable[[Outcome], object] | None = None) -> None:
        self.done = False
        self.delivered = 0
        self.failed = 0
        self.failed_ids: tuple[int, ...] = ()
        self._callback = callback
        self._error: Exception | None = None
        self._waiters: list[asyncio.Future[None]] | None = [] if asked else None

    def __repr__(self) -> str:
        if not self.done:
            return "<Outcome pending>"
        return f"<Outcome delivered={self.delivered} failed={self.failed}>"

    def __await__(self) -> Generator[asyncio.Future[None], None, Outcome]:
        if not self.done:
            if self._waiters is None:
                raise RuntimeError(
                    "nobody asked for this outcome: in the callback layer pass on_outcome"
                )
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            yield from waiter
        if self._error is not None:
            raise self._error
        return self

    def _complete(self, data: bytes) -> None:
        _, self.delivered, self.failed = _OUTCOME.unpack_from(data)
        self.failed_ids = tuple(memoryview(data)[_OUTCOME.size :].cast("Q"))
        self._finish()

    def _fail(self, error: Exception) -> None:
        """The message was not sent at all."""
        self._error = error
        self._finish()

    def _finish(self) -> None:
        self.done = True
        for waiter in self._waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        if self._callback is not None and self._error is None:
            self._callback(self)


# What a call returns that was not asked about its outcome.
UNASKED = Outcome(asked=False)
