"""The endpoints of decisions.py, as coroutines."""

import asyncio
import http
from collections.abc import Sequence
from typing import Any

import wsgate
from endpoints import ORIGINS, REJECTIONS, query, refusal, room_and_user, told_back


class Decisions:
    """What waits for a client of /decider, a name each."""

    def __init__(self) -> None:
        self.server: wsgate.asyncio.server.Server
        # The latest one of each name; its result is what was said of it.
        self.questions: dict[str, asyncio.Future[str]] = {}

    def add_routes(self, routes: wsgate.Router, options: dict[str, Any]) -> None:
        routes.add("/protocols", tell_protocol, **options, subprotocols=["two", "one"])
        routes.add("/rooms/:room/users/:user", tell_room, **options)
        routes.add("/files/*", tell_rest, **options)
        routes.add("/origins", echo, **options, origins=ORIGINS)
        routes.add("/same-host", echo, **options, same_host=True)
        deciding = options | {
            "process_request": self.decide,
            "process_response": set_cookie,
            "select_subprotocol": last,
        }
        routes.add("/decide", self.decided, **deciding)
        routes.add("/impatient", self.decided, **deciding, open_timeout=0.2)
        routes.add("/decider", self.decider, **options, gateway="deciders")

    def tell(self, text: str) -> None:
        self.server.gateway("deciders").broadcast(text)

    async def decide(
        self, connection: wsgate.Connection, request: wsgate.Request
    ) -> wsgate.Response | None:
        self.server = connection.server
        try:
            return REJECTIONS.get(await self.verdict(request))
        except asyncio.CancelledError:
            self.tell(f"gone {query(request)}")
            raise

    async def decided(self, connection: wsgate.Connection) -> None:
        name = query(connection.request)
        self.tell(f"accept {name}")
        try:
            await connection.send(f"hello {name}")
            await echo(connection)
        finally:
            await connection.wait_closed()
            self.tell(f"close {name}")

    async def decider(self, connection: wsgate.Connection) -> None:
        self.server = connection.server
        async for command in connection:
            verb, _, name = command.partition(" ")
            if self.questions[name].done():
                await connection.send(f"closed {name}")
            else:
                self.questions[name].set_result(verb)

    async def on_request(self, request: wsgate.Request) -> wsgate.Response:
        if request.path == "/api/later":
            await self.verdict(request)
        elif request.path != "/api/echo":
            return refusal(404)
        return told_back(request)

    async def verdict(self, request: wsgate.Request) -> str:
        said = asyncio.get_running_loop().create_future()
        self.questions[query(request)] = said
        self.tell(f"wait {query(request)}")
        return await said


def on_refused(request: wsgate.Request, response: wsgate.Response) -> wsgate.Response:
    return refusal(response.status_code)


def set_cookie(
    connection: wsgate.Connection, request: wsgate.Request, response: wsgate.Response
) -> None:
    if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
        response.headers["Set-Cookie"] = f"name={query(request)}"


def last(connection: wsgate.Connection, offered: Sequence[str]) -> str | None:
    return offered[-1] if offered else None


async def echo(connection: wsgate.Connection) -> None:
    async for message in connection:
        await connection.send(message)


async def tell_protocol(connection: wsgate.Connection) -> None:
    await connection.send(f"protocol {connection.subprotocol or 'none'}")
    await connection.wait_closed()


async def tell_room(connection: wsgate.Connection) -> None:
    await connection.send(room_and_user(connection.request))
    await connection.wait_closed()


async def tell_rest(connection: wsgate.Connection) -> None:
    await connection.send(f"rest {connection.request.params['*']}")
    await connection.wait_closed()
