"""What the hot path writes by hand has the layout of the generated structures."""

import ctypes
import struct

import pytest

import wsgate
from wsgate import ClientInfo, CloseCause, _abi, _pump, _records, exceptions
from wsgate._library import lib


@pytest.mark.parametrize(
    ("structure", "size"),
    [(_abi.Event, 64), (_abi.Batch, 48), (_abi.ClientCounters, 176), (_abi.Record, 32)],
)
def test_structures_have_the_sizes_of_the_abi(structure, size):
    assert ctypes.sizeof(structure) == size


def test_the_pump_reads_events_where_they_are():
    event = _abi.Event(
        kind=_abi.EVENT_KIND_MESSAGE, flags=_abi.EVENT_FLAG_BINARY, client=1, user_data=2, data=3,
        length=4, code=5, endpoint=6, value=7, time_ns=8,
    )  # fmt: skip
    assert struct.unpack(_pump._EVENT, event) == (_pump.BINARY, 1, 4)
    assert _pump._REST.unpack_from(event) == (5, 6, 7)


def test_the_pump_reads_batches_where_they_are():
    batch = _abi.Batch(events=1, event_size=2, count=3, payload=4, payload_length=5, pending=6)
    assert _pump._BATCH.unpack(bytes(batch)) == (1, 2, 3, 4, 5)
    assert _pump._BATCH.size == ctypes.sizeof(_abi.Batch)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 31, 32, 2048])
def test_shaped_and_plain_records_are_the_same_bytes(length):
    payload = b"p" * length
    for op, shapes in (
        (_abi.OP_SEND_TEXT, _records.SEND_TEXT),
        (_abi.OP_SEND_BINARY, _records.SEND_BINARY),
        (_abi.OP_BROADCAST_TEXT, _records.BROADCAST_TEXT),
        (_abi.OP_BROADCAST_BINARY, _records.BROADCAST_BINARY),
    ):
        learned = shapes.record(77, payload)
        shaped = shapes.record(77, payload)
        assert shaped == learned == _records.record(op, 77, payload)
        head = _abi.Record.from_buffer_copy(shaped)
        assert (head.op, head.flags, head.target, head.ticket) == (op, 0, 77, 0)
        assert (head.ids, head.length, head.size) == (0, length, len(shaped))
        assert len(shaped) % 8 == 0
        assert shaped[32:].rstrip(b"\0") == payload


@pytest.mark.parametrize("messages", [["one", "", "three"], [b"\xff" * 9, b""], ["alone"], [b"x"]])
def test_a_run_of_messages_stands_for_the_records_of_each(messages):
    run = [word for i, message in enumerate(messages) for word in (2**62 + i, message)]
    one = _records.each(run)
    assert len(one) % 8 == 0
    assert _abi.Record.from_buffer_copy(one).size == len(one)
    payloads = [_records.payload_of(message) for message in messages]
    assert list(_records.commands(one)) == [
        _records.record(_abi.OP_SEND_TEXT if text else _abi.OP_SEND_BINARY, 2**62 + i, payload)
        for i, (payload, text) in enumerate(payloads)
    ]


def test_a_record_with_ids_has_them_between_head_and_payload():
    record = _records.record(_abi.OP_BROADCAST_TEXT, 9, b"abc", [1, 2**62], ticket=5)
    head = _abi.Record.from_buffer_copy(record)
    assert (head.size, head.ticket, head.ids, head.length) == (len(record), 5, 2, 3)
    assert record[32:] == struct.pack("=QQ", 1, 2**62) + b"abc\0\0\0\0\0"


def test_client_info_names_every_counter_in_order():
    fields = [name for name, _ in _abi.ClientCounters._fields_]
    assert fields == ["size", *ClientInfo._fields]


def test_close_causes_are_those_of_the_abi():
    names = {name for name in vars(_abi) if name.startswith("CLOSE_CAUSE_")}
    assert {f"CLOSE_CAUSE_{cause.name}" for cause in CloseCause} == names
    assert all(getattr(_abi, f"CLOSE_CAUSE_{cause.name}") == cause for cause in CloseCause)


def test_every_status_is_an_exception():
    for name, status in vars(_abi).items():
        if name.startswith("STATUS_") and status != _abi.STATUS_OK:
            error = exceptions.error_for(status, "text")
            assert isinstance(error, exceptions.WsgateError)
            assert error.status == status


def test_every_function_is_declared():
    for name, (result, arguments) in _abi.FUNCTIONS.items():
        function = getattr(lib, name)
        assert function.restype is result
        assert function.argtypes == arguments


def test_payloads_lie_in_the_order_of_their_events_without_gaps(connect):
    with wsgate.Server("127.0.0.1:0") as server:
        server.endpoint("/")
        server.start()
        for message in ("text", b"binary", "", "é" * 100):
            with connect(server.ports[0]) as connection:
                connection.send(message)
                connection.ping().wait(5)
        kinds = []
        while kinds.count(_abi.EVENT_KIND_CLOSE) < 4:
            batch = ctypes.cast(server._channel.batch, ctypes.POINTER(_abi.Batch)).contents
            lib.wsgate_server_take(server._channel.pointer, ctypes.byref(batch), 0, 5000)
            end = batch.payload
            for event in (_abi.Event * batch.count).from_address(batch.events):
                assert event.data == end
                end += event.length
                kinds.append(event.kind)
            assert end == batch.payload + batch.payload_length
    assert kinds.count(_abi.EVENT_KIND_MESSAGE) == 4
