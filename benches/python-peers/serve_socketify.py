"""socketify: uWebSockets by cffi."""

import os

from socketify import App, CompressOptions, OpCode, WebSocket

# Its compressor that all clients share.
COMPRESSION = CompressOptions.SHARED_COMPRESSOR if os.environ.get("DEFLATE") else CompressOptions.DISABLED


def run(mode: str, port: int) -> None:
    app = App()

    def echo(connection: WebSocket, message: str | bytes, opcode: OpCode) -> None:
        connection.send(message, opcode, COMPRESSION != CompressOptions.DISABLED)

    def to_all(connection: WebSocket, message: str | bytes, opcode: OpCode) -> None:
        app.publish("everybody", message, opcode, COMPRESSION != CompressOptions.DISABLED)

    def join(connection: WebSocket) -> None:
        if mode != "echo":
            connection.subscribe("everybody")

    app.ws(
        "/",
        {
            "compression": COMPRESSION,
            "max_payload_length": 64 << 20,
            "max_backpressure": 256 << 20,
            "idle_timeout": 0,
            "open": join,
            "message": echo if mode == "echo" else to_all,
        },
    )
    app.listen({"port": port, "host": "127.0.0.1"}, lambda config: None)
    app.run()
