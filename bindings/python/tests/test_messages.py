"""Messages go both ways whole, in order, and as the kind they were sent as."""

import threading
from queue import Queue

import pytest

import wsgate

# Around every way that a payload can reach the engine: shaped records, plain ones, calls.
LENGTHS = [0, 1, 7, 8, 9, 125, 126, 2047, 2048, 2049, 16383, 16384, 16385, 70_000, 900_000]


def echo(client: wsgate.Client, message: str | bytes) -> None:
    client.send(message)


@pytest.fixture
def port(run):
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=echo)
    return run(server)


@pytest.mark.parametrize("length", LENGTHS)
def test_text_comes_back_as_text(port, connect, length):
    client = connect(port)
    client.send("t" * length)
    assert client.recv(timeout=5) == "t" * length


@pytest.mark.parametrize("length", LENGTHS)
def test_binary_comes_back_as_binary(port, connect, length):
    client = connect(port)
    client.send(b"\x00\xff"[:1] * length)
    assert client.recv(timeout=5) == b"\x00" * length


def test_text_of_any_script_is_kept(port, connect):
    client = connect(port)
    for text in ("häßlich", "日本語", "🦀" * 600, "\0", "a" * 2047 + "é"):
        client.send(text)
        assert client.recv(timeout=5) == text


def test_messages_of_a_client_keep_their_order(port, connect):
    clients = [connect(port) for _ in range(5)]
    for number in range(300):
        for client in clients:
            client.send(f"{number}")
    for client in clients:
        assert [client.recv(timeout=5) for _ in range(300)] == [str(n) for n in range(300)]


def test_text_and_binary_in_one_batch_keep_their_order(run, connect):
    def on_message(client, message):
        for size in (1, 3000, 20_000, 2, 3001, 20_001, 3):
            client.send("t" * size)
            client.send(b"b" * size)

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message)
    client = connect(run(server))
    client.send("go")
    for size in (1, 3000, 20_000, 2, 3001, 20_001, 3):
        assert client.recv(timeout=5) == "t" * size
        assert client.recv(timeout=5) == b"b" * size


def test_all_that_one_callback_sends_keeps_its_order(run, connect):
    order = ["a", "b", b"c", b"d", "é", "f", bytearray(b"g"), "h", b"i" * 20_000, "j", b"k", "l"]

    def on_message(client, message):
        for one in order:
            client.send(one)
            if one in ("b", b"d", "h", "l"):
                everybody.broadcast(f"after {one!r}")

    server = wsgate.Server("127.0.0.1:0")
    everybody = wsgate.Gateway(server)
    server.endpoint("/", on_message=on_message, gateway=everybody)
    client = connect(run(server))
    client.send("go")
    for one in order:
        assert client.recv(timeout=5) == one
        if one in ("b", b"d", "h", "l"):
            assert client.recv(timeout=5) == f"after {one!r}"


def test_text_that_is_not_utf_8_raises_where_it_is_sent(run, connect):
    def on_message(client, message):
        try:
            client.send("before \ud800")
        except UnicodeEncodeError:
            client.send("raised")

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message)
    client = connect(run(server))
    client.send("go")
    assert client.recv(timeout=5) == "raised"


def test_every_bytes_like_type_is_binary(run, connect):
    def on_message(client, message):
        client.send(bytearray(b"array"))
        client.send(memoryview(b"view"))

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message)
    client = connect(run(server))
    client.send("go")
    assert client.recv(timeout=5) == b"array"
    assert client.recv(timeout=5) == b"view"


def test_a_send_from_another_thread_needs_no_callback(run, connect):
    accepted: Queue[wsgate.Client] = Queue()
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=accepted.put)
    connection = connect(run(server))
    client = accepted.get(timeout=5)
    for number in range(100):
        client.send(str(number))
    assert [connection.recv(timeout=5) for _ in range(100)] == [str(n) for n in range(100)]


def test_a_send_from_another_thread_does_not_wait_for_a_callback(run, connect):
    entered, leave = threading.Event(), threading.Event()
    accepted: Queue[wsgate.Client] = Queue()

    def on_message(client, message):
        entered.set()
        assert leave.wait(5)

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=accepted.put, on_message=on_message)
    connection = connect(run(server))
    client = accepted.get(timeout=5)
    connection.send("block")
    assert entered.wait(5)
    client.send("meanwhile")
    assert connection.recv(timeout=5) == "meanwhile"
    leave.set()


def test_flush_sends_before_the_callback_returns(run, connect):
    leave = threading.Event()

    def on_message(client, message):
        client.send("early")
        server.flush()
        assert leave.wait(5)

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message)
    connection = connect(run(server))
    connection.send("go")
    assert connection.recv(timeout=5) == "early"
    leave.set()


def test_a_pong_brings_its_ticket_back(run, connect):
    def on_pong(client, ticket):
        client.send(f"pong {ticket}")

    def on_message(client, message):
        client.ping(int(message))

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message, on_pong=on_pong)
    connection = connect(run(server))
    for ticket in (0, 7, 2**64 - 1):
        connection.send(str(ticket))
        assert connection.recv(timeout=5) == f"pong {ticket}"


def test_the_request_is_readable(run, connect):
    seen: Queue[wsgate.Client] = Queue()
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/path", on_accept=seen.put)
    port = run(server)
    connection = connect(
        port, "/path?a=1&a=2&b=x%20y", additional_headers=[("X-Test", "one"), ("X-Test", "two")]
    )
    client = seen.get(timeout=5)
    request = client.request
    assert request.method == "GET"
    assert request.target == "/path?a=1&a=2&b=x%20y"
    assert request.path == "/path"
    assert request.query == {"a": ["1", "2"], "b": ["x y"]}
    assert request.headers["x-test"] == request.headers["X-TEST"] == "one, two"
    assert request.headers.get_all("X-Test") == ["one", "two"]
    assert "sec-websocket-key" in request.headers
    assert "x-none" not in request.headers
    assert request.headers.get("x-none") is None
    assert client.remote_address == connection.local_address
    assert client.local_address == ("127.0.0.1", port)
    assert client.subprotocol is None
    assert client.endpoint.path == "/path"
    assert repr(client).endswith("/path?a=1&a=2&b=x%20y>")


def test_data_belongs_to_the_application(run, connect):
    def on_accept(client):
        assert client.data is None
        client.data = 0

    def on_message(client, message):
        client.data += 1
        client.send(str(client.data))

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=on_accept, on_message=on_message)
    connection = connect(run(server))
    for count in ("1", "2", "3"):
        connection.send("more")
        assert connection.recv(timeout=5) == count
