"""notify.py [ADDRESS]: what is posted to /notify/TOPIC goes to all who listen to /topics/TOPIC.

curl --data 'the kettle boils' http://127.0.0.1:9001/notify/kitchen

It answers with how many got it: {"delivered": 2, "failed": 0}
"""

import asyncio
import signal
import sys

import wsgate
from wsgate.asyncio.server import Server

router = wsgate.Router()


@router.route("/topics/:topic")
async def listen(connection: wsgate.Connection) -> None:
    connection.server.gateway(connection.request.params["topic"]).add(connection)
    async for _ in connection:
        pass  # Listeners only listen.


async def notify(server: Server, request: wsgate.Request) -> wsgate.Response:
    if not request.path.startswith("/notify/"):
        return wsgate.Response.json(404, {"error": "post to /notify/TOPIC"})
    if request.method != "POST":
        return wsgate.Response.json(405, {"error": "post it"}, {"Allow": "POST"})
    topic = wsgate.Gateway.find(server, request.path.removeprefix("/notify/"))
    if topic is None:
        return wsgate.Response.json(200, {"delivered": 0, "failed": 0})
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        return wsgate.Response.json(400, {"error": "not UTF-8"})
    outcome = await topic.broadcast(text)
    return wsgate.Response.json(200, {"delivered": outcome.delivered, "failed": outcome.failed})


async def main(address: str = "127.0.0.1:9001") -> None:
    host, _, port = address.rpartition(":")
    server = wsgate.serve(router, host, int(port), on_request=lambda request: notify(server, request))
    async with server:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.close)
        print(f"listening on http://{host}:{server.port}/", flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
