"""Every client that was accepted gets one close event, which says how it ended."""

import contextlib
import socket
import struct
import threading
import time
from contextlib import suppress
from queue import Empty, Queue

import pytest
from websockets.exceptions import ConnectionClosed

import wsgate
from wsgate import CloseCause


class Watched:
    """A server that keeps each close event with its client."""

    def __init__(self, run, connect, **options):
        self.accepted: Queue[wsgate.Client] = Queue()
        self.closed: Queue[tuple[wsgate.Client, wsgate.Close]] = Queue()
        options.setdefault("on_message", lambda client, message: client.send(message))
        self.server = wsgate.Server("127.0.0.1:0")
        self.server.endpoint(
            "/",
            on_accept=self.accepted.put,
            on_close=lambda client, close: self.closed.put((client, close)),
            **options,
        )
        self.port = run(self.server)
        self.connection = connect(self.port)
        self.client = self.accepted.get(timeout=5)

    def close(self) -> wsgate.Close:
        client, close = self.closed.get(timeout=5)
        assert client is self.client
        return close


def test_the_peers_code_and_reason_arrive(run, connect):
    watched = Watched(run, connect)
    before = time.time_ns()
    watched.connection.send("one")
    watched.connection.send(b"two")
    assert watched.connection.recv(timeout=5) == "one"
    assert watched.connection.recv(timeout=5) == b"two"
    watched.connection.close(4321, "so läng")
    close = watched.close()
    assert (close.code, close.reason) == (4321, "so läng")
    assert close.cause is CloseCause.PEER
    assert close.clean
    assert close.info.messages_in == close.info.messages_out == 2
    assert close.info.frames_in == 3
    assert close.info.bytes_in > close.info.frames_in
    assert abs(close.info.connected_ns - before) < 60e9
    assert close.info.connected_ns <= close.info.last_data_read_ns <= close.info.closed_ns
    assert close.info.last_heartbeat_ns == 0


def test_a_close_without_a_code_is_1005(run, connect):
    watched = Watched(run, connect)
    # A masked Close frame with an empty payload.
    watched.connection.socket.sendall(bytes([0x88, 0x80, 1, 2, 3, 4]))
    close = watched.close()
    assert (close.code, close.reason, close.cause) == (1005, "", CloseCause.PEER)


def test_a_lost_connection_is_1006(run, connect):
    watched = Watched(run, connect)
    # Lingering for no time turns the close into a reset.
    linger = struct.pack("ii", 1, 0)
    watched.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    watched.connection.socket.shutdown(socket.SHUT_RD)
    watched.connection.socket.close()
    close = watched.close()
    assert (close.code, close.cause, close.clean) == (1006, CloseCause.LOST, False)


def test_the_applications_code_and_reason_reach_the_peer(run, connect):
    watched = Watched(run, connect, on_message=lambda client, message: client.close(4000, message))
    watched.connection.send("bye")
    with pytest.raises(ConnectionClosed) as info:
        watched.connection.recv(timeout=5)
    assert info.value.rcvd.code == 4000
    assert info.value.rcvd.reason == "bye"
    close = watched.close()
    assert (close.code, close.reason, close.clean) == (4000, "bye", True)
    assert close.cause is CloseCause.APPLICATION


def test_what_was_sent_before_a_close_arrives_and_after_it_does_not(run, connect, caplog):
    def on_message(client, message):
        client.send("before")
        client.close(1001)
        client.send("after")

    watched = Watched(run, connect, on_message=on_message)
    watched.connection.send("go")
    assert watched.connection.recv(timeout=5) == "before"
    with pytest.raises(ConnectionClosed) as info:
        watched.connection.recv(timeout=5)
    assert info.value.rcvd.code == 1001
    watched.close()
    assert not [record for record in caplog.records if "refused" in record.getMessage()]


def test_no_message_is_delivered_after_close(run, connect):
    got: Queue[str] = Queue()

    def on_message(client, message):
        got.put(message)
        client.close()

    watched = Watched(run, connect, on_message=on_message)
    # One write, so that the three frames are read together.
    frames = b"".join(bytes([0x81, 0x81, 0, 0, 0, 0, ord(letter)]) for letter in "abc")
    watched.connection.socket.sendall(frames)
    watched.close()
    assert got.get_nowait() == "a"
    with pytest.raises(Empty):
        got.get_nowait()


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("max_message_size", 1000, "x" * 1001),
        ("max_frame_size", 500, "x" * 501),
        ("max_fragments", 3, ["x"] * 4),
    ],
)
def test_a_message_over_a_limit_is_1009(run, connect, setting, value, message):
    watched = Watched(run, connect, **{setting: value})
    # The close may come before the last fragment was sent.
    with suppress(ConnectionClosed):
        watched.connection.send(message)
    close = watched.close()
    assert close.code == 1009
    assert close.cause is CloseCause.LIMIT


def test_a_protocol_error_is_1002(run, connect):
    watched = Watched(run, connect)
    watched.connection.socket.sendall(bytes([0x83, 0x80, 0, 0, 0, 0]))
    close = watched.close()
    assert (close.code, close.cause) == (1002, CloseCause.PROTOCOL)


def test_a_stopping_server_is_1001(run, connect):
    watched = Watched(run, connect)
    watched.server.stop()
    with pytest.raises(ConnectionClosed) as info:
        watched.connection.recv(timeout=5)
    assert info.value.rcvd.code == 1001
    close = watched.close()
    assert (close.code, close.cause) == (1001, CloseCause.SHUTDOWN)


def test_a_closed_client_refuses_to_send(run, connect):
    watched = Watched(run, connect)
    watched.connection.close()
    watched.close()
    client = watched.client
    for call in (
        lambda: client.send("x"),
        lambda: client.send(b"x" * 100_000),
        lambda: client.try_send("x"),
        lambda: client.ping(1),
    ):
        with pytest.raises(wsgate.ConnectionClosed):
            call()
    client.close()
    assert client not in watched.server.clients
    # What it asked for stays readable.
    assert client.request.target == "/"


def test_a_client_that_is_gone_behind_a_callback_is_no_error(run, connect, caplog):
    lost = threading.Event()
    outcome: Queue[object] = Queue()

    def on_message(client, message):
        assert lost.wait(5)
        with contextlib.suppress(wsgate.ConnectionClosed):
            # The engine learns a moment later that the peer has hung up.
            while client.info.closed_ns == 0:
                time.sleep(0.001)
        # Its close event waits behind this callback.
        client.send("small")
        client.send("large" * 100_000)
        server.flush()
        try:
            outcome.put(client.try_send("x"))
        except wsgate.WsgateError as error:
            outcome.put(type(error))

    watched = Watched(run, connect, on_message=on_message)
    server = watched.server
    watched.connection.send("go")
    watched.connection.close()
    lost.set()
    assert outcome.get(timeout=5) is wsgate.ConnectionClosed
    assert watched.close().code == 1000
    assert not [record for record in caplog.records if record.name == "wsgate"]


def test_closing_again_does_nothing(run, connect):
    watched = Watched(run, connect)
    watched.client.close(1000, "first")
    watched.client.close(1001, "second")
    assert watched.close().code == 1000
    watched.client.close()


def test_clients_and_gateways_outlive_their_server(run, connect):
    watched = Watched(run, connect)
    gateway = wsgate.Gateway(watched.server)
    watched.server.stop()
    watched.close()
    for thread in threading.enumerate():
        if thread.name == "server":
            thread.join(5)
    assert watched.server.closed
    assert repr(watched.server).endswith("closed>")
    with pytest.raises(wsgate.ConnectionClosed):
        watched.client.send("x")
    with pytest.raises(wsgate.ConnectionClosed):
        gateway.broadcast("x")
    with pytest.raises(wsgate.ConnectionClosed):
        wsgate.Gateway(watched.server)
    watched.client.close()
    gateway.free()
    watched.server.stop()
    watched.server.close()
