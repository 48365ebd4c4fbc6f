"""echo.py [ADDRESS]: sends every message back, text as text and binary as binary."""

import sys

import wsgate


def on_message(client: wsgate.Client, message: str | bytes) -> None:
    client.send(message)


address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9001"
server = wsgate.Server(address)
server.endpoint("/", on_message=on_message)
server.start()
host = address.rpartition(":")[0]
print(f"listening on ws://{host}:{server.ports[0]}/", flush=True)
server.run()  # until SIGINT or SIGTERM
