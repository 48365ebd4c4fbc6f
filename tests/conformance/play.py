"""Plays one scenario against a server, and keeps a transcript of what was said."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import time

from client import (
    CLOSE,
    NAMES,
    OPCODES,
    PING,
    PONG,
    TEXT,
    Connection,
    Frame,
    Response,
    Unmet,
    accept_key,
    encode,
)
from scenario import Step, payload, substitute

PATIENCE = 10.0
# For the end of a connection that is over: less than the close period of 3 s, so that a server
# which waits for it where it should not is seen.
PROMPT = 2.0


def close_payload(code: int, reason: str) -> bytes:
    return struct.pack("!H", code) + reason.encode()


def close_code(frame: Frame) -> int:
    """1005 for none, RFC 6455 §7.1.5."""
    return int.from_bytes(frame.payload[:2], "big") if frame.payload else 1005


def show(data: bytes) -> str:
    if len(data) > 96:
        return f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}"
    try:
        return json.dumps(data.decode(), ensure_ascii=False)
    except UnicodeDecodeError:
        return f"hex {data.hex(' ')}"


def show_frame(seen: Frame | str) -> str:
    if isinstance(seen, str):
        return seen
    if seen.opcode != CLOSE:
        return f"{NAMES.get(seen.opcode, f'{seen.opcode:#x}')} {show(seen.payload)}"
    if not seen.payload:
        return "close without a code"
    if len(seen.payload) == 1:
        return f"close with half a code: {seen.payload.hex()}"
    return f"close {close_code(seen)} {show(seen.payload[2:])}"


class Player:
    """One scenario against one server: its clients by name, and what was said, in order."""

    def __init__(self, port: int) -> None:
        self.transcript: list[str] = []
        self._port = port
        self._clients: dict[str, Connection] = {}
        self._held: dict[str, bytes] = {}
        self._rounds = 0

    def play(self, steps: list[Step]) -> None:
        try:
            self._run(steps, "step ")
            for name in list(self._clients):
                self._finish(name)
        finally:
            for client in self._clients.values():
                client.close()

    def _run(self, steps: list[Step], place: str) -> None:
        for number, step in enumerate(steps, 1):
            if "for" in step:
                for i in range(1, step["for"] + 1):
                    inner = [substitute(s, {"i": i}) for s in step["steps"]]
                    self._run(inner, f"{place}{number}, round {i}, step ")
                continue
            try:
                self._step(step)
            except TimeoutError:
                wanted = ", ".join(f"{key} {value}" for key, value in step.items())
                raise Unmet(wanted, "nothing in time").at(f"{place}{number}") from None
            except Unmet as unmet:
                raise unmet.at(f"{place}{number}") from None

    def _step(self, step: Step) -> None:
        name = step.get("by", "a")
        if "connect" in step:
            self._request(name, step["connect"], step)
            self._upgrade(name, {})
        elif "request" in step:
            self._request(name, step["request"], step)
        elif "echo" in step:
            self._send(name, step["echo"], step)
            self._message(name, OPCODES[step["echo"]], step)
        elif "send" in step:
            self._send(name, step["send"], step)
        elif "answer" in step:
            self._answer_ping(name)
        else:
            self._expect(name, step["expect"], step)

    def _say(self, name: str, text: str) -> None:
        self.transcript.append(f"{name} {text}")

    # what a client does

    def _client(self, name: str) -> Connection:
        if name not in self._clients:
            self._clients[name] = Connection(self._port, PATIENCE)
        return self._clients[name]

    def _request(self, name: str, target: str, step: Step) -> None:
        headers = {
            "Host": f"127.0.0.1:{self._port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            **step.get("set", {}),
        }
        for unwanted in step.get("without", []):
            del headers[unwanted]
        lines = step.get("lines") or [f"{key}: {value}" for key, value in headers.items()]
        lines = lines + step.get("add", [])
        if "pad" in step:
            lines.append("X-Pad: " + "x" * step["pad"])
        for line in lines:
            key, _, value = line.partition(":")
            if key.lower() == "sec-websocket-key":
                self._client(name).key = value.strip()
        self._client(name).in_parts = step.get("parts", False)
        self._client(name).methods.append(step.get("method", "GET"))
        request_line = f"{step.get('method', 'GET')} {target} {step.get('version', 'HTTP/1.1')}"
        head = "\r\n".join([request_line, *lines]) + "\r\n\r\n"
        self._say(name, f"> {request_line}")
        self._write(name, head.encode() + step.get("body", "").encode(), step)

    def _send(self, name: str, kind: str, step: Step) -> None:
        client = self._client(name)
        if kind in ("end", "reset"):
            self._say(name, f"> {kind}")
            if kind == "end":
                client.hung_up = True
                client.end()
            else:
                client.reset()
                del self._clients[name]
            return
        data = payload(step) or b""
        if kind == "held":
            self._write(name, b"", step)
        elif kind == "bytes":
            self._say(name, f"> bytes {show(data)}")
            self._write(name, data, step)
        else:
            opcode = step["opcode"] if kind == "frame" else OPCODES[kind]
            if kind == "close" and "code" in step:
                data = close_payload(step["code"], str(step.get("reason", "")))
            client.close_sent |= opcode == CLOSE
            form = {k: step[k] for k in ("fin", "rsv", "mask", "length_bits", "claim") if k in step}
            options = "".join(f" {key}={value}" for key, value in form.items())
            self._say(name, f"> {show_frame(Frame(opcode, data))}{options}")
            self._write(name, encode(opcode, data, **form), step)

    def _write(self, name: str, data: bytes, step: Step) -> None:
        data = self._held.pop(name, b"") + data
        if step.get("hold"):
            self._held[name] = data
        else:
            self._client(name).write(data, step.get("pieces", 0))

    # what it must see

    def _expect(self, name: str, kind: str, step: Step) -> None:
        client = self._client(name)
        if kind in ("text", "binary", "ping", "pong"):
            self._message(name, OPCODES[kind], step)
        elif kind == "close":
            self._close(name, step.get("code"), step.get("reason"))
        elif kind == "failure":
            self._close(name, step["code"], None)
            # RFC 6455 §7.1.7: who fails a connection does not wait for the peer's Close frame
            self._eof(name, 0.0, PROMPT)
        elif kind == "eof":
            self._eof(name, step.get("after", 0.0), step.get("within", PROMPT))
        elif kind == "nothing":
            self._nothing(name)
        elif kind == "upgrade":
            self._upgrade(name, step.get("headers", {}))
        else:
            response = client.response(PATIENCE)
            self._say(name, f"< {show_response(response)}")
            match(response, step["status"], step.get("headers", {}))
            if "body" in step and response.body != step["body"].encode():
                raise Unmet(f"the body {step['body']!r}", repr(response.body))

    def _message(self, name: str, opcode: int, step: Step) -> None:
        wanted, starts = payload(step), step.get("starts", "")
        ends = step.get("fin", True)
        client = self._clients[name]
        seen = client.frame(PATIENCE) if ends else client.begun(len(wanted or b""), PATIENCE)
        if not (
            isinstance(seen, Frame)
            and seen.opcode == opcode
            and (wanted is None or seen.payload == wanted)
            and seen.payload.startswith(starts.encode())
            and (opcode != TEXT or is_utf8(seen.payload))
            and ends == (seen is not client.open_message)
        ):
            what = show(wanted) if wanted is not None else f"{starts}…"
            raise Unmet(f"{NAMES[opcode]} {what}", show_frame(seen))
        self._say(name, f"< {show_frame(seen)}{'' if ends else ' …'}")

    def _close(self, name: str, code: int | list[int] | None, reason: str | None) -> None:
        """A Close frame with this code, or with one of these; 1005 is an empty one. What is not
        given may be anything legal."""
        seen = self._clients[name].frame(PATIENCE)
        codes = code if isinstance(code, list) else [code]
        if not (
            isinstance(seen, Frame)
            and seen.opcode == CLOSE
            and len(seen.payload) != 1
            and (code is None or close_code(seen) in codes)
            and is_utf8(seen.payload[2:])
            and (reason is None or seen.payload[2:] == reason.encode())
        ):
            wanted = " or ".join(map(str, codes)) if code else "with any code"
            raise Unmet(f"close {wanted} {reason or ''}".rstrip(), show_frame(seen))
        self._clients[name].close_received = seen
        # of several legal outcomes the transcript must not tell which it was
        self._say(name, f"< close {codes}" if len(codes) > 1 else f"< {show_frame(seen)}")

    def _eof(self, name: str, after: float, within: float) -> None:
        started = time.monotonic()
        seen = self._clients[name].frame(within)
        if seen != "eof":
            raise Unmet("eof", show_frame(seen))
        passed = time.monotonic() - started
        if passed < after:
            raise Unmet(f"eof after {after} s", f"eof after {passed:.1f} s")
        self._clients[name].over = True
        self._say(name, "< eof")

    def _nothing(self, name: str) -> None:
        """A ping's own pong comes next, so nothing else was on its way before it."""
        self._rounds += 1
        mark = f"nothing {self._rounds}".encode()
        client = self._clients[name]
        self._write(name, encode(PING, mark), {})
        seen = client.frame(PATIENCE)
        if seen != Frame(PONG, mark):
            raise Unmet("nothing", show_frame(seen))
        self._say(name, "< nothing")

    def _answer_ping(self, name: str) -> None:
        """What a ping carries is the server's own affair, so the transcript leaves it out."""
        client = self._clients[name]
        seen = client.frame(PATIENCE)
        if not isinstance(seen, Frame) or seen.opcode != PING:
            raise Unmet("ping", show_frame(seen))
        self._say(name, "< ping, > pong")
        client.write(encode(PONG, seen.payload))

    def _upgrade(self, name: str, headers: dict[str, str]) -> None:
        client = self._clients[name]
        response = client.response(PATIENCE)
        self._say(name, f"< {show_response(response)}")
        match(response, 101, {"Upgrade": "websocket", "Connection": "upgrade", **headers})
        accept = accept_key(client.key)
        if response.values("Sec-WebSocket-Accept") != [accept]:
            raise Unmet(f"Sec-WebSocket-Accept {accept}", show_response(response, raw=True))
        for unasked in ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"):
            if response.values(unasked) and unasked not in headers:
                raise Unmet(f"no {unasked} in the answer", repr(response.values(unasked)))
        client.upgraded = True

    def _finish(self, name: str) -> None:
        """Ends what the scenario left open, so that each one also says: and nothing more came."""
        client = self._clients[name]
        if client.over or not client.upgraded:
            return
        try:
            if not client.close_received and not client.hung_up:
                if client.close_sent:
                    self._close(name, None, None)
                else:
                    self._send(name, "close", {"code": 1000})
                    self._close(name, 1000, None)
            elif client.close_received and not client.close_sent:
                client.write(encode(CLOSE, client.close_received.payload))
            self._eof(name, 0.0, PROMPT)
        except TimeoutError:
            raise Unmet("to be let go", "nothing in time").at(f"the end of {name}") from None
        except Unmet as unmet:
            raise unmet.at(f"the end of {name}") from None


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def match(response: Response, status: int, headers: dict[str, str]) -> None:
    """`headers` with exactly these values; "" for a header that must not be there."""
    if response.status != status:
        raise Unmet(f"status {status}", show_response(response))
    for name, wanted in headers.items():
        seen = response.values(name)
        if [v.lower() for v in seen] != ([wanted.lower()] if wanted else []):
            raise Unmet(f"{name}: {wanted}" if wanted else f"no {name}", repr(seen))


def show_response(response: Response, raw: bool = False) -> str:
    """In a transcript without what differs from run to run."""
    normal = {"date": "…", "sec-websocket-accept": "…"}
    headers = [
        f"{name.lower()}: {value if raw else normal.get(name.lower(), value)}"
        for name, value in response.headers
    ]
    return f"{response.status} {headers} {show(response.body)}"
