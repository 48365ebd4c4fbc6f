#!/usr/bin/env python3
"""burst.py echo|broadcast START_SCRIPT CLIENTS MESSAGES: many clients speak at once.

All of them are there before the first speaks. Each sends its messages without waiting, and must get every
answer: its own back, or everybody's. Then they all vanish while the server is told to stop by SIGTERM; it must
leave with status 0.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "conformance"))

from client import PING, TEXT, encode
from run import Server

PATIENCE = 120.0
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MESSAGE = b"a message of thirty-two letters."
ANSWER = len(MESSAGE) + 2


def enter(port: int) -> socket.socket:
    """A client that the server has adopted: it has answered a ping."""
    peer = socket.create_connection(("127.0.0.1", port), PATIENCE)
    peer.sendall(HANDSHAKE + encode(PING, b""))
    seen = b""
    while not seen.endswith(b"\r\n\r\n\x8a\x00"):
        data = peer.recv(4096)
        if not data:
            raise SystemExit(f"the handshake ended with {seen!r}")
        seen += data
    peer.setblocking(False)
    return peer


def burst(peers: list[socket.socket], messages: int, answers: int) -> None:
    frames = encode(TEXT, MESSAGE) * messages
    unsent = {peer: memoryview(frames) for peer in peers}
    missing = dict.fromkeys(peers, answers * ANSWER)
    selector = selectors.DefaultSelector()
    for peer in peers:
        selector.register(peer, selectors.EVENT_READ | selectors.EVENT_WRITE)
    deadline = time.monotonic() + PATIENCE
    while any(missing.values()):
        ready = selector.select(max(0.0, deadline - time.monotonic()))
        if not ready:
            raise SystemExit(f"{sum(missing.values())} bytes did not come within {PATIENCE:.0f} s")
        for key, events in ready:
            peer = key.fileobj
            assert isinstance(peer, socket.socket)
            if events & selectors.EVENT_WRITE:
                unsent[peer] = unsent[peer][peer.send(unsent[peer]) :]
                if not unsent[peer]:
                    selector.modify(peer, selectors.EVENT_READ)
            if events & selectors.EVENT_READ:
                data = peer.recv(1 << 16)
                missing[peer] -= len(data)
                if not data or missing[peer] < 0:
                    raise SystemExit(f"a client got {-missing[peer]} bytes too many, or the end of the stream")


def main(mode: str, script: str, clients: int, messages: int) -> int:
    server = Server(Path(script))
    try:
        peers = [enter(server.port) for _ in range(clients)]
        burst(peers, messages, messages * (clients if mode == "broadcast" else 1))
        for peer in peers[::2]:
            peer.close()
    finally:
        status = server.stop()
    print(f"{mode}: {clients} clients, {messages} messages each; the server left with status {status}")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
