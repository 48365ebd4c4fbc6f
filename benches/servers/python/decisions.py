"""What a server says before a connection is a client: endpoints whose clients are told how they
came in, handshakes and requests that are decided when another client says so, and the words of
refusals."""

from functools import partial
from typing import Any

import wsgate
from endpoints import ORIGINS, REJECTIONS, query, refusal, room_and_user, told_back


class Decisions:
    """What waits for a client of /decider."""

    def __init__(self) -> None:
        self.deciders: wsgate.Gateway
        # The latest one of each name.
        self.questions: dict[str, wsgate.Handshake | wsgate.HttpRequest] = {}

    def add_endpoints(self, server: wsgate.Server, settings: dict[str, Any]) -> None:
        endpoint = partial(server.endpoint, **settings)
        endpoint("/protocols", on_accept=tell_protocol, subprotocols=["two", "one"])
        endpoint(
            "/rooms/:room/users/:user",
            on_accept=lambda client: client.send(room_and_user(client.request)),
        )
        endpoint(
            "/files/*", on_accept=lambda client: client.send(f"rest {client.request.params['*']}")
        )
        endpoint("/origins", on_message=wsgate.Client.send, origins=ORIGINS)
        endpoint("/same-host", on_message=wsgate.Client.send, same_host=True)

        self.deciders = wsgate.Gateway(server)
        for path, timeout in (("/decide", None), ("/impatient", 0.2)):
            endpoint(
                path,
                on_handshake=lambda handshake: self.wait(handshake, handshake.request),
                on_handshake_gone=self.gone,
                on_accept=self.accepted,
                on_message=wsgate.Client.send,
                on_close=self.closed,
                handshake_timeout=timeout,
            )
        endpoint("/decider", on_message=self.command, gateway=self.deciders)

    def wait(
        self, question: wsgate.Handshake | wsgate.HttpRequest, request: wsgate.Request
    ) -> None:
        self.questions[query(request)] = question
        self.deciders.broadcast(f"wait {query(request)}")

    def gone(self, handshake: wsgate.Handshake, status: int) -> None:
        self.deciders.broadcast(f"gone {query(handshake.request)}")

    def accepted(self, client: wsgate.Client) -> None:
        self.deciders.broadcast(f"accept {query(client.request)}")

    def closed(self, client: wsgate.Client, close: wsgate.Close) -> None:
        self.deciders.broadcast(f"close {query(client.request)}")

    def command(self, decider: wsgate.Client, command: str) -> None:
        verb, _, name = command.partition(" ")
        question = self.questions[name]
        try:
            if isinstance(question, wsgate.HttpRequest):
                respond(question, told_back(question))
            elif verb == "accept":
                offered = question.request.subprotocols
                cookie = {"Set-Cookie": f"name={name}"}
                client = question.accept(offered[-1] if offered else None, cookie)
                # It is no client yet, and gets this first all the same.
                client.send(f"hello {name}")
            else:
                response = REJECTIONS[verb]
                question.reject(response.status_code, response.body, response.headers)
        except wsgate.ConnectionClosed:
            decider.send(f"closed {name}")

    def on_request(self, request: wsgate.HttpRequest) -> None:
        if request.path == "/api/later":
            self.wait(request, request)
        else:
            respond(request, told_back(request) if request.path == "/api/echo" else refusal(404))


def on_refused(request: wsgate.HttpRequest) -> None:
    respond(request, refusal(request.refused or 500))


def tell_protocol(client: wsgate.Client) -> None:
    client.send(f"protocol {client.request.subprotocol or 'none'}")


def respond(request: wsgate.HttpRequest, response: wsgate.Response) -> None:
    request.respond(response.status_code, response.body, response.headers)
