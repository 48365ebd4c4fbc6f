"""callback.py MODE PORT: the server of the start scripts python-callback-MODE.sh."""

import os
import sys
from typing import Any

import conformance
import deflate
import wsgate

UNLIMITED: dict[str, Any] = {
    "max_message_size": 64 << 20,
    "max_frame_size": 64 << 20,
    "max_fragments": 1_000_000,
    "outbox_limit": (256 << 20, 30_000),
    **conformance.AT_WILL,
    **deflate.SETTINGS,
}


def add_echo(server: wsgate.Server) -> None:
    def on_message(client: wsgate.Client, message: str | bytes) -> None:
        client.send(message)

    server.endpoint("/", on_message=on_message, **UNLIMITED)


def add_broadcast(server: wsgate.Server) -> None:
    everybody = wsgate.Gateway(server)

    def on_message(client: wsgate.Client, message: str | bytes) -> None:
        everybody.broadcast(message)

    server.endpoint("/", on_message=on_message, gateway=everybody, **UNLIMITED)


MODES = {
    "echo": add_echo,
    "broadcast": add_broadcast,
    "conformance": conformance.add_endpoints,
}


def main(arguments: list[str]) -> None:
    try:
        mode, port = arguments
        add_endpoints = MODES[mode]
    except (ValueError, KeyError):
        sys.exit(f"usage: callback.py {'|'.join(MODES)} PORT")
    workers = int(os.environ.get("WORKERS", "1"))
    handlers = conformance.HANDLERS if mode == "conformance" else {}
    address = f"127.0.0.1:{port}"
    server = wsgate.Server(address, workers=workers, max_connections=0, **handlers)
    add_endpoints(server)
    server.start()
    print(f"listening on ws://127.0.0.1:{server.ports[0]}/", flush=True)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1:])
