"""Messages in parts: /stream and /parts, by callbacks."""

from typing import Any

import wsgate

MIB = 1 << 20


def add_endpoints(server: wsgate.Server, options: dict[str, Any]) -> None:
    server.endpoint(
        "/stream",
        on_message=wsgate.Client.send,
        on_begin=wsgate.Client.begin,
        on_chunk=wsgate.Client.chunk,
        on_end=wsgate.Client.end,
        max_message_size=2 * MIB,
        # The longest message has room: who sends the next has read it.
        outbox_limit=(4 * MIB, 10_000),
        **options,
    )
    server.endpoint("/parts", on_message=send_parts, **options)


def send_parts(client: wsgate.Client, command: str) -> None:
    verb, *words = command.split(" ")
    client.begin()
    for i, word in enumerate(words):
        client.chunk(word)
        if i == 0 and verb == "words":
            client.send("behind")
    if verb == "words":
        client.end()
    else:
        client.abort()
