"""aiohttp's WebSocketResponse, on asyncio's own loop."""

from aiohttp import WSMsgType, web

clients: set[web.WebSocketResponse] = set()


async def accepted(request: web.Request) -> web.WebSocketResponse:
    connection = web.WebSocketResponse(compress=False, max_msg_size=64 << 20)
    await connection.prepare(request)
    return connection


async def echo(request: web.Request) -> web.WebSocketResponse:
    connection = await accepted(request)
    async for message in connection:
        if message.type == WSMsgType.TEXT:
            await connection.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await connection.send_bytes(message.data)
    return connection


async def to_all(request: web.Request) -> web.WebSocketResponse:
    connection = await accepted(request)
    clients.add(connection)
    try:
        async for message in connection:
            for client in list(clients):
                if message.type == WSMsgType.TEXT:
                    await client.send_str(message.data)
                else:
                    await client.send_bytes(message.data)
    finally:
        clients.discard(connection)
    return connection


def run(mode: str, port: int) -> None:
    app = web.Application()
    app.router.add_get("/", echo if mode == "echo" else to_all)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)
