"""What the conformance servers of both layers say: the endpoints differ by the layer, their words
do not."""

from collections.abc import Iterator

import wsgate

ORIGINS = ["https://one.example", "*.many.example", "https://*.safe.example"]
"""Of /origins."""

def response(status: int, body: bytes, *headers: tuple[str, str]) -> wsgate.Response:
    return wsgate.Response(status, headers=wsgate.Headers(headers), body=body)


JSON = ("Content-Type", "application/json")

REJECTIONS = {
    "login": response(
        401,
        b'{"error":"log in first"}',
        JSON,
        ("WWW-Authenticate", 'Bearer realm="conformance"'),
    ),
    "redirect": response(302, b"", ("Location", "/echo")),
}
"""What a decider may have a handshake answered with."""


def room_actions(command: str | bytes) -> Iterator[tuple[str, str]]:
    """What a command of /room does: ``send`` to who gave it, ``all``, ``others`` and ``bytes`` to
    the room, ``leave`` and ``join``; each with its text."""
    verb, _, rest = command.partition(" ") if isinstance(command, str) else ("", "", "")
    if verb in ("all", "others", "bytes"):
        yield verb, rest
    elif verb == "order":
        for i in range(1, int(rest) + 1):
            yield "send", f"d {i}"
            yield "all", f"b {i}"
    elif verb in ("leave", "join"):
        yield verb, ""
        yield "send", {"leave": "left", "join": "joined"}[verb]
    else:
        yield "send", "what?"


def query(request: wsgate.Request) -> str:
    """The query as it was sent."""
    return request.target.partition("?")[2]


def room_and_user(request: wsgate.Request) -> str:
    room, user = request.params["room"], request.params["user"]
    return f"room {room} user {user} query {query(request)}"


def refusal(status: int) -> wsgate.Response:
    """The words of a refusal."""
    return response(status, b'{"refused":%d}' % status, JSON)


def told_back(request: wsgate.Request) -> wsgate.Response:
    """The answer to a plain request that tells what it was asked."""
    head = f"{request.method} {request.target}\n"
    return response(200, head.encode() + request.body, ("Content-Type", "text/plain"))
