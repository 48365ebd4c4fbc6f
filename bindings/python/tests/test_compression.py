"""Compression: as the endpoint has it, or as a single message says."""

import itertools
from queue import Queue

import pytest
from loops import client_of, in_loop
from websockets.sync.client import connect

import wsgate

SIZE = 12_000
CHOICES = [None, True, False]


def is_compressed(size, compress, by_settings):
    return size < SIZE // 4 if (by_settings if compress is None else compress) else size > SIZE


@pytest.mark.parametrize("by_settings", [True, False])
@in_loop
async def test_a_message_says_whether_it_is_compressed(by_settings):
    compression = wsgate.Compression(threshold=0 if by_settings else SIZE * 4)

    async def handler(connection):
        everybody = connection.server.gateway("everybody")
        for make in (str, str.encode):
            for times in (1, 3):
                message = make("x" * SIZE * times)
                for compress in CHOICES:
                    for send in (
                        lambda m, c: connection.send(m, compress=c),
                        lambda m, c: everybody.broadcast(m, compress=c),
                        lambda m, c: everybody.multicast(m, [connection], compress=c),
                        lambda m, c: everybody.send(m, connection, compress=c),
                    ):
                        before = connection.info.bytes_out
                        await send(message, compress)
                        assert await connection.recv() == "got it"
                        size = (connection.info.bytes_out - before) // times
                        assert is_compressed(size, compress, by_settings)
        with pytest.raises(TypeError, match="compress"):
            await connection.send("x", compress=1)

    serving = wsgate.serve(handler, "127.0.0.1", 0, compression=compression, gateway="everybody")
    async with serving as server, client_of(server, compression="deflate") as client:
        async for message in client:
            assert len(message) in (SIZE, SIZE * 3)
            await client.send("got it")
        assert client.close_code == 1000


@pytest.mark.parametrize("within", [True, False])
def test_in_the_callback_layer_too(run, within):
    events = Queue()
    choices = list(itertools.product(("send", "try_send", "broadcast"), CHOICES))

    def send(client, kind, compress):
        if kind == "broadcast":
            everybody.broadcast("x" * SIZE, compress=compress)
        else:
            getattr(client, kind)("x" * SIZE, compress=compress)

    def on_message(client, message):
        if within:
            send(client, *choices[int(message)])
        else:
            events.put(client)

    server = wsgate.Server("127.0.0.1:0")
    everybody = wsgate.Gateway(server)
    server.endpoint(
        "/",
        on_message=on_message,
        on_accept=events.put,
        gateway=everybody,
        compression=wsgate.Compression(threshold=0),
    )
    with connect(f"ws://127.0.0.1:{run(server)}/", compression="deflate", proxy=None) as connection:
        client = events.get(timeout=5)
        assert client.compressed
        for number, (kind, compress) in enumerate(choices):
            before = client.info.bytes_out
            connection.send(str(number))
            if not within:
                send(events.get(timeout=5), kind, compress)
            assert connection.recv(timeout=5) == "x" * SIZE
            # Its figures are the worker's: behind a ping they are told.
            connection.ping().wait(5)
            assert is_compressed(client.info.bytes_out - before, compress, True)
