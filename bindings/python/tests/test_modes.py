"""The same server runs without an event loop, in asyncio, and stops from wherever it is told to."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from queue import Queue

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed

import wsgate

PROGRAM = """
import signal, sys, wsgate

def on_message(client, message):
    client.send(message)

def on_close(client, close):
    print("closed", close.code, flush=True)

server = wsgate.Server("127.0.0.1:0")
server.endpoint("/", on_message=on_message, on_close=on_close)
server.start()
print(server.ports[0], flush=True)
{run}
print("ended", flush=True)
"""

BLOCKING = "server.run()"
LOOP = "import asyncio; asyncio.run(server.serve_forever())"
LOOP_TERM = """
import asyncio
async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve_forever()
asyncio.run(main())
"""
OWN_HANDLER = """
def handler(number, frame):
    print("own", flush=True)
    server.stop()
signal.signal(signal.SIGTERM, handler)
server.run()
assert signal.getsignal(signal.SIGTERM) is handler
"""


@pytest.fixture
def program():
    """Runs PROGRAM, and ends it with the test."""
    started = []

    def start(run):
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(run=run)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        return child, int(child.stdout.readline())

    yield start
    for child in started:
        child.kill()
        child.communicate()


@pytest.mark.parametrize(
    ("run", "number", "code"),
    [
        (BLOCKING, signal.SIGINT, 0),
        (BLOCKING, signal.SIGTERM, 0),
        (LOOP, signal.SIGINT, -signal.SIGINT),
        (LOOP_TERM, signal.SIGTERM, 0),
        (OWN_HANDLER, signal.SIGTERM, 0),
    ],
)
def test_a_signal_stops_the_server_in_order(program, connect, run, number, code):
    child, port = program(run)
    connection = connect(port)
    connection.send("x")
    assert connection.recv(timeout=5) == "x"
    child.send_signal(number)
    with pytest.raises(ConnectionClosed) as info:
        connection.recv(timeout=5)
    assert info.value.rcvd.code == 1001
    out, err = child.communicate(timeout=10)
    expected = (["own"] if run is OWN_HANDLER else []) + ["closed 1001"]
    assert out.split("\n")[: len(expected)] == expected
    assert child.returncode == code, err
    if code == 0:
        assert out.endswith("ended\n")
        assert err == ""


def test_a_second_signal_does_not_wait_for_the_grace_period(program):
    child, port = program("server.run(grace=600)")
    # A client that never answers the Close frame.
    with socket.create_connection(("127.0.0.1", port)) as stuck:
        stuck.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        received = b""
        while b"\r\n\r\n" not in received:
            received += stuck.recv(4096)
        child.send_signal(signal.SIGINT)
        # The Close frame says that the first signal was handled.
        while b"\x88" not in received.partition(b"\r\n\r\n")[2]:
            received += stuck.recv(4096)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=10)
    assert child.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in err


def test_handlers_are_restored(connect):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    during = []

    def on_accept(client):
        during.append((signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)))
        os.kill(os.getpid(), signal.SIGTERM)

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=on_accept)
    server.start()
    threads = [threading.Thread(target=connect, args=server.ports)]
    threads[0].start()
    server.run()
    threads[0].join()
    assert during[0][0] is not before[0]
    assert during[0][1] is not before[1]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_run_starts_the_server_if_need_be(connect):
    ports = Queue()

    def on_accept(client):
        server.stop()

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=on_accept)

    def started(*, original=server.start):
        original()
        ports.put(server.ports[0])

    server.start = started
    thread = threading.Thread(target=server.run)
    thread.start()
    connect(ports.get(timeout=5))
    thread.join(5)
    assert server.closed


def test_stop_in_a_callback_leaves_after_what_it_sent(run, connect):
    def on_message(client, message):
        client.send("last words")
        server.stop()
        client.send("and more")

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message)
    connection = connect(run(server))
    connection.send("stop")
    assert connection.recv(timeout=5) == "last words"
    assert connection.recv(timeout=5) == "and more"
    with pytest.raises(ConnectionClosed) as info:
        connection.recv(timeout=5)
    assert info.value.rcvd.code == 1001


def test_close_on_another_thread_ends_run(connect):
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/")
    server.start()
    thread = threading.Thread(target=server.run)
    thread.start()
    connect(server.ports[0])
    server.close()
    thread.join(5)
    assert not thread.is_alive()


def test_close_in_a_signal_handler_of_run_raises(connect):
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_accept=lambda client: os.kill(os.getpid(), signal.SIGUSR1))
    server.start()
    errors = []

    def on_signal(number, frame):
        try:
            server.close()
        except RuntimeError as error:
            errors.append(str(error))
        server.stop(0)

    before = signal.signal(signal.SIGUSR1, on_signal)
    try:
        thread = threading.Thread(target=connect, args=server.ports)
        thread.start()
        server.run()
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(errors) == 1
    assert "use stop()" in errors[0]


def test_what_cannot_work_says_so(run, connect):
    problems = Queue()

    def on_message(client, message):
        for call in (server.close, server.run):
            try:
                call()
            except RuntimeError as error:
                problems.put(str(error))

    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", on_message=on_message)
    connection = connect(run(server))
    connection.send("x")
    assert "use stop()" in problems.get(timeout=5)
    assert "running already" in problems.get(timeout=5)
    with pytest.raises(RuntimeError, match="running already"):
        server.run()


def test_asyncio_serves_beside_other_tasks():
    async def main():
        server = wsgate.Server("127.0.0.1:0")
        closed = []
        room = wsgate.Gateway(server)
        server.endpoint(
            "/",
            on_message=lambda client, message: client.send(message),
            on_close=lambda client, close: closed.append(close.code),
            gateway=room,
        )
        server.start()
        serving = asyncio.create_task(server.serve_forever())
        url = f"ws://127.0.0.1:{server.ports[0]}/"
        async with connect_async(url) as one, connect_async(url) as two:
            for number in range(50):
                await one.send(f"{number}")
                await two.send(b"%d" % number)
            for number in range(50):
                assert await asyncio.wait_for(one.recv(), 5) == f"{number}"
                assert await asyncio.wait_for(two.recv(), 5) == b"%d" % number
            # Sent by a task, not by a callback.
            room.broadcast("all")
            assert await asyncio.wait_for(one.recv(), 5) == "all"
            assert await asyncio.wait_for(two.recv(), 5) == "all"
            server.stop()
            await asyncio.wait_for(serving, 5)
        assert closed == [1001, 1001]
        assert server.closed

    asyncio.run(main())


def test_cancelling_serve_forever_delivers_every_close():
    async def main():
        server = wsgate.Server("127.0.0.1:0")
        accepted, closed = asyncio.Event(), []
        server.endpoint(
            "/",
            on_accept=lambda client: accepted.set(),
            on_close=lambda client, close: closed.append(close.code),
        )
        server.start()
        serving = asyncio.create_task(server.serve_forever())
        async with connect_async(f"ws://127.0.0.1:{server.ports[0]}/"):
            await asyncio.wait_for(accepted.wait(), 5)
            serving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(serving, 5)
        assert closed == [1001]
        assert server.closed

    asyncio.run(main())


def test_closing_the_server_ends_serve_forever():
    async def main():
        server = wsgate.Server("127.0.0.1:0")
        server.start()
        serving = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(0)
        server.close()
        await asyncio.wait_for(serving, 5)

    asyncio.run(main())


def test_several_servers_share_a_loop():
    async def main():
        servers = [wsgate.Server("127.0.0.1:0") for _ in range(3)]
        for number, server in enumerate(servers):
            server.endpoint("/", on_accept=lambda client, n=number: client.send(str(n)))
            server.start()
        serving = [asyncio.create_task(server.serve_forever()) for server in servers]
        for number, server in enumerate(servers):
            async with connect_async(f"ws://127.0.0.1:{server.ports[0]}/") as client:
                assert await asyncio.wait_for(client.recv(), 5) == str(number)
        for server in servers:
            server.stop()
        await asyncio.wait_for(asyncio.gather(*serving), 5)

    asyncio.run(main())
