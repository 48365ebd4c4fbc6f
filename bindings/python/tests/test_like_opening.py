"""The opening handshake: where `serve` has websockets' names it has websockets' meaning."""

from __future__ import annotations

import asyncio
import http
import re

import pytest
from libraries import serve
from loops import client_of, in_loop
from websockets.exceptions import InvalidStatus


async def echo(connection):
    async for message in connection:
        await connection.send(message)


@pytest.mark.parametrize("kind", ["function", "coroutine"])
@in_loop
async def test_process_request_refuses(library, kind):
    def decide(connection, request):
        assert request.path.startswith("/")
        if request.headers["X-Token"] == "good":
            connection.user = "ada"
            return None
        response = connection.respond(http.HTTPStatus.UNAUTHORIZED, "who are you?\n")
        response.headers["WWW-Authenticate"] = 'Basic realm="here"'
        return response

    async def decide_later(connection, request):
        await asyncio.sleep(0.001)
        return decide(connection, request)

    async def handler(connection):
        await connection.send(connection.user)

    decision = decide if kind == "function" else decide_later
    async with serve(library, handler, process_request=decision) as server:
        with pytest.raises(InvalidStatus) as refused:
            await client_of(server, additional_headers={"X-Token": "bad"})
        response = refused.value.response
        assert response.status_code == 401
        assert response.body == b"who are you?\n"
        assert response.headers["WWW-Authenticate"] == 'Basic realm="here"'
        async with client_of(server, additional_headers={"x-token": "good"}) as client:
            assert await client.recv() == "ada"


@in_loop
async def test_process_request_that_raises_answers_500(library, caplog):
    def process_request(connection, request):
        raise ZeroDivisionError

    async with serve(library, echo, process_request=process_request) as server:
        with pytest.raises(InvalidStatus) as refused:
            await client_of(server)
        assert refused.value.response.status_code == 500
    assert any(record.exc_info[0] is ZeroDivisionError for record in caplog.records)


@in_loop
async def test_process_request_answers_what_is_no_handshake(library):
    def process_request(connection, request):
        if request.path == "/healthz":
            return connection.respond(http.HTTPStatus.OK, "OK\n")
        return None

    async with serve(library, echo, process_request=process_request) as server:
        port = server.sockets[0].getsockname()[1]
        for path, status in (("/healthz", b"200"), ("/other", b"426")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 " + status)
            writer.close()
            await writer.wait_closed()


@in_loop
async def test_process_response_adds_headers(library):
    async def process_response(connection, request, response):
        assert response.status_code == 101
        response.headers["Set-Cookie"] = "a=1"
        response.headers["Set-Cookie"] = "b=2"

    async with (
        serve(library, echo, process_response=process_response, server_header="mine") as server,
        client_of(server) as client,
    ):
        assert client.response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert client.response.headers["Server"] == "mine"
        await client.send("x")
        assert await client.recv() == "x"


@in_loop
async def test_origins_are_checked(library):
    origins = ["https://good.example", re.compile(r"https://.*\.tree\.example"), None]
    async with serve(library, echo, origins=origins) as server:
        for origin in ("https://good.example", "https://a.tree.example", None):
            async with client_of(server, origin=origin) as client:
                await client.send("x")
                assert await client.recv() == "x"
        for origin in ("https://bad.example", "https://tree.example.bad.example"):
            with pytest.raises(InvalidStatus) as refused:
                await client_of(server, origin=origin)
            assert refused.value.response.status_code == 403


@in_loop
async def test_subprotocols_are_agreed_on_in_the_servers_order(library):
    async def handler(connection):
        await connection.send(str(connection.subprotocol))

    async with (
        serve(library, handler, subprotocols=["a", "b"]) as server,
        client_of(server, subprotocols=["b", "c", "a"]) as client,
    ):
        assert client.subprotocol == "a"
        assert await client.recv() == "a"


@in_loop
async def test_a_subprotocol_is_selected(library):
    def select(connection, offered):
        return "c" if "c" in offered else None

    options = {"subprotocols": ["a", "c"], "select_subprotocol": select}
    async with serve(library, echo, **options) as server:
        async with client_of(server, subprotocols=["a", "c"]) as client:
            assert client.subprotocol == "c"
        async with client_of(server, subprotocols=["a"]) as client:
            assert client.subprotocol is None
