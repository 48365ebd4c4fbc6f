"""chat.py [ADDRESS [PUBLIC_DIR]]: a room for everybody who opens the page, with names.

People connect to /chat?name=NAME and say plain text; the server sends JSON:
  {"type":"welcome","name":NAME,"people":[NAME,...]}   to the newcomer
  {"type":"join","name":NAME}                          to the others
  {"type":"say","name":NAME,"text":TEXT}               to all
  {"type":"leave","name":NAME}                         to all who are left

Pages may connect from http://127.0.0.1:PORT and http://localhost:PORT. ORIGINS in the environment,
a list with commas, replaces these two; ORIGINS=* lets any page in.
"""

import os
import sys
import unicodedata
from pathlib import Path
from urllib.parse import unquote_to_bytes

import wsgate

# What JSON demands and no more, so that the bytes are those of the other languages' chats; json.dumps
# has short forms.
ESCAPES = {ord('"'): '\\"', ord("\\"): "\\\\"} | {c: f"\\u{c:04x}" for c in range(0x20)}


def json(value: str | list[str]) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(json, value))}]"
    return f'"{value.translate(ESCAPES)}"'


def about(kind: str, name: str, **more: str | list[str]) -> str:
    members = {"type": kind, "name": name, **more}
    return "{" + ",".join(f'"{key}":{json(value)}' for key, value in members.items()) + "}"


def name_of(request: wsgate.Request) -> str:
    """The first 32 characters that are not controls; empty if it is not UTF-8."""
    for field in request.target.partition("?")[2].split("&"):
        if field.startswith("name="):
            encoded = field.removeprefix("name=").encode("utf-8", "surrogateescape")
            try:
                name = unquote_to_bytes(encoded).decode()
            except UnicodeDecodeError:
                return ""
            return "".join(c for c in name if unicodedata.category(c) != "Cc")[:32]
    return ""


class Room:
    def __init__(self, server: wsgate.Server) -> None:
        self.gateway = wsgate.Gateway(server)
        self.names: dict[wsgate.Client, str] = {}  # in order of arrival
        self.guests = 0

    def enter(self, client: wsgate.Client) -> None:
        name = name_of(client.request)
        if not name:
            self.guests += 1
            name = f"guest-{self.guests}"
        self.names[client] = name
        client.send(about("welcome", name, people=list(self.names.values())))
        # Enters the gateway last: nothing that others say overtakes the welcome, and the join is
        # not for itself.
        self.gateway.broadcast(about("join", name))
        self.gateway.add(client)

    def say(self, client: wsgate.Client, message: str | bytes) -> None:
        if isinstance(message, bytes):
            client.close(1003, "text only")
        elif message:
            self.gateway.broadcast(about("say", self.names[client], text=message))

    def leave(self, client: wsgate.Client, close: wsgate.Close) -> None:
        self.gateway.broadcast(about("leave", self.names.pop(client)))


def origins(port: str) -> list[str]:
    given = os.environ.get("ORIGINS")
    if given is None:
        return [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
    return [] if given == "*" else [origin for origin in given.split(",") if origin]


def main(
    address: str = "127.0.0.1:8080",
    public: str = str(Path(__file__).parent.parent / "public"),
) -> None:
    host, _, port = address.rpartition(":")
    server = wsgate.Server(address, directory=public)
    room = Room(server)
    server.endpoint(
        "/chat",
        on_accept=room.enter,
        on_message=room.say,
        on_close=room.leave,
        origins=origins(port),
        max_message_size=2000,
    )
    server.start()
    print(f"listening on http://{host}:{server.ports[0]}/", flush=True)
    server.run()  # until SIGINT or SIGTERM


if __name__ == "__main__":
    main(*sys.argv[1:])
