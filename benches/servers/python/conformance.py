"""The endpoints that the conformance scenarios talk to, in every language the same."""

from functools import partial
from typing import Any

import streams
import wsgate
from decisions import Decisions, on_refused
from endpoints import room_actions

AT_WILL: dict[str, Any] = {"frame_split": 0, "heartbeat": (0, 3), "rate_limit": (0, 0)}
"""Clients say as much and as little as they like, and get what they are sent frame by frame."""


decisions = Decisions()
HANDLERS = {"on_request": decisions.on_request, "on_refused": on_refused}
"""Of the server."""


def add_endpoints(server: wsgate.Server) -> None:
    endpoint = partial(server.endpoint, **AT_WILL)
    endpoint("/echo", on_message=echo)
    endpoint("/small", on_message=echo, max_message_size=1000, max_frame_size=500, max_fragments=4)
    endpoint("/origin", on_message=echo, origins=["http://good.example"])
    endpoint("/welcome", on_accept=welcome, on_message=echo)
    endpoint("/close", on_message=close_as_told)
    endpoint("/ping", on_message=ping, on_pong=tell_pong)
    add_room(server)
    add_watched(server)
    streams.add_endpoints(server, AT_WILL)
    decisions.add_endpoints(server, AT_WILL)


def echo(client: wsgate.Client, message: str | bytes) -> None:
    client.send(message)


def welcome(client: wsgate.Client) -> None:
    words = ["welcome", client.request.target]
    if "x-test" in client.request.headers:
        words.append(client.request.headers["x-test"])
    client.send(" ".join(words))


def close_as_told(client: wsgate.Client, message: str) -> None:
    code, _, reason = message.partition(" ")
    client.close(int(code), reason)


def ping(client: wsgate.Client, message: str) -> None:
    client.ping(int(message))


def tell_pong(client: wsgate.Client, ticket: int) -> None:
    client.send(f"pong {ticket}")


def add_room(server: wsgate.Server) -> None:
    endpoint = partial(server.endpoint, **AT_WILL)
    members = wsgate.Gateway(server)

    def on_message(client: wsgate.Client, message: str | bytes) -> None:
        for action, text in room_actions(message):
            if action == "send":
                client.send(text)
            elif action == "leave":
                members.remove(client)
            elif action == "join":
                members.add(client)
            elif action == "bytes":
                members.broadcast(text.encode())
            else:
                members.broadcast(text, exclude=[client] if action == "others" else [])

    endpoint("/room", on_message=on_message, gateway=members)


def add_watched(server: wsgate.Server) -> None:
    endpoint = partial(server.endpoint, **AT_WILL)
    watchers = wsgate.Gateway(server)

    def on_accept(client: wsgate.Client) -> None:
        watchers.broadcast(f"accept {client.request.target}")

    def on_message(client: wsgate.Client, message: str | bytes) -> None:
        if isinstance(message, str) and message.startswith("bye "):
            close_as_told(client, message.removeprefix("bye "))
        else:
            client.send(message)

    def on_close(client: wsgate.Client, close: wsgate.Close) -> None:
        info = close.info
        watchers.broadcast(
            f"close {close.code} {close.cause.name.lower()} {close.clean:d} "
            f"{info.messages_in} {info.messages_out} {close.reason}"
        )

    endpoint("/watched", on_accept=on_accept, on_message=on_message, on_close=on_close)
    endpoint("/watch", gateway=watchers)
