"""An argument that cannot be is refused at its own call, with its name, its value and its bound."""

import logging
import pickle
import socket

import pytest

import wsgate
from wsgate import _abi
from wsgate._settings import engine_level


@pytest.fixture
def server():
    with wsgate.Server("127.0.0.1:0") as server:
        yield server


@pytest.mark.parametrize("workers", [-1, 2**32])
def test_integers_are_not_cut_to_size(workers):
    with pytest.raises(ValueError, match=rf"workers must be from 0 to 4294967295, not {workers}"):
        wsgate.Server("127.0.0.1:0", workers=workers)


def test_the_engines_bound_is_named():
    with pytest.raises(wsgate.InvalidArgument, match=r"(?s)workers.*5000.*1024") as info:
        wsgate.Server("127.0.0.1:0", workers=5000)
    assert isinstance(info.value, ValueError)
    assert info.value.status in (-1, -9)


@pytest.mark.parametrize("name", ["max_message_size", "max_frame_size", "max_fragments"])
def test_limits_are_integers_in_bounds(server, name):
    with pytest.raises(TypeError, match=f"{name} must be an integer, not '1'"):
        server.endpoint("/a", **{name: "1"})
    with pytest.raises(ValueError, match=f"{name} must be from 0 to {2**64 - 1}, not -1"):
        server.endpoint("/b", **{name: -1})
    with pytest.raises(wsgate.InvalidArgument, match=r"\b0\b"):
        server.endpoint("/c", **{name: 0})


@pytest.mark.parametrize("period", [-1, float("nan"), float("inf")])
def test_periods_are_seconds(server, period):
    with pytest.raises(ValueError, match=f"close_period must be .* seconds .*, not {period}"):
        server.endpoint("/", close_period=period)
    with pytest.raises(ValueError, match="grace"):
        server.stop(grace=period)


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1", "127.0.0.1:70000", "[::1:80"])
def test_an_address_that_is_none_is_named(address):
    with pytest.raises(wsgate.WsgateError) as info:
        wsgate.Server(address).start()
    assert address in str(info.value)


def test_a_path_is_absolute_and_used_once(server):
    server.endpoint("/once")
    for path in ("", "chat", "/once"):
        with pytest.raises(wsgate.InvalidArgument):
            server.endpoint(path)


def test_strings_are_strings(server):
    with pytest.raises(TypeError, match="expected a string, not 80"):
        wsgate.Server(80)
    with pytest.raises(TypeError, match="expected a string, not b'/'"):
        server.endpoint(b"/")
    with pytest.raises(TypeError, match="origins must be a collection"):
        server.endpoint("/", origins="http://example.org")


def test_handlers_are_plain_functions(server):
    async def handler(client):
        pass

    with pytest.raises(TypeError, match="on_accept must be a plain function"):
        server.endpoint("/", on_accept=handler)
    with pytest.raises(TypeError, match="on_close must be callable, not 5"):
        server.endpoint("/", on_close=5)


@pytest.mark.parametrize("period", ["1", None])
def test_periods_are_numbers(server, period):
    with pytest.raises(TypeError, match=f"grace must be a number of seconds, not {period!r}"):
        server.stop(grace=period)


@pytest.mark.parametrize("name", ["outbox_limit", "receive_window", "rate_limit", "heartbeat"])
@pytest.mark.parametrize("pair", [5, "ab", (1,), (1, 2, 3)])
def test_pairs_are_pairs(server, name, pair):
    with pytest.raises(TypeError, match=f"{name} must be a pair of numbers, not "):
        server.endpoint("/", **{name: pair})


def test_gateways_are_of_clients_and_named_by_strings(server):
    gateway = wsgate.Gateway(server)
    for wrong in (5, None, "x"):
        for call in (gateway.add, gateway.remove):
            with pytest.raises(TypeError, match=f"of clients; {wrong!r} is none"):
                call(wrong)
    for wrong in ("x", None, True, 1.0):
        for call in (gateway.multicast, gateway.broadcast):
            with pytest.raises(TypeError, match=f"not by {wrong!r}"):
                call("message", [wrong])
    for wrong in (-1, 2**64):
        with pytest.raises(ValueError, match=f"id must be from 0 to {2**64 - 1}, not {wrong}"):
            gateway.multicast("message", [wrong])
    with pytest.raises(TypeError, match="name must be a str, not 5"):
        wsgate.Gateway(server, 5)
    with pytest.raises(TypeError, match="on_outcome must be callable, not 5"):
        gateway.broadcast("message", on_outcome=5)


def test_what_a_closed_server_is_asked_says_so(server):
    gateway = wsgate.Gateway(server)
    server.close()
    calls = (server.start, lambda: server.ports, lambda: server.info, lambda: len(gateway))
    for call in (*calls, lambda: server.endpoint("/"), lambda: gateway.broadcast("x")):
        with pytest.raises(wsgate.ConnectionClosed, match="the server is closed"):
            call()


def test_an_address_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with wsgate.Server(address) as server, pytest.raises(wsgate.AddressInUse, match=address):
            server.start()


def test_settings_after_start_are_refused(server):
    server.start()
    with pytest.raises(wsgate.InvalidArgument):
        server.endpoint("/late")
    with pytest.raises(wsgate.InvalidArgument):
        server.start()


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65536])
def test_codes_that_may_not_be_sent_are_refused(run, connect, code):
    outcomes = []

    def on_accept(client):
        try:
            client.close(code)
        except wsgate.InvalidArgument as error:
            outcomes.append(str(error))
        client.send("done")

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=on_accept)
    assert connect(run(server)).recv(timeout=5) == "done"
    assert str(code) in outcomes[0]


def test_a_reason_has_at_most_123_bytes(run, connect):
    outcomes = []

    def on_accept(client):
        for wrong in ("é" * 62, None, b"bytes"):
            try:
                client.close(1000, wrong)
            except (wsgate.InvalidArgument, TypeError) as error:
                outcomes.append(str(error))
        client.close(4000, "r" * 123)

    def on_close(client, close):
        outcomes.append(close.reason)
        server.stop()

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=on_accept, on_close=on_close)
    connection = connect(run(server))
    with pytest.raises(Exception, match="r" * 123):
        connection.recv(timeout=5)
    assert "123" in outcomes[0]
    assert outcomes[1] == "reason must be a str, not None"
    assert outcomes[2] == "reason must be a str, not b'bytes'"


@pytest.mark.parametrize("ticket", [-1, 2**64])
def test_tickets_have_64_bits(run, connect, ticket):
    outcomes = []

    def on_accept(client):
        try:
            client.ping(ticket)
        except ValueError as error:
            outcomes.append(str(error))
        client.send("done")

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=on_accept)
    assert connect(run(server)).recv(timeout=5) == "done"
    assert outcomes == [f"ticket must be from 0 to {2**64 - 1}, not {ticket}"]


def test_errors_can_be_pickled():
    error = pickle.loads(pickle.dumps(wsgate.OutboxFull(-3, "full")))
    assert (type(error), error.status, str(error)) == (wsgate.OutboxFull, -3, "full")


def test_no_log_level_is_lost():
    assert [engine_level(level) for level in (1, 5, logging.DEBUG, 15, logging.INFO)] == [
        _abi.LOG_LEVEL_TRACE,
        _abi.LOG_LEVEL_TRACE,
        _abi.LOG_LEVEL_DEBUG,
        _abi.LOG_LEVEL_INFO,
        _abi.LOG_LEVEL_INFO,
    ]
    assert [engine_level(level) for level in (logging.WARNING, logging.ERROR, 50, 1000)] == [
        _abi.LOG_LEVEL_WARN,
        _abi.LOG_LEVEL_ERROR,
        _abi.LOG_LEVEL_OFF,
        _abi.LOG_LEVEL_OFF,
    ]
