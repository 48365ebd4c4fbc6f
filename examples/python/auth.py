"""auth.py [ADDRESS]: only who has logged in may connect.

A session is shown by the cookie `session`, or, where there are no cookies, by a bearer token. Who has none gets
401 and JSON:

    websocat -H 'Authorization: Bearer ada-1815' ws://127.0.0.1:9001/
"""

import asyncio
import signal
import sys

import wsgate

SESSIONS = {"ada-1815": "Ada", "grace-1906": "Grace"}


async def look_up(session: str) -> str | None:
    """Whose session it is; a database would take its time, too."""
    await asyncio.sleep(0.05)
    return SESSIONS.get(session)


def session_of(request: wsgate.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else request.cookies.get("session", "")


async def authenticate(
    connection: wsgate.Connection, request: wsgate.Request
) -> wsgate.Response | None:
    name = await look_up(session_of(request))
    if name is None:
        return wsgate.Response.json(
            401, {"error": "log in first"}, {"WWW-Authenticate": 'Bearer realm="wsgate"'}
        )
    connection.name = name
    return None


async def greet(connection: wsgate.Connection) -> None:
    await connection.send(f"hello {connection.name}")
    async for message in connection:
        await connection.send(f"{connection.name}: {message}")


async def main(address: str = "127.0.0.1:9001") -> None:
    host, _, port = address.rpartition(":")
    async with wsgate.serve(greet, host, int(port), process_request=authenticate) as server:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.close)
        print(f"listening on ws://{host}:{server.port}/", flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
