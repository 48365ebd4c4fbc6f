"""Where `serve` has websockets' names it has websockets' meaning: the same tests on both."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest
from libraries import serve
from loops import client_of, drained, in_loop


async def echo(connection):
    async for message in connection:
        await connection.send(message)


def fails_once(library, caplog):
    """The record of the one handler that failed."""
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.name == library.logger
    return record


@in_loop
async def test_messages_come_and_go_as_they_are(library):
    async with serve(library, echo) as server, client_of(server) as client:
        for message in ("text", b"binary", "", b"", "é" * 40_000, bytes(100_000)):
            await client.send(message)
            assert await client.recv() == message


@in_loop
async def test_a_handler_that_returns_closes_with_1000(library):
    async def handler(connection):
        await connection.recv()

    async with serve(library, handler) as server, client_of(server) as client:
        await client.send("x")
        await drained(client)
        assert client.close_code == 1000


@in_loop
async def test_an_exception_closes_with_1011_and_is_logged(library, caplog):
    async def handler(connection):
        raise ZeroDivisionError("one by none")

    async with serve(library, handler) as server, client_of(server) as client:
        await drained(client)
        assert client.close_code == 1011
    record = fails_once(library, caplog)
    assert record.getMessage() == "connection handler failed"
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize("code", [1000, 1001, None])
@in_loop
async def test_iteration_ends_when_the_client_leaves_in_peace(library, code):
    ended = asyncio.Event()
    got = []

    async def handler(connection):
        async for message in connection:
            got.append(message)
        got.append(connection.close_code)
        ended.set()

    async with serve(library, handler) as server, client_of(server) as client:
        await client.send("one")
        await client.send("two")
        if code is None:
            client.protocol.send_close()
            client.send_data()
        else:
            await client.close(code)
        await ended.wait()
        assert got == ["one", "two", code or 1005]


@in_loop
async def test_iteration_raises_when_the_client_complains(library):
    raised = asyncio.get_running_loop().create_future()

    async def handler(connection):
        try:
            async for _ in connection:
                pass
        except library.exceptions.ConnectionClosedError as error:
            raised.set_result((error.rcvd.code, error.rcvd.reason, error.sent.code, str(error)))

    async with serve(library, handler) as server, client_of(server) as client:
        await client.close(3001, "enough")
        code, reason, sent, text = await raised
        assert (code, reason, sent) == (3001, "enough", 3001)
        assert "3001" in text
        assert "enough" in text


@in_loop
async def test_iteration_raises_when_the_connection_is_lost(library):
    raised = asyncio.get_running_loop().create_future()

    async def handler(connection):
        try:
            async for _ in connection:
                pass
        except library.exceptions.ConnectionClosedError as error:
            raised.set_result((error.rcvd, error.sent, connection.close_code))

    async with serve(library, handler) as server:
        client = await client_of(server)
        client.transport.abort()
        assert await raised == (None, None, 1006)


@in_loop
async def test_cancelling_recv_loses_nothing(library):
    got = []
    done = asyncio.Event()

    async def handler(connection):
        for _ in range(200):
            try:
                got.append(await asyncio.wait_for(connection.recv(), 0.0005))
            except asyncio.TimeoutError:
                await connection.send("more")
        async for message in connection:
            got.append(message)
        done.set()

    async with serve(library, handler) as server, client_of(server) as client:
        for number in range(300):
            await client.send(str(number))
            if number % 7 == 0:
                await asyncio.sleep(0)
        await client.close()
        await done.wait()
        assert got == [str(number) for number in range(300)]


@in_loop
async def test_two_tasks_may_not_receive_at_once(library):
    async def handler(connection):
        first = asyncio.ensure_future(connection.recv())
        await asyncio.sleep(0)
        with pytest.raises(library.exceptions.ConcurrencyError):
            await connection.recv()
        await connection.send("ready")
        await connection.send(await first)

    async with serve(library, handler) as server, client_of(server) as client:
        assert await client.recv() == "ready"
        await client.send("for the first")
        assert await client.recv() == "for the first"


@in_loop
async def test_what_came_before_the_close_is_received_after_it(library):
    go = asyncio.Event()
    got = asyncio.get_running_loop().create_future()

    async def handler(connection):
        await go.wait()
        await connection.wait_closed()
        messages = [await connection.recv(), await connection.recv()]
        with pytest.raises(library.exceptions.ConnectionClosedOK):
            await connection.recv()
        with pytest.raises(library.exceptions.ConnectionClosedOK):
            await connection.send("too late")
        got.set_result(messages)

    async with serve(library, handler) as server:
        client = await client_of(server)
        await client.send("one")
        await client.send("two")
        closing = asyncio.ensure_future(client.close())
        go.set()
        assert await got == ["one", "two"]
        await closing


@in_loop
async def test_the_server_closes_with_a_code_and_a_reason(library):
    seen = asyncio.get_running_loop().create_future()

    async def handler(connection):
        await connection.close(4000, "go away")
        await connection.close(4001, "again")
        try:
            await connection.recv()
        except library.exceptions.ConnectionClosed as error:
            seen.set_result((type(error).__name__, error.sent.code, error.rcvd_then_sent))

    async with serve(library, handler) as server, client_of(server) as client:
        await drained(client)
        assert (client.close_code, client.close_reason) == (4000, "go away")
        assert await seen == ("ConnectionClosedError", 4000, False)


@in_loop
async def test_closing_the_server_says_1001_and_waits_for_handlers(library):
    ended = []

    async def handler(connection):
        try:
            await connection.recv()
        except library.exceptions.ConnectionClosedOK:
            await asyncio.sleep(0.01)
            ended.append(connection.close_code)

    async with serve(library, handler) as server:
        clients = [await client_of(server) for _ in range(5)]
        readers = [asyncio.ensure_future(drained(client)) for client in clients]
        while len(server.connections) < 5:
            await asyncio.sleep(0)
        server.close()
        server.close()
        await server.wait_closed()
        assert ended == [1001] * 5
        assert not server.connections
        assert not server.is_serving()
        await asyncio.gather(*readers)
        assert [client.close_code for client in clients] == [1001] * 5
        assert not server.sockets


@in_loop
async def test_the_server_closes_with_another_code(library):
    async with serve(library, echo) as server, client_of(server) as client:
        while not server.connections:
            await asyncio.sleep(0)
        reader = asyncio.ensure_future(drained(client))
        server.close(code=1012, reason="back soon")
        await server.wait_closed()
        await reader
        assert (client.close_code, client.close_reason) == (1012, "back soon")


@in_loop
async def test_the_server_closes_and_lets_its_connections_end(library):
    async with serve(library, echo) as server, client_of(server) as client:
        while not server.connections:
            await asyncio.sleep(0)
        server.close(close_connections=False)
        closed = asyncio.ensure_future(server.wait_closed())
        for number in range(10):
            await client.send(str(number))
            assert await client.recv() == str(number)
        assert not closed.done()
        await client.close()
        await closed
        assert client.close_code == 1000


@in_loop
async def test_serve_forever_is_cancelled(library):
    server = await serve(library, echo)
    forever = asyncio.ensure_future(server.serve_forever())
    async with client_of(server) as client:
        await client.send("x")
        assert await client.recv() == "x"
        reader = asyncio.ensure_future(drained(client))
        forever.cancel()
        with pytest.raises(asyncio.CancelledError):
            await forever
        await reader
        assert client.close_code == 1001


@in_loop
async def test_a_large_message_closes_with_1009(library):
    async with (
        serve(library, echo, max_size=1000) as server,
        client_of(server) as client,
    ):
        await client.send("x" * 1000)
        assert await client.recv() == "x" * 1000
        await client.send("x" * 1001)
        await drained(client)
        assert client.close_code == 1009


@in_loop
async def test_a_slow_handler_pushes_back(library):
    go = asyncio.Event()
    got = []

    async def handler(connection):
        await go.wait()
        async for message in connection:
            got.append(len(message))

    async with serve(library, handler) as server:
        client = await client_of(server)
        other = await client_of(server)
        sent = 0
        with contextlib.suppress(asyncio.TimeoutError):
            while sent < 2000:
                await asyncio.wait_for(client.send(bytes(100_000)), 0.3)
                sent += 1
        assert sent < 2000
        # Others are read on.
        await asyncio.wait_for(other.send("x"), 1)
        go.set()
        await client.close()
        await other.close()
        while sum(got) < sent * 100_000:
            await asyncio.sleep(0.001)


@in_loop
async def test_a_slow_client_holds_send_back(library):
    sent = 0

    async def handler(connection):
        nonlocal sent
        for _ in range(400):
            await connection.send(bytes(100_000))
            sent += 1

    async with serve(library, handler) as server:
        client = await client_of(server, max_queue=1)
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 300
        total = sum(len(message) for message in await drained(client))
        assert total == 400 * 100_000
        assert sent == 400
        assert client.close_code == 1000


@in_loop
async def test_send_takes_text_and_bytes_and_says_them_as_told(library):
    async def handler(connection):
        await connection.send(b"as text", text=True)
        await connection.send("as bytes", text=False)
        await connection.send(memoryview(b"viewed"))
        await connection.send(bytearray(b"array"))
        for wrong in ({"a": 1}, 5, None, object()):
            with pytest.raises(TypeError):
                await connection.send(wrong)

    async with serve(library, handler) as server, client_of(server) as client:
        expected = ["as text", b"as bytes", b"viewed", b"array"]
        assert await drained(client) == expected
        assert client.close_code == 1000


@in_loop
async def test_recv_decodes_as_told(library):
    async def handler(connection):
        assert await connection.recv(decode=False) == b"text"
        assert await connection.recv(decode=True) == "binary"
        await connection.recv(decode=True)

    async with serve(library, handler) as server, client_of(server) as client:
        await client.send("text")
        await client.send(b"binary")
        await client.send(b"\xff")
        await drained(client)
        assert client.close_code == 1007


@in_loop
async def test_a_ping_measures_the_round_trip(library):
    measured = asyncio.get_running_loop().create_future()

    async def handler(connection):
        pong = await connection.ping()
        latency = await pong
        measured.set_result((latency, connection.latency))

    async with serve(library, handler) as server, client_of(server) as client:
        latency, known = await measured
        assert 0 < latency < 5
        assert known == pytest.approx(latency)
        await drained(client)


@in_loop
async def test_a_ping_that_stays_unanswered_raises(library):
    raised = asyncio.get_running_loop().create_future()
    pinged = asyncio.Event()

    async def handler(connection):
        await connection.recv()
        pong = await connection.ping()
        pinged.set()
        try:
            await pong
        except library.exceptions.ConnectionClosed:
            raised.set_result(True)

    async with serve(library, handler) as server:
        client = await client_of(server)
        client.transport.pause_reading()
        await client.send("x")
        await pinged.wait()
        client.transport.abort()
        assert await raised


@in_loop
async def test_addresses_are_told(library):
    seen = asyncio.get_running_loop().create_future()

    async def handler(connection):
        seen.set_result((connection.remote_address, connection.local_address))

    async with serve(library, handler) as server, client_of(server) as client:
        assert await seen == (client.local_address, client.remote_address)
        await drained(client)


@in_loop
async def test_a_silent_client_is_closed_by_the_keepalive(library):
    ended = asyncio.get_running_loop().create_future()

    async def handler(connection):
        try:
            await connection.recv()
        except library.exceptions.ConnectionClosedError:
            ended.set_result(True)

    options = {"ping_interval": 0.1, "ping_timeout": 0.1, "close_timeout": 0.1}
    async with serve(library, handler, **options) as server:
        client = await client_of(server, close_timeout=0.1)
        client.transport.pause_reading()
        assert await ended
        client.transport.abort()


@in_loop
async def test_a_handler_that_is_cancelled_closes_with_1011(library):
    started = asyncio.Event()
    task = None

    async def handler(connection):
        nonlocal task
        task = asyncio.current_task()
        started.set()
        await connection.recv()

    async with serve(library, handler) as server, client_of(server) as client:
        await started.wait()
        task.cancel()
        await drained(client)
        assert client.close_code == 1011


@in_loop
async def test_an_address_in_use_is_an_os_error(library):
    async with serve(library, echo) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OSError, match="ddress") as raised:
            await library.serve(echo, "127.0.0.1", port)
        assert raised.value.errno == 98
