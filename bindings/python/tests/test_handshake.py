"""The application decides on handshakes and answers requests: now, later, from any thread, once."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from queue import Queue

import pytest
from websockets.exceptions import InvalidStatus

import wsgate


def echo(client, message):
    client.send(message)


def decided_by(run, on_handshake, **options):
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_handshake=on_handshake, on_message=echo, **options)
    return run(server)


def refused(connect, port, **options):
    with pytest.raises(InvalidStatus) as info:
        connect(port, **options)
    return info.value.response


def test_a_handshake_is_accepted_with_headers_and_a_subprotocol(run, connect):
    def decide(handshake):
        assert handshake.request.subprotocols == ["a", "b"]
        assert handshake.request.subprotocol is None
        assert handshake.request.cookies == {"who": "ada"}
        handshake.data = "of the handshake"
        client = handshake.accept("b", [("Set-Cookie", "x=1"), ("Set-Cookie", "y=2")])
        assert handshake.decided
        client.send(f"{client.data}, first")

    accepted = []

    def on_accept(client):
        accepted.append(client)
        client.send(f"{client.data}, {client.subprotocol}")

    port = decided_by(run, decide, on_accept=on_accept)
    connection = connect(port, subprotocols=["a", "b"], additional_headers={"Cookie": "who=ada"})
    assert connection.subprotocol == "b"
    assert connection.response.headers.get_all("Set-Cookie") == ["x=1", "y=2"]
    assert connection.recv(timeout=5) == "of the handshake, first"
    assert connection.recv(timeout=5) == "of the handshake, b"
    connection.send("x")
    assert connection.recv(timeout=5) == "x"
    assert accepted[0].request.subprotocol == "b"


def test_the_endpoints_list_decides_unless_the_handler_does(run, connect):
    port = decided_by(run, lambda handshake: handshake.accept(), subprotocols=["b", "a"])
    assert connect(port, subprotocols=["a", "b"]).subprotocol == "b"
    port = decided_by(run, lambda handshake: handshake.accept(None), subprotocols=["b", "a"])
    assert connect(port, subprotocols=["a", "b"]).subprotocol is None


def test_a_handshake_is_rejected(run, connect):
    def decide(handshake):
        handshake.reject(401, '{"error": "who?"}', {"Content-Type": "application/json"})

    response = refused(connect, decided_by(run, decide))
    assert response.status_code == 401
    assert response.body == b'{"error": "who?"}'
    assert response.headers["Content-Type"] == "application/json"


def test_a_decision_is_checked_and_can_be_mended(run, connect):
    failures = []

    def decide(handshake):
        for attempt in (
            lambda: handshake.reject(200),
            lambda: handshake.reject(99),
            lambda: handshake.reject(403, headers={"Bad Name": "x"}),
            lambda: handshake.accept("not offered"),
            lambda: handshake.accept(headers={"Upgrade": "x"}),
            lambda: handshake.accept(headers={"X": "a\r\nb"}),
            lambda: handshake.accept(headers={"X": "a\0b"}),
        ):
            try:
                attempt()
            except ValueError as error:
                failures.append(str(error))
        with pytest.raises(TypeError, match="subprotocol must be a str, not 5"):
            handshake.accept(5)
        handshake.accept()
        for late in (handshake.accept, handshake.reject):
            with pytest.raises(wsgate.ConnectionClosed):
                late()

    connection = connect(decided_by(run, decide))
    connection.send("x")
    assert connection.recv(timeout=5) == "x"
    assert len(failures) == 7


def test_a_handler_that_raises_answers_500(run, connect, caplog):
    def decide(handshake):
        raise ZeroDivisionError

    assert refused(connect, decided_by(run, decide)).status_code == 500
    assert "on_handshake failed" in caplog.text


def test_who_is_not_decided_in_time_is_refused(run, connect):
    gone = Queue()
    port = decided_by(
        run,
        lambda handshake: None,
        on_handshake_gone=lambda handshake, status: gone.put((handshake, status)),
        handshake_timeout=0.05,
    )
    assert refused(connect, port).status_code == 503
    handshake, status = gone.get(timeout=5)
    assert status == 503
    assert handshake.decided
    with pytest.raises(wsgate.ConnectionClosed):
        handshake.accept()


def test_decisions_come_in_any_order_from_several_threads(run, connect):
    waiting = Queue()
    port = decided_by(run, waiting.put)
    chance = random.Random(3)

    def ask(number):
        try:
            connection = connect(port, additional_headers={"X-Number": str(number)})
        except InvalidStatus as error:
            return error.response.status_code
        return connection.recv(timeout=10)

    def decide(handshake):
        number = int(handshake.request.headers["x-number"])
        if number % 3:
            handshake.accept().send(f"hello {number}")
        else:
            handshake.reject(403)

    with ThreadPoolExecutor(60) as asking, ThreadPoolExecutor(4) as deciding:
        answers = [asking.submit(ask, number) for number in range(60)]
        handshakes = [waiting.get(timeout=10) for _ in range(60)]
        chance.shuffle(handshakes)
        for decision in [deciding.submit(decide, one) for one in handshakes]:
            decision.result(10)
        got = [answer.result(10) for answer in answers]
    assert got == [f"hello {n}" if n % 3 else 403 for n in range(60)]


def asked(port, method="GET", path="/", body=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body)
    response = connection.getresponse()
    answer = response.status, response.headers, response.read()
    connection.close()
    return answer


def test_requests_are_answered_now_and_later(run):
    later = Queue()

    def on_request(request):
        assert request.refused is None
        if request.path == "/now":
            request.respond(201, f"{request.method} {request.body.decode()}", {"X-A": "1"})
        elif request.path == "/fail":
            raise ZeroDivisionError
        else:
            later.put(request)

    server = wsgate.Server("127.0.0.1:0", on_request=on_request)
    server.endpoint("/ws")
    port = run(server)

    def answer():
        later.get(timeout=10).respond(200, b"\x00binary")

    thread = threading.Thread(target=answer)
    thread.start()
    status, headers, body = asked(port, "POST", "/now", "hi")
    assert (status, body, headers["X-A"]) == (201, b"POST hi", "1")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    status, headers, body = asked(port, path="/later")
    assert (status, body) == (200, b"\x00binary")
    thread.join()
    assert asked(port, path="/fail")[0] == 500


def test_refusals_are_worded(run):
    def on_refused(request):
        request.respond(request.refused, f"<p>{request.refused}", {"Content-Type": "text/html"})

    server = wsgate.Server("127.0.0.1:0", on_refused=on_refused)
    server.endpoint("/ws")
    port = run(server)
    for path, expected in (("/nothing", 404), ("/ws", 426)):
        status, headers, body = asked(port, path=path)
        assert (status, body) == (expected, f"<p>{expected}".encode())
        assert headers["Content-Type"] == "text/html"


def test_parameters_and_prefixes_are_told(run, connect):
    def on_accept(client):
        client.send(repr(sorted(client.request.params.items())))

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/rooms/:room", on_accept=on_accept)
    server.endpoint("/files/*", on_accept=on_accept)
    port = run(server)
    assert connect(port, "/rooms/r%C3%A9d").recv(timeout=5) == "[('room', 'réd')]"
    assert connect(port, "/files/a%20/b").recv(timeout=5) == "[('*', 'a%20/b')]"


def test_outcomes_are_told_to_a_callback(run, connect):
    told = Queue()
    server = wsgate.Server("127.0.0.1:0")
    room = wsgate.Gateway(server, "room")
    server.endpoint(
        "/",
        gateway=room,
        on_message=lambda client, message: room.broadcast(message, on_outcome=told.put),
    )
    port = run(server)
    one = connect(port)
    one.send("x")
    assert one.recv(timeout=5) == "x"
    assert told.get(timeout=5).delivered == 1
    room.send("y", 12345, on_outcome=told.put)
    outcome = told.get(timeout=5)
    assert (outcome.delivered, outcome.failed, outcome.failed_ids) == (0, 1, (12345,))
    unasked = room.broadcast("z")
    assert one.recv(timeout=5) == "z"
    with pytest.raises(RuntimeError, match="on_outcome"):
        next(unasked.__await__())


def test_clients_are_paused_and_granted(run, connect):
    seen = Queue()

    def on_message(client, message):
        seen.put((client, message))

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message, receive_window=(1 << 20, 2), explicit_grants=True)
    connection = connect(run(server))
    for number in range(6):
        connection.send(str(number))
    client, message = seen.get(timeout=5)
    assert message == "0"
    assert seen.get(timeout=5)[1] == "1"
    assert client.info.messages_in == 2
    assert seen.empty()
    client.pause()
    client.grant(2, 2)
    client.resume()
    assert [seen.get(timeout=5)[1] for _ in range(2)] == ["2", "3"]
    assert server.info.clients == 1
    client.grant(4)


def test_the_server_drains(run, connect):
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=echo)
    connection = connect(run(server))
    connection.send("x")
    assert connection.recv(timeout=5) == "x"
    server.drain(spread=0.05, grace=1)
    with pytest.raises(Exception, match="1001"):
        connection.recv(timeout=5)
