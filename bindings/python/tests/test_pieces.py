"""Messages in pieces in the callback layer."""

from contextlib import suppress
from queue import Queue

import pytest
from websockets.exceptions import ConnectionClosed

import wsgate


@pytest.fixture
def heard():
    return Queue()


def serving(run, heard, **options):
    server = wsgate.Server("127.0.0.1:0")
    options = {
        "on_message": lambda client, message: heard.put(("message", message)),
        "on_begin": lambda client, binary: heard.put(("begin", binary)),
        "on_chunk": lambda client, data: heard.put(("chunk", data)),
        "on_end": lambda client: heard.put(("end",)),
    } | options
    server.endpoint(
        "/", max_message_size=1 << 24, max_frame_size=1 << 24, rate_limit=(0, 0), **options
    )
    return run(server)


def whole(heard):
    """A message from begin to end, its pieces joined."""
    begin = heard.get(timeout=5)
    assert begin[0] == "begin"
    data = b""
    while (event := heard.get(timeout=5)) != ("end",):
        assert event[0] == "chunk"
        assert 0 < len(event[1]) <= 65_536
        data += event[1]
    return begin[1], data


def test_a_long_message_comes_in_pieces_and_a_short_one_whole(run, connect, heard):
    client = connect(serving(run, heard))
    client.send("short")
    assert heard.get(timeout=5) == ("message", "short")
    client.send("é" * 1_000_000)
    assert whole(heard) == (False, "é".encode() * 1_000_000)
    client.send([b"one ", b"two"])
    assert whole(heard) == (True, b"one two")
    client.send(b"short")
    assert heard.get(timeout=5) == ("message", b"short")


def test_the_rest_of_a_message_is_not_wanted(run, connect, heard):
    def on_chunk(client, data):
        heard.put("chunk")
        client.discard()

    client = connect(serving(run, heard, on_chunk=on_chunk))
    for _ in range(3):
        client.send([bytes(100_000)] * 10)
        assert heard.get(timeout=5) == ("begin", True)
        assert heard.get(timeout=5) == "chunk"
        assert heard.get(timeout=5) == ("end",)
    client.send("next")
    assert heard.get(timeout=5) == ("message", "next")


def test_a_chunk_that_raises_closes_with_1011(run, connect, heard, caplog):
    closed = Queue()

    def on_chunk(client, data):
        heard.put("chunk")
        raise KeyError

    client = connect(
        serving(run, heard, on_chunk=on_chunk, on_close=lambda client, close: closed.put(close))
    )
    with suppress(ConnectionClosed):
        client.send([bytes(10)] * 5)
        client.send([bytes(10)] * 5)
    assert closed.get(timeout=5).code == 1011
    assert heard.get(timeout=5) == ("begin", True)
    assert heard.get(timeout=5) == "chunk"
    assert heard.empty()
    assert "on_chunk failed" in caplog.text


def test_pieces_are_sent_as_frames_and_others_wait(run, connect):
    def on_message(client, message):
        client.begin()
        client.chunk("one ")
        client.send("behind")
        client.chunk("\xe9".encode()[:1])
        client.chunk("\xe9".encode()[1:])
        client.end()
        client.begin(binary=True)
        client.end()

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message)
    client = connect(run(server))
    client.send("go")
    assert client.recv(timeout=5) == "one é"
    assert client.recv(timeout=5) == "behind"
    assert client.recv(timeout=5) == b""


def test_a_full_outbox_refuses_a_piece_until_it_drains(run, connect):
    left = Queue()

    def more(client):
        while client.data:
            if not client.try_chunk(bytes(10_000)):
                left.put(client.data)
                return
            client.data -= 1
        client.end()

    def on_message(client, message):
        client.data = 2000
        client.begin(binary=True)
        more(client)

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message, on_drain=more, outbox_limit=(100_000, 100))
    client = connect(run(server))
    client.send("go")
    assert 0 < left.get(timeout=5) < 2000
    assert client.recv(timeout=10) == bytes(20_000_000)


@pytest.mark.parametrize("how", ["abort", "close", "forgotten"])
def test_a_message_that_is_not_ended_closes_with_1011(run, connect, how):
    closed = Queue()

    def on_message(client, message):
        client.begin()
        client.chunk("half")
        if how == "abort":
            client.abort()
        if how == "close":
            client.close(1000)

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint(
        "/",
        on_message=on_message,
        on_close=lambda client, close: closed.put(close.code),
        stream_timeout=0.05,
    )
    client = connect(run(server))
    client.send("go")
    with pytest.raises(Exception, match="1011"):
        client.recv(timeout=5)
    assert closed.get(timeout=5) == 1011


def test_pieces_without_a_beginning_raise(run, connect):
    accepted = Queue()
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=accepted.put)
    port = run(server)
    connection = connect(port)
    client = accepted.get(timeout=5)
    pieces = [lambda: client.try_chunk("x"), lambda: client.chunk("x")]
    for call in (*pieces, client.end, client.abort):
        with pytest.raises(wsgate.WsgateError):
            call()
    client.begin()
    with pytest.raises(wsgate.WsgateError):
        client.begin()
    client.chunk("on another thread")
    client.end()
    assert connection.recv(timeout=5) == "on another thread"
