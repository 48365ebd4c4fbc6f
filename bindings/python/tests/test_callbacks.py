"""What a callback does wrong stays with its client, and nothing is lost without a trace."""

import logging
from queue import Queue

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import wsgate


def serve(run, **handlers):
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", **handlers)
    return server, run(server)


@pytest.mark.parametrize("name", ["on_accept", "on_message", "on_pong"])
def test_an_exception_is_logged_and_closes_its_client_only(run, connect, caplog, name):
    def on_accept(client):
        client.data = client.request.target
        if name == "on_accept" and client.data == "/?bad":
            raise ValueError("spilled")

    def on_message(client, message):
        if name == "on_message" and client.data == "/?bad":
            raise ValueError("spilled")
        client.ping(1)

    def on_pong(client, ticket):
        if name == "on_pong" and client.data == "/?bad":
            raise ValueError("spilled")
        client.send("fine")

    _, port = serve(run, on_accept=on_accept, on_message=on_message, on_pong=on_pong)
    good, bad = connect(port, "/"), connect(port, "/?bad")
    if name != "on_accept":
        bad.send("x")
    with pytest.raises(ConnectionClosed) as info:
        bad.recv(timeout=5)
    assert info.value.rcvd.code == 1011
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.name == "wsgate"
    assert record.getMessage().startswith(f"{name} failed for <Client ")
    assert str(record.exc_info[1]) == "spilled"
    good.send("x")
    assert good.recv(timeout=5) == "fine"


def test_an_exception_in_on_close_is_logged(run, connect, caplog):
    closed = Queue()

    def on_close(client, close):
        closed.put(close.code)
        raise ValueError("spilled")

    _, port = serve(run, on_close=on_close)
    for code in (4001, 4002):
        connect(port).close(code)
        assert closed.get(timeout=5) == code
    # The second event was delivered after the first one's exception was logged.
    assert caplog.records[0].getMessage().startswith("on_close failed for <Client ")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_breaks_off_and_nothing_is_lost(connect, kind):
    got = []

    def on_message(client, message):
        got.append(message)
        client.send(message)
        if message == "b":
            raise kind

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message)
    with server:
        server.start()
        connection = connect(server.ports[0])
        frames = b"".join(bytes([0x81, 0x81, 0, 0, 0, 0, ord(letter)]) for letter in "abcd")
        connection.socket.sendall(frames)
        with pytest.raises(kind):
            step_forever(server)
        assert got == ["a", "b"]
        while len(got) < 4:
            server._pump.step(5000)
        assert got == ["a", "b", "c", "d"]
        assert [connection.recv(timeout=5) for _ in "abcd"] == ["a", "b", "c", "d"]


def step_forever(server):
    while True:
        server._pump.step(5000)


def test_a_client_without_handlers_is_served(run, connect):
    _, port = serve(run)
    connection = connect(port)
    connection.send("ignored")
    assert connection.ping().wait(5)


def test_try_send_tells_when_the_outbox_is_full_and_on_drain_when_it_is_not(run, connect):
    block = b"x" * 100_000
    filled, drained = Queue(), Queue()

    def on_message(client, message):
        sent = 0
        while client.try_send(block):
            sent += 1
        filled.put(sent)

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message, on_drain=drained.put, outbox_limit=(300_000, 100))
    connection = connect(run(server), max_queue=1)
    connection.send("fill")
    for _ in range(filled.get(timeout=5)):
        assert connection.recv(timeout=5) == block
    client = drained.get(timeout=5)
    assert client.try_send("end")
    assert connection.recv(timeout=5) == "end"


def test_a_send_outside_of_callbacks_raises_when_the_outbox_is_full(run, connect):
    accepted = Queue()
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=accepted.put, outbox_limit=(300_000, 100))
    connection = connect(run(server), max_queue=1)
    client = accepted.get(timeout=5)
    with pytest.raises(wsgate.OutboxFull) as info:
        send_forever(client)
    assert info.value.status == -3
    assert connection.recv(timeout=5) == b"x" * 100_000


def send_forever(client):
    while True:
        client.send(b"x" * 100_000)


@pytest.mark.parametrize("size", [10, 100_000], ids=["records", "calls"])
def test_a_callback_that_overfills_an_outbox_closes_its_client_and_is_told(
    run, connect, caplog, size
):
    closed = Queue()

    def on_message(client, message):
        for _ in range(5_000):
            client.send(b"x" * size)

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint(
        "/",
        on_message=on_message,
        on_close=lambda client, close: closed.put(close),
        outbox_limit=(300_000, 100),
        close_period=0.1,
    )
    connection = connect(run(server), max_queue=1)
    connection.send("go")
    close = closed.get(timeout=5)
    assert (close.code, close.reason) == (1013, "Too slow")
    messages = [record.getMessage() for record in caplog.records if record.name == "wsgate"]
    assert [message for message in messages if "outbox is full" in message] == messages[:1]


@pytest.mark.parametrize(("level", "told"), [(logging.DEBUG, True), (logging.WARNING, False)])
def test_the_engines_log_goes_to_the_logger_as_far_as_it_listens(connect, caplog, level, told):
    logger = logging.getLogger("somewhere.else")
    with caplog.at_level(level, logger=logger.name):
        server = wsgate.Server("127.0.0.1:0", logger=logger)
        server.endpoint("/", origins=["http://good.example"])
        server.start()
    # The engine was asked for no more than that, so no more comes however much is listened to now.
    with caplog.at_level(1, logger=logger.name), server:
        with pytest.raises(InvalidStatus):
            connect(server.ports[0], origin="http://evil.example")
        server.stop()
        server.run()
    lines = [record.getMessage() for record in caplog.records if record.name == logger.name]
    assert any("Origin forbidden" in line for line in lines) == told
    assert bool(lines) == told
