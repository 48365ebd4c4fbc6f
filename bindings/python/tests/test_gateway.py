"""A broadcast reaches the gateway's clients, and only them, in the order of the calls."""

import gc
from queue import Queue

import pytest

import wsgate
from wsgate import _abi
from wsgate._library import lib


class Room:
    """A server whose clients join a gateway; `on_message` is each test's own."""

    def __init__(self, run, connect, on_message=None):
        self.accepted: Queue[wsgate.Client] = Queue()
        self.server = wsgate.Server("127.0.0.1:0")
        self.gateway = wsgate.Gateway(self.server)
        self.server.endpoint(
            "/",
            on_accept=self.accepted.put,
            on_message=on_message and (lambda client, message: on_message(self, client, message)),
            gateway=self.gateway,
        )
        self.port = run(self.server)
        self.connect = connect

    def join(self):
        connection = self.connect(self.port)
        return connection, self.accepted.get(timeout=5)


def broadcast(room, client, message):
    room.gateway.broadcast(message)


def others(room, client, message):
    room.gateway.broadcast(message, exclude=[client])


@pytest.mark.parametrize("message", ["text", b"binary", "é" * 3000, b"\x00" * 100_000])
def test_a_broadcast_reaches_everybody(run, connect, message):
    room = Room(run, connect, broadcast)
    connections = [room.join()[0] for _ in range(4)]
    connections[0].send(message)
    for connection in connections:
        assert connection.recv(timeout=5) == message


@pytest.mark.parametrize("message", ["text", b"binary", "é" * 3000, b"\x00" * 100_000])
def test_excluded_clients_do_not_get_it(run, connect, message):
    room = Room(run, connect, others)
    connections = [room.join()[0] for _ in range(3)]
    connections[0].send(message)
    connections[1].send("after")
    assert connections[0].recv(timeout=5) == "after"
    assert connections[1].recv(timeout=5) == message
    assert {connections[2].recv(timeout=5), connections[2].recv(timeout=5)} == {message, "after"}


def test_direct_sends_and_broadcasts_keep_one_order(run, connect):
    def on_message(room, client, message):
        for number in range(int(message)):
            client.send(f"d {number}")
            room.gateway.broadcast(f"b {number}")

    room = Room(run, connect, on_message)
    connection, _ = room.join()
    connection.send("500")
    got = [connection.recv(timeout=5) for _ in range(1000)]
    assert got == [f"{kind} {number}" for number in range(500) for kind in "db"]


def test_calls_outside_callbacks_keep_one_order(run, connect):
    room = Room(run, connect)
    connection, client = room.join()
    for number in range(200):
        client.send(f"d {number}")
        room.gateway.broadcast(f"b {number}")
    got = [connection.recv(timeout=5) for _ in range(400)]
    assert got == [f"{kind} {number}" for number in range(200) for kind in "db"]


@pytest.mark.parametrize("inside", [True, False], ids=["in a callback", "outside"])
def test_clients_leave_and_join(run, connect, inside):
    def change(room, client, message):
        if message == "leave":
            room.gateway.remove(client)
        if message == "join":
            room.gateway.add(client)
        room.gateway.broadcast(message)
        client.send("done")

    room = Room(run, connect, change)
    connection, client = room.join()
    for message, expected in (
        ("stay", ["stay", "done"]),
        ("leave", ["done"]),
        ("away", ["done"]),
        ("join", ["join", "done"]),
    ):
        if inside:
            connection.send(message)
        else:
            change(room, client, message)
        assert [connection.recv(timeout=5) for _ in expected] == expected


def test_a_client_may_be_in_many_gateways(run, connect):
    room = Room(run, connect)
    connection, client = room.join()
    more = [wsgate.Gateway(room.server) for _ in range(3)]
    for number, gateway in enumerate(more):
        gateway.add(client)
        gateway.broadcast(str(number))
    assert [connection.recv(timeout=5) for _ in more] == ["0", "1", "2"]


def test_several_clients_are_added_at_once(run, connect):
    room = Room(run, connect)
    joined = [room.join() for _ in range(3)]
    gateway = wsgate.Gateway(room.server)
    gateway.add(*(client for _, client in joined))
    gateway.add()
    gateway.remove(joined[0][1])
    gateway.broadcast("members")
    room.gateway.broadcast("everybody")
    assert joined[0][0].recv(timeout=5) == "everybody"
    assert joined[1][0].recv(timeout=5) == "members"
    assert joined[2][0].recv(timeout=5) == "members"


def test_a_freed_gateway_refuses_and_its_clients_stay(run, connect):
    room = Room(run, connect)
    connection, client = room.join()
    gateway = wsgate.Gateway(room.server)
    gateway.add(client)
    gateway.free()
    gateway.free()
    for call in (lambda: gateway.broadcast("x"), lambda: gateway.add(client)):
        with pytest.raises(wsgate.ConnectionClosed, match="freed"):
            call()
    client.send("still here")
    assert connection.recv(timeout=5) == "still here"


def test_a_broadcast_to_a_gateway_that_is_dropped_at_once_arrives(run, connect):
    gateways = []

    def on_message(room, client, message):
        if message == "make":
            gateways.append(wsgate.Gateway(room.server))
            gateways[0].add(client)
            client.send("made")
        else:
            gateways.pop().broadcast(message)

    room = Room(run, connect, on_message)
    connection, _ = room.join()
    connection.send("make")
    assert connection.recv(timeout=5) == "made"
    connection.send("last")
    assert connection.recv(timeout=5) == "last"


def test_a_gateway_can_live_for_one_broadcast(run, connect):
    def on_message(room, client, message):
        gateway = wsgate.Gateway(room.server)
        gateway.add(client)
        gateway.broadcast(message)

    room = Room(run, connect, on_message)
    connection, _ = room.join()
    for number in range(20):
        connection.send(f"{number}")
        assert connection.recv(timeout=1) == f"{number}"


def test_a_forgotten_gateway_is_freed(run, connect):
    room = Room(run, connect, broadcast)
    connection, client = room.join()
    gateway = wsgate.Gateway(room.server)
    id = gateway.id
    del gateway
    gc.collect()
    # It is freed after the first batch of events that follows, so it is gone when the second comes.
    for message in ("first", "second"):
        connection.send(message)
        assert connection.recv(timeout=5) == message
    pointer = room.server._channel.pointer
    assert lib.wsgate_gateway_add(pointer, id, client.id) == _abi.STATUS_CLOSED


def test_a_message_that_is_none_is_a_type_error(run, connect):
    room = Room(run, connect)
    _, client = room.join()
    for send in (room.gateway.broadcast, client.send, client.try_send):
        with pytest.raises(TypeError, match="str or bytes-like, not int"):
            send(5)
