"""A server that was stopped leaves no thread and no descriptor behind; a forked one says so."""

import os
import threading
import time

import pytest

import wsgate


def threads():
    return len(os.listdir("/proc/self/task"))


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def only_pythons_threads_are_left():
    # The kernel forgets a thread a moment after it was joined.
    deadline = time.monotonic() + 5
    while threads() > threading.active_count() and time.monotonic() < deadline:
        os.sched_yield()
    return threads() == threading.active_count()


def start_and_stop(connect):
    server = wsgate.Server("127.0.0.1:0", "127.0.0.1:0", workers=2)
    server.endpoint("/", on_message=lambda client, message: client.send(message))
    server.start()
    thread = threading.Thread(target=server.run)
    thread.start()
    connection = connect(server.ports[0])
    connection.send("x")
    assert connection.recv(timeout=5) == "x"
    server.stop()
    thread.join(10)
    connection.close()


def test_twenty_servers_leave_nothing(connect):
    start_and_stop(connect)
    before = descriptors()
    for _ in range(20):
        start_and_stop(connect)
    assert descriptors() == before
    assert only_pythons_threads_are_left()


def test_twenty_servers_that_are_closed_leave_nothing():
    def start_and_close():
        with wsgate.Server("127.0.0.1:0") as server:
            server.endpoint("/")
            server.start()

    start_and_close()
    before = descriptors()
    for _ in range(20):
        start_and_close()
    assert descriptors() == before
    assert only_pythons_threads_are_left()


def test_a_forgotten_server_leaves_nothing():
    before = descriptors()
    server = wsgate.Server("127.0.0.1:0")
    server.start()
    assert descriptors() > before
    assert threads() > threading.active_count()
    del server
    assert descriptors() == before
    assert only_pythons_threads_are_left()


def child_of_fork(function):
    """What `function` returned in a forked child: a string."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, str(function()).encode())
        except BaseException as error:
            os.write(write, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read) as pipe:
        answer = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return answer


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_after_a_fork_the_server_is_the_parents(run, connect):
    server = wsgate.Server("127.0.0.1:0")
    accepted = []
    server.endpoint(
        "/", on_accept=accepted.append, on_message=lambda client, message: client.send(message)
    )
    connection = connect(run(server))
    connection.send("before")
    assert connection.recv(timeout=5) == "before"

    for call in (
        lambda: accepted[0].send("from the child"),
        lambda: wsgate.Gateway(server),
        lambda: server.stop(),
    ):
        assert child_of_fork(call).startswith("ServerForked: ")

    def new_server():
        with wsgate.Server("127.0.0.1:0") as mine:
            mine.start()
            return mine.ports[0] > 0

    assert child_of_fork(new_server) == "True"

    connection.send("after")
    assert connection.recv(timeout=5) == "after"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_server_is_forgotten_in_the_child(connect):
    with wsgate.Server("127.0.0.1:0") as server:
        server.endpoint("/", on_accept=lambda client: client.send("hello"))
        server.start()
        assert child_of_fork(server.close) == "None"
        assert child_of_fork(lambda: server.run()).startswith("ServerForked: ")
        connection = connect(server.ports[0])
        server._pump.step(5000)
        assert connection.recv(timeout=5) == "hello"
