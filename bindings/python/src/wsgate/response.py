"""An HTTP response, and how headers are handed to the engine."""

from __future__ import annotations

import dataclasses
import http
import json
from collections.abc import Iterable, Mapping

from .request import Headers

__all__ = ["HeadersLike", "Response"]

HeadersLike = Headers | Mapping[str, str] | Iterable[tuple[str, str]]


@dataclasses.dataclass
class Response:
    """What a plain request or a refused handshake is answered with.

    ``Response(404, "Not Found", Headers(), b"")`` is the form of `websockets`; `text` and `json`
    are shorter. The engine adds Content-Length and Date. The reason phrase is the standard one of
    the status: another is not sent.
    """

    status_code: int
    reason_phrase: str = ""
    headers: Headers = dataclasses.field(default_factory=Headers)
    body: bytes = b""

    @classmethod
    def text(cls, status: int, text: str, headers: HeadersLike = ()) -> Response:
        """A plain text response, in UTF-8."""
        return cls._of(status, "text/plain; charset=utf-8", text, headers)

    @classmethod
    def json(cls, status: int, value: object, headers: HeadersLike = ()) -> Response:
        """A JSON response."""
        return cls._of(status, "application/json", json.dumps(value), headers)

    @classmethod
    def _of(cls, status: int, type: str, text: str, headers: HeadersLike) -> Response:
        fields = Headers(pairs_of(headers))
        if "content-type" not in fields:
            fields["Content-Type"] = type
        return cls(int(status), phrase(status), fields, text.encode())


def phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def pairs_of(headers: HeadersLike) -> Iterable[tuple[str, str]]:
    if isinstance(headers, Headers):
        return headers.raw_items()
    return headers.items() if isinstance(headers, Mapping) else headers


def encode_headers(headers: HeadersLike) -> bytes:
    """Name, NUL, value, NUL, and so on; the engine refuses what is no header."""
    parts: list[str] = []
    for name, value in pairs_of(headers):
        if "\0" in name or "\0" in value:
            raise ValueError(f"a header must not contain NUL: {name!r}: {value!r}")
        parts += (name, "\0", value, "\0")
    return "".join(parts).encode("utf-8", "surrogateescape")
