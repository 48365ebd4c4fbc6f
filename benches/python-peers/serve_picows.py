"""picows on uvloop, with the transport's own buffering."""

import asyncio

import picows
import uvloop

clients: set[picows.WSTransport] = set()


class Echo(picows.WSListener):
    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview())


class ToAll(picows.WSListener):
    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        clients.add(transport)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        clients.discard(transport)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        for client in clients:
            client.send(frame.msg_type, payload)


def run(mode: str, port: int) -> None:
    listener = Echo if mode == "echo" else ToAll

    async def main() -> None:
        server = await picows.ws_create_server(
            lambda request: listener(), "127.0.0.1", port, max_frame_size=64 << 20
        )
        await server.serve_forever()

    uvloop.install()
    asyncio.run(main())
