"""The way from Python into one server of the engine."""

from __future__ import annotations

import logging
import os
from ctypes import Array, c_int32
from threading import Lock, get_ident
from typing import Any

from . import _abi
from ._library import check, failure, lib, status_text
from ._records import HEAD
from .exceptions import ConnectionClosed, error_for

# How long the interpreter's exit waits for a callback that is still running on another thread.
_EXIT_SECONDS = 3.0

_TOO_SLOW = b"Too slow"
_SENDS = frozenset({_abi.OP_SEND_TEXT, _abi.OP_SEND_BINARY})


class Channel:
    """Owns a `wsgate_server`; its server, clients and gateways share it.

    A call made on the thread that runs the callbacks, while they run, becomes a record; the records
    of a batch go to the engine in one `flush`. Every other call goes to the engine at once. So each
    thread's calls keep their order.

    Attributes:
        pointer: the `wsgate_server *`, None once it is freed.
        thread: the thread that runs callbacks now, 0 when none does.
        records: what that thread has not flushed yet.
        taking: held while events are taken and dispatched: freeing waits for it.
        forgotten: ids of gateways that were garbage-collected. A finalizer can run anywhere, in the
            middle of a call too, so they are freed later, between batches.
    """

    __slots__ = (
        "_pid", "_statuses", "batch", "forgotten", "logger", "pointer", "records", "stop_after",
        "taking", "thread",
    )  # fmt: skip

    def __init__(self, pointer: int | None, batch: int | None, logger: logging.Logger) -> None:
        self.pointer = pointer
        self.batch = batch
        self.logger = logger
        self.thread = 0
        self.records: list[bytes] = []
        self.stop_after: int | None = None
        self.taking = Lock()
        self.forgotten: list[int] = []
        self._statuses: Array[c_int32] = (c_int32 * 256)()
        self._pid = os.getpid()

    def server(self) -> int:
        if self.pointer is None:
            raise ConnectionClosed(_abi.STATUS_CLOSED, "the connection is closed")
        return self.pointer

    def call(self, function: Any, *arguments: object) -> int:
        """Calls the engine at once, behind what is not flushed yet."""
        if self.thread == get_ident():
            self.flush()
        return check(function(self.server(), *arguments))

    def post(self, record: bytes) -> None:
        """Hands over one command: with the batch's others, or at once outside of callbacks."""
        if self.thread == get_ident():
            self.records.append(record)
            return
        status = (c_int32 * 1)()
        check(lib.wsgate_submit(self.server(), record, len(record), status, 1))
        if status[0] < 0:
            raise error_for(status[0], status_text(status[0]))

    def flush(self) -> None:
        # Swapped before anything is called: a signal handler that runs inside may send as well.
        records, self.records = self.records, []
        count = len(records)
        if count == 0 or self.pointer is None:
            return
        if count > len(self._statuses):
            self._statuses = (c_int32 * (2 * count))()
        buffer = b"".join(records)
        applied = lib.wsgate_submit(self.pointer, buffer, len(buffer), self._statuses, count)
        if applied == count:
            return
        if applied >= 0:
            self._refused(records)
        elif applied != _abi.STATUS_CLOSED:
            raise failure(applied)

    def _refused(self, records: list[bytes]) -> None:
        """A record cannot raise any more; only what nobody would notice is passed over."""
        for record, status in zip(records, self._statuses, strict=False):
            if status in (_abi.STATUS_OK, _abi.STATUS_CLOSED):
                continue
            op, _, _, target, *_ = HEAD.unpack_from(record)
            if status == _abi.STATUS_FULL and op in _SENDS:
                self.too_slow(target)
            else:
                self.logger.error("command %d to %d refused: %s", op, target, status_text(status))

    def too_slow(self, client: int) -> None:
        """Closes a client that a callback sent more than its outbox takes."""
        status = lib.wsgate_client_close(self.pointer, client, 1013, _TOO_SLOW, len(_TOO_SLOW))
        if status == _abi.STATUS_OK:
            self.logger.warning("client %d closed: its outbox is full", client)

    def settle(self) -> None:
        """What had to wait for the end of the callbacks."""
        forgotten, self.forgotten = self.forgotten, []
        for gateway in forgotten:
            lib.wsgate_gateway_free(self.pointer, gateway)
        if self.stop_after is not None:
            grace, self.stop_after = self.stop_after, None
            lib.wsgate_server_stop(self.pointer, grace)

    def stop(self, grace_ms: int) -> None:
        if self.thread == get_ident():
            self.stop_after = grace_ms
        elif self.pointer is not None:
            status = lib.wsgate_server_stop(self.pointer, grace_ms)
            if status != _abi.STATUS_CLOSED:
                check(status)

    def free(self) -> None:
        """Frees the server; the caller holds `taking`."""
        pointer, self.pointer = self.pointer, None
        batch, self.batch = self.batch, None
        if pointer is not None:
            lib.wsgate_server_free(pointer)
        if batch is not None:
            lib.wsgate_batch_free(batch)

    def abandon(self) -> None:
        """Frees a server that the program forgot, or still runs when the interpreter exits."""
        if self.pointer is None:
            return
        # In a forked child the lock may be held by a thread that does not exist there.
        if os.getpid() == self._pid and not self.taking.acquire(blocking=False):
            if self.thread == get_ident():
                return
            lib.wsgate_server_stop(self.pointer, 0)
            if not self.taking.acquire(timeout=_EXIT_SECONDS):
                return
        self.free()
