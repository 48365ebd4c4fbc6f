"""The way from Python into one server of the engine."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterable
from ctypes import addressof, c_int32, c_size_t, c_void_p
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from . import _abi
from ._library import check, failure, lib, status_text
from ._records import HEAD, commands, each
from .exceptions import ConnectionClosed, error_for

if TYPE_CHECKING:
    from .gateway import Gateway
    from .outcome import Outcome

# How long the interpreter's exit waits for a callback that is still running on another thread.
_EXIT_SECONDS = 3.0

_TOO_SLOW = b"Too slow"
# No command is shorter in a record: an id and a length, of an empty message among others.
_LEAST_COMMAND = 12
_submit = lib.bare("wsgate_submit")
_SENDS = frozenset({_abi.OP_SEND_TEXT, _abi.OP_SEND_BINARY, _abi.OP_CHUNK, _abi.OP_END})
_ASKING = frozenset({
    _abi.OP_BROADCAST_TEXT,
    _abi.OP_BROADCAST_BINARY,
    _abi.OP_MULTICAST_TEXT,
    _abi.OP_MULTICAST_BINARY,
})


class Channel:
    """Owns a `wsgate_server`; its server, clients and gateways share it.

    A call made on the thread that runs the callbacks, while they run, becomes a record; the records
    of a batch go to the engine in one `flush`. Every other call goes to the engine at once. So each
    thread's calls keep their order.

    Attributes:
        pointer: the `wsgate_server *`, None once it is freed.
        thread: the thread that runs callbacks now, 0 when none does.
        records: what that thread has not flushed yet.
        run: the messages behind the records, ``id, message, id, message, …``, all of one `kind`:
            they become one record, because what costs is the number of records.
        kind: str, for texts in ASCII, or bytes.
        taking: held while events are taken and dispatched: freeing waits for it.
        taker: the thread that holds it, 0 when none does.
        wanted: somebody waits for `taking`, to free the server.
        forgotten: ids of gateways that were garbage-collected. A finalizer can run anywhere, in the
            middle of a call too, so they are freed later, between batches.
        gateways: those that somebody holds, by id.
        outcomes: those that the engine has not told yet, by ticket.
        awaits: whether what a gateway's calls return can be awaited.
    """

    __slots__ = (
        "__weakref__", "_capacity", "_count", "_length", "_pid", "_room", "_server", "_status_at",
        "_statuses", "_tickets", "awaits", "batch", "forgotten", "gateways", "kind", "logger",
        "outcomes", "pointer", "records", "run", "stop_after", "taker", "taking", "thread",
        "wanted",
    )  # fmt: skip

    def __init__(self, pointer: int | None, batch: int | None, logger: logging.Logger) -> None:
        self.pointer = pointer
        self.batch = batch
        self.logger = logger
        self.thread = 0
        self.records: list[bytes] = []
        self.run: list[int | str | bytes] = []
        self.kind: type[str] | type[bytes] = str
        self.stop_after: int | None = None
        self.taking = Lock()
        self.taker = 0
        self.wanted = False
        self.forgotten: list[int] = []
        self.gateways: WeakValueDictionary[int, Gateway] = WeakValueDictionary()
        self.outcomes: dict[int, Outcome] = {}
        self.awaits = False
        self._tickets = itertools.count(1)
        self._pid = os.getpid()
        # How many commands the runs among the records stand for, beyond one a record.
        self._count = 0
        # The arguments of `_submit`.
        self._server = c_void_p(pointer)
        self._length = c_size_t()
        self._make_room(4096)

    def server(self) -> int:
        if self.pointer is None:
            raise ConnectionClosed(_abi.STATUS_CLOSED, "the server is closed")
        return self.pointer

    def call(self, function: Any, *arguments: object) -> int:
        """Calls the engine at once, behind what is not flushed yet."""
        if self.thread == get_ident():
            self.flush()
        return check(function(self.server(), *arguments))

    def post(self, record: bytes) -> None:
        """Hands over one command: with the batch's others, or at once outside of callbacks."""
        if self.thread == get_ident():
            if self.run:
                self.seal()
            self.records.append(record)
            return
        status = (c_int32 * 1)()
        check(lib.wsgate_submit(self.server(), record, len(record), status, 1))
        if status[0] < 0:
            raise error_for(status[0], status_text(status[0]))

    # Signal handlers and finalizers may run between any two calls here and below, and may send and
    # flush as well. So what is gathered is swapped for what was made before, and added to by a call
    # whose arguments were.

    def send(self, kind: type[str] | type[bytes], one: tuple[int, str | bytes]) -> None:
        """Adds a message to the run."""
        while kind is not self.kind:
            self.seal()
            self.kind = kind
        self.run.extend(one)

    def seal(self) -> None:
        """Makes a record of the run."""
        fresh: list[int | str | bytes] = []
        run, self.run = self.run, fresh
        if run:
            record = each(run)
            self._count += len(run) // 2 - 1
            self.records.append(record)

    def flush(self) -> None:
        fresh_records: list[bytes] = []
        fresh_run: list[int | str | bytes] = []
        records, run, count = self.records, self.run, self._count
        self.records, self.run, self._count = fresh_records, fresh_run, 0
        if run:
            records.append(each(run))
            count += len(run) // 2 - 1
        if not records or self.pointer is None:
            return
        buffer = records[0] if len(records) == 1 else b"".join(records)
        size = len(buffer)
        if size > self._room:
            self._make_room(size)
        self._length.value = size
        applied = _submit(self._server, buffer, self._length, self._status_at, self._capacity)
        if applied == count + len(records):
            return
        if applied >= 0:
            single = (one for record in records for one in commands(record))
            self._refused(zip(single, self._statuses, strict=False))
        elif applied == _abi.STATUS_CLOSED:
            self._refused((record, applied) for record in records)
        else:
            raise failure(applied)

    def _make_room(self, size: int) -> None:
        """For the statuses of as many commands as records of this size can be."""
        count = size // _LEAST_COMMAND
        self._room = size
        self._statuses = (c_int32 * count)()
        self._status_at = c_void_p(addressof(self._statuses))
        self._capacity = c_size_t(count)

    def _refused(self, records: Iterable[tuple[bytes, int]]) -> None:
        """A record cannot raise any more; only what nobody would notice is passed over."""
        for record, status in records:
            if status == _abi.STATUS_OK:
                continue
            op, flags, _, target, ticket, *_ = HEAD.unpack_from(record)
            if op in _ASKING and flags & _abi.RECORD_FLAG_OUTCOME:
                self._failed(ticket, status)
            elif status == _abi.STATUS_CLOSED:
                continue
            elif status == _abi.STATUS_FULL and op in _SENDS:
                self.full(record, target)
            else:
                self.logger.error("command %d to %d refused: %s", op, target, status_text(status))

    def expect(self, outcome: Outcome) -> int:
        """Gives a ticket for an outcome that the engine will tell."""
        ticket = self.next_ticket()
        self.outcomes[ticket] = outcome
        return ticket

    def next_ticket(self) -> int:
        return next(self._tickets)

    def tell(self, ticket: int, data: bytes) -> None:
        """An outcome, as the engine tells it."""
        outcome = self.outcomes.pop(ticket, None)
        if outcome is None:
            return
        try:
            outcome._complete(data)
        except Exception:
            self.logger.exception("on_outcome failed")

    def _failed(self, ticket: int, status: int) -> None:
        outcome = self.outcomes.pop(ticket, None)
        if outcome is not None:
            outcome._fail(error_for(status, f"the message was not sent: {status_text(status)}"))

    def full(self, record: bytes, client: int) -> None:
        """A message that did not fit into its client's outbox."""
        self.too_slow(client)

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
            if get_ident() in (self.thread, self.taker):
                return
            self.wanted = True
            lib.wsgate_server_stop(self.pointer, 0)
            if not self.taking.acquire(timeout=_EXIT_SECONDS):
                return
        self.free()
