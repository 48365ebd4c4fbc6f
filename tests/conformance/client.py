"""A WebSocket client over a bare socket: it can say anything, legal or not, and takes nothing but
well-formed frames from the server."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import select
import socket
import struct
import time
from dataclasses import dataclass

from receive_queue import unread

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
OPCODES = {
    "continuation": CONTINUATION,
    "text": TEXT,
    "binary": BINARY,
    "close": CLOSE,
    "ping": PING,
    "pong": PONG,
}
NAMES = {opcode: name for name, opcode in OPCODES.items()}

# Fixed, so that a transcript of raw bytes is the same each time. The server cannot tell.
MASK = bytes.fromhex("37fa213d")


class Unmet(Exception):
    """What a scenario expects did not happen."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}, saw {seen}")

    def at(self, place: str) -> Unmet:
        self.args = (f"{place}: {self}",)
        return self


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes


@dataclass(frozen=True)
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def encode(
    opcode: int,
    payload: bytes,
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bool = True,
    length_bits: int | None = None,
    claim: int | None = None,
) -> bytes:
    """One frame. `length_bits` (7, 16, 64) asks for a form of the length that may not be the
    shortest; `claim` announces another length than the payload has."""
    length = len(payload) if claim is None else claim
    if length_bits is None:
        length_bits = 7 if length < 126 else 16 if length < 65536 else 64
    marker = 0x80 if mask else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if length_bits == 7:
        head += bytes([marker | length])
    elif length_bits == 16:
        head += struct.pack("!BH", marker | 126, length)
    else:
        head += struct.pack("!BQ", marker | 127, length)
    if not mask:
        return head + payload
    return head + MASK + masked(payload)


def masked(payload: bytes) -> bytes:
    size = len(payload)
    key = (MASK * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def accept_key(key: str) -> str:
    """RFC 6455 §4.2.2, step 5.4."""
    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()


class Connection:
    """One TCP connection to the server under test. Every wait has an end in seconds."""

    def __init__(self, port: int, patience: float) -> None:
        self._patience = patience
        self._socket = socket.create_connection(("127.0.0.1", port), patience)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._inbox = bytearray()
        self._ended = ""  # "eof" after a FIN, "reset" after an RST
        self.key = ""
        # The methods of the requests that wait for their responses.
        self.methods: list[str] = []
        self.in_parts = False  # the server's messages may come in fragments
        self.open_message: Frame | None = None  # one whose end has not come
        self.upgraded = False
        self.hung_up = False
        self.over = False
        self.close_sent = False
        self.close_received: Frame | None = None

    # writing

    def write(self, data: bytes, pieces: int = 0) -> None:
        """Sends everything at once, or `pieces` bytes at a time, each read by the server before
        the next is written. A peer that has hung up is no error here: what it said before is in
        the inbox."""
        if pieces and self._unread() is None and not self._ended:
            raise OSError("the kernel does not tell about receive queues (inet_diag)")
        step = pieces or len(data) or 1
        for start in range(0, len(data), step):
            self._write(data[start : start + step])
            if pieces:
                self._wait_until_read()

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        deadline = time.monotonic() + self._patience
        while left:
            readable, writable, _ = select.select(
                [] if self._ended else [self._socket], [self._socket], [], _until(deadline)
            )
            if readable:  # else both sides could wait for the other to read
                self._receive()
            if writable:
                try:
                    left = left[self._socket.send(left) :]
                except (BrokenPipeError, ConnectionResetError):
                    return
            elif not readable:
                raise Unmet("a server that reads", f"{len(left)} bytes that it does not take")

    def _wait_until_read(self) -> None:
        deadline = time.monotonic() + self._patience
        while not self._ended and self._unread():
            if time.monotonic() > deadline:
                raise Unmet("a server that reads", "bytes that wait in its receive queue")
            if select.select([self._socket], [], [], 0.0002)[0]:
                self._receive()

    def _unread(self) -> int | None:
        return unread(self._socket.getpeername()[1], self._socket.getsockname()[1])

    def end(self) -> None:
        """FIN: nothing more comes from here, but what the server says is still read."""
        with contextlib.suppress(OSError):  # the server was faster
            self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """RST: as if the machine had gone."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        self._socket.close()

    # reading

    def _receive(self) -> None:
        try:
            data = self._socket.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionResetError:
            self._ended = "reset"
            return
        if data:
            self._inbox += data
        else:
            self._ended = "eof"

    def _fill(self, size: int, deadline: float) -> bool:
        """True when the inbox holds `size` bytes, False when the stream ended before."""
        while len(self._inbox) < size:
            if self._ended:
                return False
            if not select.select([self._socket], [], [], _until(deadline))[0]:
                raise TimeoutError
            self._receive()
        return True

    def _take(self, size: int) -> bytes:
        data = bytes(self._inbox[:size])
        del self._inbox[:size]
        return data

    def frame(self, within: float) -> Frame | str:
        """The next frame, or "eof" or "reset". A frame that a server must not send is unmet. Of a
        message in fragments, this is all of it; what passes between comes before."""
        deadline = time.monotonic() + within
        while (seen := self._frame(deadline)) is None:
            pass
        return seen

    def begun(self, size: int, within: float) -> Frame | str:
        """The first `size` bytes, or more, of a message whose end has not come; what else comes
        first is returned instead."""
        deadline = time.monotonic() + within
        while self.open_message is None or len(self.open_message.payload) < size:
            if (seen := self._frame(deadline)) is not None:
                return seen
        return self.open_message

    def _frame(self, deadline: float) -> Frame | str | None:
        """The next frame; None when it was a fragment and its message goes on."""
        if not self._fill(2, deadline):
            return self._end_of_stream()
        first, second = self._inbox[0], self._inbox[1]
        opcode, length, head = first & 0x0F, second & 0x7F, 2
        if second & 0x80:
            raise Unmet("an unmasked frame from the server", "a masked one")
        if first & 0x70:
            raise Unmet("RSV bits 0 from the server", f"first byte {first:#04x}")
        fin, is_control = bool(first & 0x80), opcode >= CLOSE
        if not fin and (is_control or not self.in_parts):
            raise Unmet("FIN on each frame from the server", f"first byte {first:#04x}")
        if not is_control and (opcode == CONTINUATION) != (self.open_message is not None):
            raise Unmet("fragments in their order", f"first byte {first:#04x}")
        if opcode not in NAMES:
            raise Unmet("a known opcode from the server", f"{opcode:#x}")
        if opcode >= CLOSE and length > 125:
            raise Unmet("a control frame of at most 125 bytes from the server", f"length {length}")
        if length >= 126:
            head, form, least = (4, "!H", 126) if length == 126 else (10, "!Q", 65536)
            if not self._fill(head, deadline):
                return self._end_of_stream()
            (length,) = struct.unpack(form, self._inbox[2:head])
            if length < least:
                raise Unmet("the shortest length form from the server", f"{length} in {head} bytes")
        if not self._fill(head + length, deadline):
            return self._end_of_stream()
        self._take(head)
        payload = self._take(length)
        if is_control:
            return Frame(opcode, payload)
        begun, self.open_message = self.open_message or Frame(opcode, b""), None
        message = Frame(begun.opcode, begun.payload + payload)
        if fin:
            return message
        self.open_message = message
        return None

    def _end_of_stream(self) -> str:
        if self._inbox:
            return f"{self._ended} after half a frame: {self._inbox[:16].hex(' ')}"
        return self._ended

    def response(self, within: float) -> Response:
        deadline = time.monotonic() + within
        while b"\r\n\r\n" not in self._inbox:
            if not self._fill(len(self._inbox) + 1, deadline):
                raise Unmet("an HTTP response", f"{self._ended} after {bytes(self._inbox)!r}")
        head = self._take(self._inbox.index(b"\r\n\r\n") + 4).decode("latin-1")
        status_line, *lines = head[:-4].split("\r\n")
        protocol, _, rest = status_line.partition(" ")
        if not protocol.startswith("HTTP/1.") or not rest[:3].isdigit():
            raise Unmet("an HTTP status line", repr(status_line))
        headers = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise Unmet("a header line", repr(line))
            headers.append((name, value.strip()))
        response = Response(int(rest[:3]), headers, b"")
        method = self.methods.pop(0) if self.methods else ""
        if method == "HEAD" or response.status < 200 or response.status in (204, 304):
            return response
        return Response(response.status, headers, self._body(response, deadline))

    def _body(self, response: Response, deadline: float) -> bytes:
        if "chunked" in response.values("transfer-encoding"):
            raise Unmet("a body of known length", "a chunked one")
        lengths = response.values("content-length")
        if lengths:
            if not self._fill(int(lengths[0]), deadline):
                seen = f"{len(self._inbox)} and {self._ended}"
                raise Unmet(f"a body of {lengths[0]} bytes", seen)
            return self._take(int(lengths[0]))
        while self._fill(len(self._inbox) + 1, deadline):
            pass
        return self._take(len(self._inbox))


def _until(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
