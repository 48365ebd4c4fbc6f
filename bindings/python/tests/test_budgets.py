"""What all clients of the process together may keep in memory is bounded."""

from itertools import repeat
from queue import Queue

import pytest
from websockets.exceptions import ConnectionClosed

import wsgate

MIB = 1 << 20
DEFAULT = 512 * MIB


@pytest.fixture
def closed():
    return Queue()


@pytest.fixture
def serving(run, closed):
    """Starts a server with a handler; gives it and its port."""

    def start(on_message=None):
        server = wsgate.Server("127.0.0.1:0")
        server.endpoint(
            "/",
            on_message=on_message,
            on_close=lambda client, close: closed.put((close.code, close.reason)),
            outbox_limit=(64 * MIB, 10_000),
            rate_limit=(0, 0),
        )
        return server, run(server)

    yield start
    wsgate.set_inbox_budget(DEFAULT)
    wsgate.set_outbox_budget(DEFAULT)


def test_unfinished_messages_over_the_inbox_budget_close_their_client(serving, connect, closed):
    server, port = serving()
    wsgate.set_inbox_budget(2 * MIB)
    assert server.info.inbox_budget == 2 * MIB

    with pytest.raises(ConnectionClosed, match="1013"):
        connect(port).send(repeat(bytes(100_000)))
    assert closed.get(timeout=5) == (1013, "Server overloaded")
    assert server.info.overloads == 1


def test_a_queue_over_the_outbox_budget_closes_its_client(serving, connect, closed):
    def on_message(client, message):
        for _ in range(60):
            client.send(bytes(MIB))

    server, port = serving(on_message)
    wsgate.set_outbox_budget(MIB)
    assert server.info.outbox_budget == MIB
    with connect(port, max_queue=1) as client:
        client.send("go")
        assert closed.get(timeout=5) == (1013, "Too slow")


@pytest.mark.parametrize("setter", [wsgate.set_inbox_budget, wsgate.set_outbox_budget])
def test_a_budget_is_an_integer_in_bounds(setter):
    with pytest.raises(TypeError, match="size must be an integer, not '1'"):
        setter("1")
    with pytest.raises(ValueError, match="size must be from 0"):
        setter(-1)
    with pytest.raises(wsgate.InvalidArgument, match=r"1048575.*1048576"):
        setter(MIB - 1)
