"""The asyncio layer on loops and threads of any kind, and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import os
import selectors
import socket
import threading

import pytest
from loops import client_of, in_loop

import wsgate


async def echo(connection):
    async for message in connection:
        await connection.send(message)


def serve(handler, **options):
    return wsgate.serve(handler, "127.0.0.1", 0, **options)


@in_loop
async def test_two_servers_share_a_loop():
    async with serve(echo) as one, serve(echo) as two, client_of(one) as a, client_of(two) as b:
        for client in (a, b):
            await client.send("x")
        assert [await a.recv(), await b.recv()] == ["x", "x"]


def in_thread(function):
    error = []

    def run():
        try:
            function()
        except BaseException as raised:
            error.append(raised)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    if error:
        raise error[0]


async def one_echo():
    async with serve(echo) as server, client_of(server) as client:
        for message in ("x", b"y" * 100_000):
            await client.send(message)
            assert await client.recv() == message


def test_it_runs_in_any_thread():
    in_thread(lambda: asyncio.run(one_echo()))


def test_two_threads_have_a_server_each():
    threads = [threading.Thread(target=lambda: asyncio.run(one_echo())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


class WithoutReaders(asyncio.SelectorEventLoop):
    """A loop as that of Windows: none of the engine's descriptor."""

    def __init__(self):
        super().__init__(selectors.SelectSelector())

    def add_reader(self, *arguments):
        raise NotImplementedError


def test_a_loop_that_watches_no_descriptor_gets_a_thread_that_does():
    loop = WithoutReaders()
    try:
        loop.run_until_complete(asyncio.wait_for(one_echo(), 20))
    finally:
        loop.close()
    assert "wsgate-wait" not in [thread.name for thread in threading.enumerate()]


def test_it_runs_on_uvloop():
    uvloop = pytest.importorskip("uvloop", reason="uvloop is missing: PyPI has no wheel of it here")
    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(asyncio.wait_for(one_echo(), 20))
    finally:
        loop.close()


@in_loop
async def test_nothing_is_left_of_a_server():
    async def twenty():
        for _ in range(20):
            await one_echo()

    await one_echo()
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd"))
    await twenty()
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == descriptors


@in_loop
async def test_a_forgotten_server_closes_itself():
    server = await serve(echo)
    port = server.port
    del server
    gc.collect()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    await asyncio.sleep(0.01)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@in_loop
async def test_after_a_fork_the_connection_is_the_parents():
    async def handler(connection):
        await connection.recv()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                connection.send("from the child").send(None)
            except BaseException as error:
                os.write(write, type(error).__name__.encode())
            finally:
                os._exit(0)
        os.close(write)
        with open(read) as pipe:
            await connection.send(pipe.read())
        os.waitpid(child, 0)

    async with serve(handler) as server, client_of(server) as client:
        await client.send("x")
        assert await client.recv() == "ServerForked"


@in_loop
async def test_a_connection_is_used_on_its_own_thread():
    async def handler(connection):
        await connection.recv()
        await asyncio.sleep(0.01)

        def elsewhere():
            with pytest.raises(RuntimeError, match="thread"):
                connection.send("x").send(None)

        await asyncio.get_running_loop().run_in_executor(None, elsewhere)
        await connection.send("done")

    async with serve(handler) as server, client_of(server) as client:
        await client.send("x")
        assert await client.recv() == "done"
    await asyncio.get_running_loop().shutdown_default_executor()
