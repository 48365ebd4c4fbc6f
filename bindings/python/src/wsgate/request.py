"""The HTTP request that opened a connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct, iter_unpack
from urllib.parse import parse_qs

__all__ = ["Headers", "Request"]

_LENGTHS = Struct("=8I")


class Headers(Mapping[str, str]):
    """Header fields; names compare without case.

    A name that came several times reads as one value joined by ``", "`` (RFC 9110 §5.2);
    `get_all` keeps the values apart.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._fields[name.lower()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"

    def get_all(self, name: str) -> list[str]:
        """The values of every field of that name, in the order they came."""
        return list(self._fields.get(name.lower(), ()))


class Request:
    """What a client asked for when it connected.

    Attributes:
        method: ``"GET"``.
        target: path and query as they were sent, ``"/chat?name=Ada"``.
        headers: the header fields. Bytes that are not UTF-8 become surrogates (PEP 383).
        remote_address: host and port of the client.
        local_address: host and port that it connected to.
        subprotocol: the subprotocol agreed on, or None.
        parameters: what each ``:name`` in the endpoint's path stands for, percent-decoded.
    """

    __slots__ = (
        "headers",
        "local_address",
        "method",
        "parameters",
        "remote_address",
        "subprotocol",
        "target",
    )

    def __init__(self, block: bytes) -> None:
        count, *lengths, parameters, _ = _LENGTHS.unpack_from(block)
        start = _LENGTHS.size + 8 * (count + parameters)
        sizes = [size for pair in iter_unpack("=II", block[_LENGTHS.size : start]) for size in pair]
        texts = []
        for size in (*lengths, *sizes):
            texts.append(block[start : start + size].decode("utf-8", "surrogateescape"))
            start += size
        self.method, self.target, peer, local, subprotocol, *fields = texts
        self.remote_address = _address(peer)
        self.local_address = _address(local)
        self.subprotocol = subprotocol or None
        pairs = list(zip(fields[::2], fields[1::2], strict=True))
        self.headers = Headers(pairs[:count])
        self.parameters = dict(pairs[count:])

    @property
    def path(self) -> str:
        """The target without its query, not percent-decoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's decoded fields; a name may come several times."""
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target}>"


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port) if port.isdecimal() else 0
