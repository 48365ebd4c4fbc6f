"""Ten thousand clients come and go while handlers raise: nothing is left, nothing goes unheard.

WSGATE_CHURN says how many clients, where it may take longer.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import struct
import threading
from collections import Counter

import pytest
from loops import port_of

import wsgate

CLIENTS = int(os.environ.get("WSGATE_CHURN", "10000"))
SECONDS = 100 + CLIENTS // 100
AT_ONCE = 100

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
# A zero mask leaves the payload as it is.
QUESTION = b"\x81\x82\0\0\0\0hi"
CLOSE = b"\x88\x82\0\0\0\0" + struct.pack("!H", 1000)


class Chosen(Exception):
    """What a handler raises."""


class Counting(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.seen = Counter()

    def emit(self, record):
        self.seen[record.exc_info[0] if record.exc_info else record.getMessage()] += 1


class Churn:
    """A handler that fails as chance will have it, and clients that leave as it will."""

    def __init__(self):
        self.chance = random.Random(7)
        self.raised = 0
        self.loop_errors = []

    async def handler(self, connection):
        step = self.chance.randrange(5)
        if step == 0:
            self.fail()
        async for message in connection:
            if step == 1:
                self.fail()
            await connection.send(message)
            if step == 2:
                return
            if step == 3:
                pong = await connection.ping()
                del pong

    def fail(self):
        self.raised += 1
        raise Chosen

    def maybe_fail(self):
        if self.chance.randrange(4) == 0:
            self.fail()

    async def client(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ")
            how = self.chance.randrange(4)
            writer.write(QUESTION)
            if how == 0:
                writer.transport.abort()
            elif how == 1:
                await reader.read(2)
            elif how == 2:
                writer.write(CLOSE)
                await reader.read()
        finally:
            writer.close()

    async def clients(self, port, count):
        async def some():
            for _ in range(count // AT_ONCE):
                await self.client(port)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    async def run(self, seen):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: self.loop_errors.append(context))
        logger = logging.getLogger("test.churn")
        logger.propagate = False
        logger.addHandler(seen)
        self.own_tasks = len(asyncio.all_tasks())
        async with wsgate.serve(
            self.handler, "127.0.0.1", 0, logger=logger, close_timeout=1, gateway="all"
        ) as server:
            port = port_of(server)
            await self.clients(port, CLIENTS // 5)
            before = await self.settled(server)
            await self.clients(port, CLIENTS - CLIENTS // 5)
            after = await self.settled(server)
            assert server.info.clients == 0
            assert len(server.gateway("all")) == 0
        return before, after

    async def settled(self, server):
        while len(asyncio.all_tasks()) > self.own_tasks or server.info.clients:
            await asyncio.sleep(0.01)
        gc.collect()
        return len(os.listdir("/proc/self/fd")), len(gc.get_objects())


    async def run_callbacks(self, seen):
        """The same in the callback layer, on a thread of its own."""
        logger = logging.getLogger("test.churn.callbacks")
        logger.propagate = False
        logger.addHandler(seen)

        def on_message(client, message):
            client.send(message)
            self.maybe_fail()

        server = wsgate.Server("127.0.0.1:0", logger=logger)
        everybody = wsgate.Gateway(server)
        server.endpoint(
            "/",
            on_accept=lambda client: self.maybe_fail(),
            on_message=on_message,
            on_close=lambda client, close: self.maybe_fail(),
            gateway=everybody,
            close_period=1,
        )
        server.start()
        thread = threading.Thread(target=server.run)
        thread.start()
        self.own_tasks = len(asyncio.all_tasks())
        try:
            await self.clients(server.ports[0], CLIENTS // 5)
            before = await self.settled(server)
            await self.clients(server.ports[0], CLIENTS - CLIENTS // 5)
            after = await self.settled(server)
            while server.clients:
                await asyncio.sleep(0.01)
            assert len(everybody) == 0
        finally:
            server.stop(0)
            thread.join()
        return before, after


def leaves_nothing(churn, run):
    seen = Counting()
    before, after = asyncio.run(asyncio.wait_for(run(seen), SECONDS))
    assert churn.raised > CLIENTS // 6
    assert seen.seen == {Chosen: churn.raised}
    assert not churn.loop_errors
    descriptors, objects = zip(before, after, strict=True)
    assert abs(descriptors[1] - descriptors[0]) <= 5
    # Eight thousand clients more leave no object each.
    assert objects[1] - objects[0] < CLIENTS // 5


@pytest.mark.timeout(SECONDS + 20)
def test_nothing_is_left_of_ten_thousand_clients():
    churn = Churn()
    leaves_nothing(churn, churn.run)


@pytest.mark.timeout(SECONDS + 20)
def test_nothing_is_left_of_ten_thousand_clients_of_callbacks():
    churn = Churn()
    leaves_nothing(churn, churn.run_callbacks)
