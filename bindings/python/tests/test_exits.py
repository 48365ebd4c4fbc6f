"""The interpreter exits without a crash or a hang, whatever state it leaves a server in."""

import subprocess
import sys

import pytest

SETUP = """
import atexit, gc, os, signal, sys, threading, time, weakref
import wsgate
from websockets.sync.client import connect

def make(**handlers):
    server = wsgate.Server("127.0.0.1:0")
    server.endpoint("/", **handlers)
    return server

def started(**handlers):
    server = make(**handlers)
    server.start()
    return server

def client_of(server):
    return connect(f"ws://127.0.0.1:{server.ports[0]}/").__enter__()

def in_thread(function, daemon=True):
    thread = threading.Thread(target=function, daemon=daemon)
    thread.start()
    return thread

def raises(error):
    def handler(client, *_):
        raise error
    return handler

def accepted(server):
    while not server.clients:
        server._pump.step(1000)
    return next(iter(server.clients))
"""

ASYNCIO = """
import asyncio
from websockets.asyncio.client import connect as aconnect

async def echo(connection):
    async for message in connection:
        await connection.send(message)

async def forever(connection):
    await asyncio.Event().wait()

def serve(handler=echo, **options):
    return wsgate.serve(handler, "127.0.0.1", 0, **options)

def client(server):
    return aconnect(f"ws://127.0.0.1:{server.port}/", ping_interval=None, proxy=None)

kept = []
async def keep(server):
    kept.append((server, await client(server)))
    while not server.connections: await asyncio.sleep(0)
    kept.append(list(server.connections))
"""

# By what happens: the program behind these, in a coroutine's body unless it says otherwise.
ASYNCIO_EXITS = {
    "made and not started": ("server = serve()", 0),
    "started and left": ("server = await serve()", 0),
    "started and kept": ("kept.append(await serve())", 0),
    "closed": ("server = await serve(); server.close(); await server.wait_closed()", 0),
    "closing and left": ("server = await serve(); server.close()", 0),
    "closed before it was started": ("server = serve(); server.close(); server.close()", 0),
    "clients open": ("server = await serve(); await keep(server)", 0),
    "clients open and handlers that wait": ("server = await serve(forever); await keep(server)", 0),
    "an exception within it": (
        "async with serve() as server: await keep(server); raise KeyError",
        1,
    ),
    "sys.exit within it": ("async with serve() as server: await keep(server); sys.exit(3)", 3),
    "sys.exit in a handler": (
        "async def leave(connection): sys.exit(4)\n"
        "    async with serve(leave) as server:\n"
        "        await client(server)\n"
        "        await asyncio.sleep(5)",
        4,
    ),
    "os._exit in a handler": (
        "async def leave(connection): os._exit(6)\n"
        "    async with serve(leave) as server:\n"
        "        await client(server)\n"
        "        await asyncio.sleep(5)",
        6,
    ),
    "an interrupt": (
        "async with serve() as server:\n"
        "        await keep(server)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        await asyncio.sleep(5)",
        -2,
    ),
    "killed by a signal": (
        "server = await serve(); await keep(server); os.kill(os.getpid(), signal.SIGTERM)",
        -15,
    ),
    "events waiting": (
        "server = await serve(); await keep(server)\n"
        "    for _ in range(1000): await kept[0][1].send(bytes(1000))",
        0,
    ),
    "an outcome awaited": (
        "server = await serve(gateway='all'); await keep(server)\n"
        "    async def wait(): await server.gateway('all').broadcast('x')\n"
        "    kept.append(asyncio.ensure_future(wait()))",
        0,
    ),
    "a handshake undecided": (
        "async def think(connection, request): await asyncio.Event().wait()\n"
        "    server = await serve(process_request=think)\n"
        "    kept.append(asyncio.ensure_future(client(server).__aenter__()))\n"
        "    await asyncio.sleep(0.05)",
        0,
    ),
    "garbage in cycles": (
        "server = await serve(); await keep(server)\n"
        "    server.me = [server, kept[:]]; kept.clear(); del server; gc.collect()",
        0,
    ),
    "several servers": ("servers = [await serve() for _ in range(4)]; await keep(servers[1])", 0),
    "the connection outlives the server": (
        "server = await serve(); await keep(server)\n"
        "    server.close(); await server.wait_closed(); del server; kept.pop(0); gc.collect()",
        0,
    ),
    "in a daemon thread": (
        "def other(): asyncio.run(main_of_other())\n"
        "    async def main_of_other():\n"
        "        async with serve() as server: started.set(); await server.wait_closed()\n"
        "    started = threading.Event()\n"
        "    in_thread(other); started.wait()",
        0,
    ),
    "a loop that is dropped": (
        "loop.call_soon(loop.stop); server = await serve(); await asyncio.sleep(5)",
        0,
    ),
}


@pytest.mark.parametrize(("program", "code"), ASYNCIO_EXITS.values(), ids=ASYNCIO_EXITS)
def test_exit_of_asyncio(program, code):
    run = "asyncio.run(main())"
    if "loop.stop" in program:
        run = (
            "loop = asyncio.new_event_loop(); task = loop.create_task(main()); loop.run_forever()"
        )
    exits(f"{SETUP}{ASYNCIO}\nasync def main():\n    {program}\n{run}", code, asyncio=True)


# By what happens: the program, and its exit code.
EXITS = {
    "not started": ("server = make()", 0),
    "started and left": ("server = started()", 0),
    "started and deleted": ("server = started(); del server; gc.collect()", 0),
    "stopped and left": ("server = started(); server.stop()", 0),
    "stopped and run": ("server = started(); server.stop(); server.run()", 0),
    "closed": ("server = started(); server.close(); server.close()", 0),
    "left in a with block": ("with started() as server: sys.exit(3)", 3),
    "clients open": ("server = started(); connection = client_of(server)", 0),
    "events waiting": (
        "server = started()\n"
        "connection = client_of(server)\n"
        "for _ in range(1000): connection.send('x' * 1000)",
        0,
    ),
    "clients accepted and open": (
        "server = started(); connection = client_of(server); client = accepted(server)",
        0,
    ),
    "server deleted before its clients": (
        "server = started(); connection = client_of(server); client = accepted(server)\n"
        "del server; gc.collect(); client.close()\n"
        "try: client.send('x')\n"
        "except wsgate.ConnectionClosed: sys.exit(5)",
        5,
    ),
    "clients deleted before the server": (
        "server = started(); connection = client_of(server); client = accepted(server)\n"
        "del client; gc.collect()",
        0,
    ),
    "gateways deleted before and after": (
        "server = started(); one, two = wsgate.Gateway(server), wsgate.Gateway(server)\n"
        "del one, server; gc.collect(); del two",
        0,
    ),
    "exit in a callback": (
        "server = started(on_accept=lambda client: sys.exit(7))\n"
        "in_thread(lambda: client_of(server)); server.run()",
        7,
    ),
    "exit in a callback on another thread": (
        "server = started(on_accept=lambda client: sys.exit(7))\n"
        "thread = in_thread(server.run)\n"
        "connection = client_of(server); thread.join(10); sys.exit(thread.is_alive())",
        0,
    ),
    "interrupted in a callback": (
        "server = started(on_accept=raises(KeyboardInterrupt()))\n"
        "in_thread(lambda: client_of(server)); server.run()",
        -2,
    ),
    "an exception while it runs on a daemon thread": (
        "server = started(); in_thread(server.run)\n"
        "connection = client_of(server); raise ValueError('at the top')",
        1,
    ),
    "left while it runs on a daemon thread": (
        "server = started(); in_thread(server.run); connection = client_of(server)",
        0,
    ),
    "left while a callback blocks on a daemon thread": (
        "entered = threading.Event()\n"
        "def block(client): entered.set(); threading.Event().wait()\n"
        "server = started(on_accept=block); in_thread(server.run)\n"
        "connection = client_of(server); entered.wait(); connection.close()",
        0,
    ),
    "stopped by an atexit function": (
        "server = started(); thread = in_thread(server.run); atexit.register(server.stop)",
        0,
    ),
    "exit without cleaning up": (
        "server = started(); in_thread(server.run); connection = client_of(server); os._exit(9)",
        9,
    ),
    "exit without cleaning up in a callback": (
        "server = started(on_accept=lambda client: os._exit(9))\n"
        "in_thread(lambda: client_of(server)); server.run()",
        9,
    ),
    "killed by a signal": (
        "server = started(); in_thread(server.run); os.kill(os.getpid(), signal.SIGTERM)",
        -15,
    ),
    "an event loop that ends first": (
        "import asyncio\n"
        "server = started()\n"
        "async def main():\n"
        "    task = asyncio.create_task(server.serve_forever())\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(main())",
        0,
    ),
    "an event loop that is dropped": (
        "import asyncio\n"
        "server = started()\n"
        "loop = asyncio.new_event_loop()\n"
        "task = loop.create_task(server.serve_forever())\n"
        "loop.call_soon(loop.stop)\n"
        "loop.run_forever()",
        0,
    ),
    "exit in a callback in an event loop": (
        "import asyncio\n"
        "server = started(on_accept=lambda client: sys.exit(7))\n"
        "in_thread(lambda: client_of(server)); asyncio.run(server.serve_forever())",
        7,
    ),
    "a cycle through the server": (
        "server = started(); server.endpoint_of_mine = [server]; client = client_of(server)\n"
        "accepted(server).data = server; del server",
        0,
    ),
    "many servers": ("servers = [started() for _ in range(5)]; servers[2].close()", 0),
}


@pytest.mark.parametrize(("program", "code"), EXITS.values(), ids=EXITS)
def test_exit(program, code):
    exits(SETUP + program, code)


def exits(program, code, asyncio=False):
    result = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert result.returncode == code, result.stderr
    for word in ("Fatal", "Segmentation", "panicked"):
        assert word not in result.stderr
    # A loop that is gone makes asyncio's own objects complain.
    if not asyncio:
        assert "Exception ignored" not in result.stderr
