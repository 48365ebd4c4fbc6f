"""Messages in pieces, sent and received as they come; on both libraries where they agree."""

from __future__ import annotations

import asyncio

import pytest
from libraries import serve
from loops import client_of, drained, in_loop

import wsgate


async def pieces_of(connection, **options):
    return [piece async for piece in connection.recv_streaming(**options)]


@in_loop
async def test_pieces_are_frames(library):
    async def later(*pieces):
        for piece in pieces:
            await asyncio.sleep(0)
            yield piece

    async def handler(connection):
        await connection.send(["a", "é", "c"])
        await connection.send(later(b"d", bytearray(b"e")))
        await connection.send(iter(["f"]))
        await connection.send([b"as ", b"text"], text=True)
        await connection.send(["as ", "bytes"], text=False)
        await connection.send([])
        await connection.send("whole")

    async with serve(library, handler) as server, client_of(server) as client:
        assert await pieces_of(client) == ["a", "é", "c", ""]
        assert await pieces_of(client) == [b"d", b"e", b""]
        assert await pieces_of(client) == ["f", ""]
        assert await pieces_of(client) == ["as ", "text", ""]
        assert await pieces_of(client) == [b"as ", b"bytes", b""]
        assert await drained(client) == ["whole"]
        assert client.close_code == 1000


@in_loop
async def test_a_piece_is_received_before_the_next_is_sent(library):
    arrived = asyncio.Event()
    received = asyncio.get_running_loop().create_future()

    async def handler(connection):
        pieces = []
        async for piece in connection.recv_streaming():
            pieces.append(piece)
            arrived.set()
        received.set_result((pieces[0], "".join(pieces), await connection.recv()))

    async def slowly():
        yield "one "
        await arrived.wait()
        yield "two"

    async with serve(library, handler, streaming=True) as server, client_of(server) as client:
        await client.send(slowly())
        await client.send("next")
        assert await received == ("one ", "one two", "next")


@in_loop
async def test_a_message_in_pieces_is_received_as_one(library):
    received = []

    async def handler(connection):
        received.append(await connection.recv())
        received.append(await connection.recv(decode=False))
        async for message in connection:
            received.append(message)

    async with serve(library, handler, streaming=True, max_size=2**24) as server:
        async with client_of(server) as client:
            for message in (["a", "é" * 50_000, "c"], ["d", "e"], [bytes(70_000)] * 100, ["f"]):
                await client.send(message)
        server.close()
        await server.wait_closed()
    assert received == ["a" + "é" * 50_000 + "c", b"de", bytes(7_000_000), "f"]


@in_loop
async def test_cancelling_recv_within_a_message_loses_nothing(library):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly():
        yield "one "
        begun.set()
        await go_on.wait()
        yield "two"

    async def handler(connection):
        for _ in range(3):
            receiving = asyncio.create_task(connection.recv())
            await begun.wait()
            await connection.send("pieces are under way")
            await asyncio.sleep(0)
            receiving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await receiving
        go_on.set()
        await connection.send(await connection.recv())

    async with serve(library, handler, streaming=True) as server, client_of(server) as client:
        await client.send(slowly())
        assert (await drained(client))[3:] == ["one two"]


@in_loop
async def test_pieces_are_decoded_as_told(library):
    received = []

    async def handler(connection):
        received.append(b"".join(await pieces_of(connection, decode=False)))
        received.append("".join(await pieces_of(connection)))
        received.append("".join(await pieces_of(connection, decode=True)))
        received.append(await pieces_of(connection))
        await pieces_of(connection, decode=True)

    async with serve(library, handler, streaming=True) as server, client_of(server) as client:
        await client.send(["h", "é"])
        await client.send([b"\xc3", b"\xa9\xf0\x9f", b"\xa6\x80"], text=True)
        await client.send([b"\xc3", b"\xa9"])
        await client.send("")
        await client.send([b"\xff", b"x"])
        await drained(client)
        assert client.close_code == 1007
    assert received == ["hé".encode(), "é🦀", "é", [""]]


@in_loop
async def test_who_leaves_a_message_in_the_middle_can_not_receive(library):
    outcome = asyncio.get_running_loop().create_future()

    async def handler(connection):
        async for _ in connection.recv_streaming():
            break
        try:
            await connection.recv()
        except Exception as error:
            outcome.set_result(error)

    async with serve(library, handler, streaming=True) as server, client_of(server) as client:

        async def endless():
            while not outcome.done():
                yield "piece"
                await asyncio.sleep(0)

        await client.send(endless())
        assert isinstance(await outcome, library.exceptions.ConcurrencyError)


@in_loop
async def test_a_connection_that_ends_within_a_message_raises(library):
    received = []

    async def handler(connection):
        try:
            async for piece in connection.recv_streaming():
                received.append(piece)
        except library.exceptions.ConnectionClosedError as error:
            received.append(error.rcvd)

    async with serve(library, handler, streaming=True) as server, client_of(server) as client:

        async def broken():
            yield "piece"
            while not received:
                await asyncio.sleep(0)
            client.transport.abort()
            await asyncio.sleep(0)
            yield "lost"

        with pytest.raises(Exception, match="no close frame"):
            await client.send(broken())
    assert received == ["piece", None]


@pytest.mark.parametrize("kind", ["raises", "is closed", "mixes", "starts wrong"])
@in_loop
async def test_pieces_that_can_not_go_on_close_with_1011(library, kind):
    raised = asyncio.get_running_loop().create_future()
    closed = (-2, "closed") if library.exceptions is wsgate else (None, None)
    errors = {"raises": KeyError, "is closed": library.exceptions.ConnectionClosedOK}

    async def pieces():
        yield "first" if kind != "starts wrong" else 5
        if kind == "raises":
            raise KeyError("second")
        if kind == "is closed":
            # As of another connection, whose messages are passed on.
            raise library.exceptions.ConnectionClosedOK(*closed)
        yield b"second"

    async def handler(connection):
        try:
            await connection.send(pieces())
        except Exception as error:
            raised.set_result(type(error))

    async with serve(library, handler) as server, client_of(server) as client:
        assert await raised is errors.get(kind, TypeError)
        await drained(client)
        assert client.close_code == 1011


@in_loop
async def test_other_sends_wait_until_the_last_piece_is_out(library):
    async def handler(connection):
        between = []

        async def pieces():
            yield "one "
            between.append(asyncio.create_task(connection.send("between")))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            yield "two"

        await connection.send(pieces())
        await asyncio.gather(*between)

    async with serve(library, handler) as server, client_of(server) as client:
        assert await drained(client) == ["one two", "between"]


@in_loop
async def test_a_slow_client_holds_pieces_back(library):
    made = 0

    async def pieces():
        nonlocal made
        for _ in range(2000):
            made += 1
            yield bytes(30_000)

    async def handler(connection):
        await connection.send(pieces())

    serving = serve(library, handler, write_limit=2**17)
    async with serving as server, client_of(server, max_queue=1) as client:
        async for piece in client.recv_streaming():
            assert piece == bytes(30_000)
            break
        # What the kernel takes, and both ends, is far from all.
        assert made < 1900


@in_loop
async def test_a_cancelled_send_of_pieces_closes_with_1011():
    async def handler(connection):
        async def pieces():
            yield "first"
            await asyncio.Event().wait()

        sending = asyncio.create_task(connection.send(pieces()))
        assert await connection.recv() == "cancel"
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        with pytest.raises(wsgate.ConnectionClosedError):
            await connection.send("more")

    async with wsgate.serve(handler, "127.0.0.1", 0) as server, client_of(server) as client:
        async for piece in client.recv_streaming():
            assert piece == "first"
            await client.send("cancel")
            break
        await client.wait_closed()
        assert client.close_code == 1011


@in_loop
async def test_pieces_that_stay_away_close_with_1011():
    async def handler(connection):
        async def pieces():
            yield "first"
            await connection.wait_closed()
            yield "second"

        with pytest.raises(wsgate.ConnectionClosedError) as caught:
            await connection.send(pieces())
        assert caught.value.sent.code == 1011

    serving = wsgate.serve(handler, "127.0.0.1", 0, stream_timeout=0.05)
    async with serving as server, client_of(server) as client:
        with pytest.raises(Exception, match="1011"):
            await client.recv()


@pytest.mark.parametrize("max_queue", [1, 16, None])
@in_loop
async def test_a_message_longer_than_the_window_arrives_either_way(max_queue):
    size = 5_000_000

    async def handler(connection):
        assert sum(map(len, await pieces_of(connection))) == size
        assert len(await connection.recv()) == size
        assert await connection.recv() == "é"
        assert sum(map(len, await pieces_of(connection))) == size
        await connection.send("all")

    serving = wsgate.serve(
        handler, "127.0.0.1", 0, streaming=True, max_queue=max_queue, max_size=2**24
    )
    async with serving as server, client_of(server) as client:
        await client.send(bytes(size))
        await client.send([bytes(1_000_000)] * 5)
        await client.send("é")
        await client.send(bytes(size))
        assert await client.recv() == "all"


@in_loop
async def test_the_rest_of_a_message_is_discarded():
    async def handler(connection):
        for _ in range(20):
            async for piece in connection.recv_streaming():
                assert piece
                connection.discard()
        assert await connection.recv() == "short"
        connection.discard()
        assert await connection.recv() == "last"

    serving = wsgate.serve(handler, "127.0.0.1", 0, streaming=True, max_size=2**24, max_queue=2)
    async with serving as server, client_of(server) as client:
        for _ in range(20):
            await client.send([bytes(1_000_000)] * 3)
        await client.send("short")
        await client.send("last")
        await drained(client)
        assert client.close_code == 1000


@in_loop
async def test_the_window_holds_a_sender_back():
    held = asyncio.Event()

    async def handler(connection):
        async for _ in connection.recv_streaming():
            # Nothing is received meanwhile: what comes waits in the sockets.
            await held.wait()

    serving = wsgate.serve(handler, "127.0.0.1", 0, streaming=True, max_size=2**26)
    async with serving as server, client_of(server) as client:
        made = 0

        async def pieces():
            nonlocal made
            for _ in range(500):
                made += 1
                yield bytes(100_000)

        sending = asyncio.create_task(client.send(pieces()))
        before = -1
        while before != made or made == 0:
            before = made
            await asyncio.sleep(0.2)
        assert made < 400
        held.set()
        await sending
        await drained(client)
        assert client.close_code == 1000
