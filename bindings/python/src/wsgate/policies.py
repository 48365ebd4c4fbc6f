"""What becomes of clients that are too slow or too eager."""

from __future__ import annotations

import enum

from . import _abi
from ._library import check, lib
from ._records import unsigned

__all__ = ["RatePolicy", "SlowConsumer", "set_inbox_budget", "set_outbox_budget"]


class SlowConsumer(enum.IntEnum):
    """What becomes of a broadcast for a client whose outbox has no room for it."""

    CLOSE = _abi.SLOW_CONSUMER_CLOSE
    """The client is closed with 1013 "Too slow"."""
    DROP_NEWEST = _abi.SLOW_CONSUMER_DROP_NEWEST
    """This client does not get it; its info counts it as dropped."""
    DROP_OLDEST = _abi.SLOW_CONSUMER_DROP_OLDEST
    """The oldest broadcasts that wait for it are dropped, and counted, until there is room."""


class RatePolicy(enum.IntEnum):
    """What becomes of a client that sends more in a second than it may."""

    PAUSE = _abi.RATE_POLICY_PAUSE
    """It is not read until the second is over."""
    CLOSE = _abi.RATE_POLICY_CLOSE
    """It is closed with 1008 "Rate limit exceeded"."""


def set_outbox_budget(size: int) -> None:
    """Sets how many bytes may wait in the outboxes of all servers of the process, from now on.

    512 MiB by default, at least 1 MiB. Over it, the clients with the largest queues lose them and
    are closed with 1013 "Too slow".
    """
    check(lib.wsgate_set_outbox_budget(unsigned("size", size)))


def set_inbox_budget(size: int) -> None:
    """Sets how many bytes the unfinished messages of all servers' clients may hold, from now on.

    Unfinished is a message whose end has not come; 512 MiB by default, at least 1 MiB. Over it,
    clients with the longest are closed with 1013 "Server overloaded". It should be more than the
    longest message, twice that if it comes in fragments.
    """
    check(lib.wsgate_set_inbox_budget(unsigned("size", size)))
