"""The asyncio layer where it is wsgate's own: gateways, routes, requests, limits."""

from __future__ import annotations

import asyncio
import logging
import re
import socket

import pytest
from loops import client_of, drained, in_loop
from websockets.asyncio.client import unix_connect
from websockets.exceptions import InvalidStatus

import wsgate


async def echo(connection):
    async for message in connection:
        await connection.send(message)


def serve(handler, **options):
    return wsgate.serve(handler, "127.0.0.1", 0, **options)


async def members(room, count):
    while len(room) < count:
        await asyncio.sleep(0.001)


@in_loop
async def test_a_broadcast_tells_its_outcome():
    async with serve(echo, gateway="room") as server:
        room = server.gateway("room")
        clients = [await client_of(server) for _ in range(3)]
        await members(room, 3)
        one, two, three = room
        outcome = await room.broadcast("to all")
        assert (outcome.delivered, outcome.failed, outcome.failed_ids) == (3, 0, ())
        outcome = await room.broadcast("to two", exclude=[one])
        assert outcome.delivered == 2
        gone = two.id
        await two.close()
        outcome = await room.multicast("to one and a half", [gone, three])
        assert (outcome.delivered, outcome.failed, outcome.failed_ids) == (1, 1, (gone,))
        outcome = room.send("to one", three.id)
        assert not outcome.done
        assert (await outcome) is (await outcome)
        assert outcome.delivered == 1
        room.broadcast(b"ignored")
        server.close()
        await server.wait_closed()
        got = [await drained(client) for client in clients]
        assert sorted(len(messages) for messages in got) == [2, 2, 5]
        assert ["to all", "to two", "to one and a half", "to one", b"ignored"] in got


@in_loop
async def test_an_outcome_that_never_comes_raises():
    async with serve(echo) as server:
        room = wsgate.Gateway(server)
        room.free()
        with pytest.raises(wsgate.ConnectionClosed):
            room.broadcast("x")
        other = wsgate.Gateway(server)
        waiting = asyncio.ensure_future(gathered(other.broadcast("x")))
    # The server is gone: what was asked has been told.
    assert (await waiting).delivered == 0


async def gathered(outcome):
    return await outcome


@in_loop
async def test_gateways_are_found_by_name_and_tell_their_members():
    async with serve(echo, gateway="lobby") as server:
        lobby = server.gateway("lobby")
        assert lobby is server.gateway("lobby")
        assert lobby.name == "lobby"
        assert wsgate.Gateway.find(server, "nowhere") is None
        assert wsgate.Gateway(server).name is None
        async with client_of(server), client_of(server):
            await members(lobby, 2)
            one, two = lobby
            assert one in lobby
            assert {one, two} == server.connections
            lobby.remove(one)
            while len(lobby) > 1:
                await asyncio.sleep(0.001)
            assert list(lobby) == [two]
            assert one not in lobby


@in_loop
async def test_a_router_serves_several_paths():
    router = wsgate.Router()

    @router.route("/rooms/:room/:who", max_size=10)
    async def in_room(connection):
        params = connection.request.params
        await connection.send(f"{params['who']} in {params['room']}")
        await echo(connection)

    router.add("/files/*", echo)
    with pytest.raises(TypeError, match="max_sized"):
        router.add("/", echo, max_sized=5)
    async with serve(router) as server:
        async with client_of(server, "/rooms/r%C3%A9d/ada") as client:
            assert await client.recv() == "ada in réd"
            await client.send("x" * 11)
            await drained(client)
            assert client.close_code == 1009
        async with client_of(server, "/files/a/b") as client:
            await client.send("x" * 11)
            assert await client.recv() == "x" * 11
        with pytest.raises(InvalidStatus) as refused:
            await client_of(server, "/rooms")
        assert refused.value.response.status_code == 404


async def asked(server, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request.encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.decode().partition("\r\n\r\n")
    return head.split(" ")[1], head.lower(), body


@in_loop
async def test_plain_requests_are_answered():
    router = wsgate.Router()
    router.add("/ws", echo)

    async def on_request(request):
        await asyncio.sleep(0)
        if request.path == "/fail":
            raise ZeroDivisionError
        return wsgate.Response.json(
            201, [request.method, request.query, request.body.decode()], {"X-Here": "yes"}
        )

    async with serve(router, on_request=on_request) as server:
        status, head, body = await asked(
            server,
            "POST /say?a=1 HTTP/1.1\r\nHost: x\r\n"
            "Content-Length: 5\r\nConnection: close\r\n\r\nhello",
        )
        assert (status, body) == ("201", '["POST", {"a": ["1"]}, "hello"]')
        assert "content-type: application/json\r\n" in head
        assert "x-here: yes" in head
        status, _, _ = await asked(
            server, "GET /fail HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        assert status == "500"


@in_loop
async def test_refusals_are_worded_by_the_application():
    async def on_refused(request, response):
        await asyncio.sleep(0)
        if request.path == "/plain":
            return None
        return wsgate.Response.json(response.status_code, {"refused": response.status_code})

    router = wsgate.Router()
    router.add("/ws", echo)
    router.add("/trees", echo, origins=[re.compile(r"https://.*\.tree\.example")])
    upgrade = (
        "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    async with serve(router, on_refused=on_refused) as server:
        for target, headers, told in (
            ("/ws", "Connection: close\r\n", ("426", '{"refused": 426}')),
            ("/nothing", "Connection: close\r\n", ("404", '{"refused": 404}')),
            ("/plain", "Connection: close\r\n", ("404", "Not Found")),
            ("/trees", upgrade + "Origin: https://bad.example\r\n", ("403", '{"refused": 403}')),
        ):
            status, head, body = await asked(
                server, f"GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n"
            )
            assert (status, body) == told
            assert ("upgrade: websocket" in head) == (status == "426")


@in_loop
async def test_pages_of_the_servers_own_host_are_let_in():
    async with serve(echo, origins=["https://good.example"], same_host=True) as server:
        for origin in ("https://good.example", f"http://127.0.0.1:{server.port}"):
            async with client_of(server, origin=origin) as client:
                await client.send("x")
                assert await client.recv() == "x"
        with pytest.raises(InvalidStatus):
            await client_of(server, origin="http://127.0.0.1")
    with pytest.raises(ValueError, match="same_host"):
        serve(echo, origins=[re.compile("x")], same_host=True)


@in_loop
async def test_a_handshake_whose_client_leaves_is_cancelled():
    cancelled = asyncio.Event()
    begun = asyncio.Event()

    async def process_request(connection, request):
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serve(echo, process_request=process_request) as server:
        opening = asyncio.ensure_future(client_of(server).__aenter__())
        await begun.wait()
        opening.cancel()
        await cancelled.wait()


@in_loop
async def test_an_undecided_handshake_is_refused_in_time():
    async def process_request(connection, request):
        await asyncio.sleep(60)

    async with serve(echo, process_request=process_request, open_timeout=0.1) as server:
        with pytest.raises(InvalidStatus) as refused:
            await client_of(server)
        assert refused.value.response.status_code == 503


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"compression": "zip"}, ValueError, "compression"),
        ({"compression": wsgate.Compression(level=10)}, ValueError, "compression"),
        ({"ssl": True}, ValueError, "TLS"),
        ({"backlog": 5}, ValueError, "backlog"),
        ({"create_connection": object}, ValueError, "create_connection"),
        ({"no_such": 1}, TypeError, "no_such"),
        ({"origins": "https://a.example"}, TypeError, "origins"),
        ({"origins": ["nowhere"]}, ValueError, "origin"),
        ({"max_size": 0}, ValueError, "message"),
        ({"max_size": -1}, ValueError, "max_message_size"),
        ({"max_queue": (16, 4)}, TypeError, "max_queue"),
        ({"max_queue": 0}, TypeError, "max_queue"),
        ({"write_limit": (1, 2)}, TypeError, "write_limit"),
        ({"ping_interval": 0}, ValueError, "ping_interval"),
        ({"close_timeout": -1}, ValueError, "close_timeout"),
        ({"process_request": 5}, TypeError, "process_request"),
        ({"on_request": 5}, TypeError, "on_request"),
        ({"on_refused": 5}, TypeError, "on_refused"),
        ({"origins": [5]}, TypeError, "origin"),
        ({"subprotocols": [5]}, TypeError, "subprotocols must be a str, not 5"),
        ({"server_header": 5}, TypeError, "server_header"),
        ({"server_header": "a\r\nb: c"}, TypeError, "server_header"),
        ({"ping_interval": "20"}, TypeError, "ping_interval"),
        ({"ping_timeout": "20"}, TypeError, "ping_timeout"),
        ({"close_timeout": "10"}, TypeError, "close_timeout"),
        ({"open_timeout": -1}, ValueError, "open_timeout"),
        ({"rate_limit": 5}, TypeError, "rate_limit must be a pair"),
        ({"gateway": 5}, TypeError, "name must be a str, not 5"),
        ({"workers": "many"}, TypeError, "workers"),
    ],
)
def test_a_bad_option_is_named(options, error, word):
    with pytest.raises(error, match=word):
        serve(echo, **options)


@pytest.mark.parametrize("handler", [None, 5, "echo"])
def test_a_handler_can_be_called(handler):
    with pytest.raises(TypeError, match=f"coroutine function, not {handler!r}"):
        serve(handler)
    router = wsgate.Router()
    router.add("/", handler)
    with pytest.raises(TypeError, match=f"coroutine function, not {handler!r}"):
        serve(router)


@pytest.mark.parametrize("port", [70_000, -1])
def test_a_port_is_not_cut_to_size(port):
    with pytest.raises(ValueError, match=f"port must be from 0 to 65535, not {port}"):
        wsgate.serve(echo, "127.0.0.1", port)


@in_loop
async def test_a_closed_server_does_not_start_again():
    async with serve(echo) as server:
        pass
    for start in (server.start_serving, server.serve_forever, server.__aenter__):
        with pytest.raises(RuntimeError, match="the server is closed"):
            await start()


@in_loop
async def test_options_that_are_not_set_may_be_none():
    async with serve(
        echo,
        ssl=None,
        sock=None,
        compression=None,
        max_size=None,
        max_queue=None,
        open_timeout=None,
        close_timeout=None,
        ping_interval=None,
        ping_timeout=None,
    ) as server:
        async with client_of(server) as client:
            await client.send("x" * (2 << 20))
            assert len(await client.recv()) == 2 << 20
        server.close()
        await server.wait_closed()


@in_loop
async def test_a_name_stands_for_its_addresses():
    async with wsgate.serve(echo, "localhost", 0) as server:
        assert "127.0.0.1" in [host for host, _ in server.sockets]
        assert all(socket.getsockname()[1] > 0 for socket in server.sockets)


@in_loop
async def test_counters_are_told_while_it_is_open_and_after():
    told = asyncio.get_running_loop().create_future()

    async def handler(connection):
        await connection.recv()
        before = connection.info
        await connection.close()
        told.set_result((before, connection.info, connection.ended))

    async with serve(handler) as server, client_of(server) as client:
        await accepted(server)
        assert server.info.clients == 1
        await client.send("x")
        before, after, ended = await told
        assert (before.messages_in, after.messages_in) == (1, 1)
        assert before.closed_ns == 0 < after.closed_ns
        assert (ended.code, ended.cause) == (1000, wsgate.CloseCause.APPLICATION)


@in_loop
async def test_a_turn_sends_more_than_one_flush_holds():
    async def handler(connection):
        for number in range(5000):
            await connection.send(str(number))

    async with serve(handler) as server, client_of(server) as client:
        assert await drained(client) == [str(number) for number in range(5000)]


@in_loop
async def test_a_small_window_lets_every_message_through():
    got = []

    async def handler(connection):
        async for message in connection:
            if len(got) % 50 == 0:
                await asyncio.sleep(0.001)
            got.append(message)

    for size in (1, 2, 3, 16):
        got.clear()
        async with serve(handler, max_queue=size) as server:
            async with client_of(server) as client:
                for number in range(500):
                    await client.send(str(number))
            server.close()
            await server.wait_closed()
        assert got == [str(number) for number in range(500)]


@in_loop
async def test_a_handler_whose_client_has_left_fails_quietly(caplog):
    async def handler(connection):
        await connection.wait_closed()
        await connection.send("nobody hears it")

    caplog.set_level(logging.INFO)
    async with serve(handler) as server:
        async with client_of(server):
            pass
        server.close()
        await server.wait_closed()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@in_loop
async def test_the_slow_are_dropped_or_closed_as_asked():
    policy = wsgate.SlowConsumer.DROP_NEWEST
    options = {"gateway": "room", "write_limit": 100_000, "slow_consumer": policy}
    async with serve(echo, **options) as server:
        room = server.gateway("room")
        client = await client_of(server, max_queue=1)
        client.transport.pause_reading()
        await members(room, 1)
        (connection,) = room
        for _ in range(200):
            room.broadcast(bytes(50_000))
        while connection.info.dropped == 0:
            await asyncio.sleep(0.001)
        outcome = await room.broadcast(bytes(50_000))
        assert (outcome.delivered, outcome.failed_ids) == (0, (connection.id,))
        client.transport.abort()


@in_loop
async def test_it_listens_on_a_socket_that_it_is_given():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        async with wsgate.serve(echo, sock=sock) as server:
            assert server.port == sock.getsockname()[1]
            async with client_of(server) as client:
                await client.send("x")
                assert await client.recv() == "x"


@in_loop
async def test_it_listens_on_a_unix_socket(tmp_path):
    path = tmp_path / "socket"
    async with wsgate.unix_serve(echo, path, unix_mode=0o600) as server:
        assert server.sockets[0].getsockname() == str(path)
        assert path.stat().st_mode & 0o777 == 0o600
        async with unix_connect(str(path), "ws://localhost/") as client:
            (connection,) = await accepted(server)
            assert isinstance(connection.remote_address, tuple)
            await client.send("x")
            assert await client.recv() == "x"
    assert not path.exists()


async def accepted(server):
    while not server.connections:
        await asyncio.sleep(0.001)
    return server.connections


@pytest.mark.parametrize("compression", ["deflate", wsgate.Compression(level=1, threshold=0)])
@in_loop
async def test_messages_are_compressed_for_clients_that_offer_it(compression):
    async with (
        serve(echo, compression=compression) as server,
        client_of(server, compression="deflate") as client,
        client_of(server) as other,
    ):
        for one in (client, other):
            await one.send("x" * 10_000)
            assert await one.recv() == "x" * 10_000
        sent = {c.compressed: c.info.bytes_out for c in server.connections}
        assert sent[True] < 2000 < 10_000 < sent[False]


@in_loop
async def test_connections_are_limited():
    async with serve(echo, max_connections=1) as server, client_of(server):
        await accepted(server)
        with pytest.raises(InvalidStatus) as refused:
            await client_of(server)
        assert refused.value.response.status_code == 503
        assert server.info.connections_refused == 1
