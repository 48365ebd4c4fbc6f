"""An HTTP request, and its headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from http.cookies import CookieError, SimpleCookie
from struct import Struct, iter_unpack
from urllib.parse import parse_qs

__all__ = ["Headers", "Request"]

_LENGTHS = Struct("=8I")


class Headers(MutableMapping[str, str]):
    """Header fields; names compare without case.

    A name that came several times reads as one value joined by ``", "`` (RFC 9110 §5.2);
    `get_all` keeps the values apart. Assigning adds a field: ``headers["Set-Cookie"] = "a=1"``
    twice sends two.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, list[tuple[str, str]]] = {}
        for name, value in fields:
            self[name] = value

    def __getitem__(self, name: str) -> str:
        return ", ".join(value for _, value in self._fields[name.lower()])

    def __setitem__(self, name: str, value: str) -> None:
        self._fields.setdefault(name.lower(), []).append((name, value))

    def __delitem__(self, name: str) -> None:
        del self._fields[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({list(self.raw_items())!r})"

    def get_all(self, name: str) -> list[str]:
        """The values of every field of that name, in the order they came."""
        return [value for _, value in self._fields.get(name.lower(), ())]

    def raw_items(self) -> Iterator[tuple[str, str]]:
        """Every field, its name as it was written."""
        for fields in self._fields.values():
            yield from fields


class Request:
    """What a client asked for.

    Attributes:
        method: ``"GET"``.
        target: path and query as they were sent, ``"/chat?name=Ada"``.
        headers: the header fields. Bytes that are not UTF-8 become surrogates (PEP 383).
        params: what each ``:name`` in the endpoint's path stands for, percent-decoded; ``"*"`` is
            the rest behind a prefix, as it was sent.
        body: of a plain HTTP request; a handshake has none.
        remote_address: host and port of the client.
        local_address: host and port that it connected to.
        subprotocol: the subprotocol agreed on, or None; while a handshake is undecided, None.
        subprotocols: those that an undecided handshake offers, in the client's order.
    """

    __slots__ = (
        "body", "headers", "local_address", "method", "params", "remote_address", "subprotocol",
        "subprotocols", "target",
    )  # fmt: skip

    def __init__(self, block: bytes, undecided: bool = False) -> None:
        count, *lengths, parameters, _ = _LENGTHS.unpack_from(block)
        start = _LENGTHS.size + 8 * (count + parameters)
        sizes = [size for pair in iter_unpack("=II", block[_LENGTHS.size : start]) for size in pair]
        texts = []
        for size in (*lengths, *sizes):
            texts.append(block[start : start + size].decode("utf-8", "surrogateescape"))
            start += size
        self.method, self.target, peer, local, subprotocol, *fields = texts
        self.body = block[start:]
        self.remote_address = _address(peer)
        self.local_address = _address(local)
        self.subprotocol = None if undecided else subprotocol or None
        self.subprotocols = subprotocol.split(", ") if undecided and subprotocol else []
        pairs = list(zip(fields[::2], fields[1::2], strict=True))
        self.headers = Headers(pairs[:count])
        self.params = dict(pairs[count:])

    @property
    def path(self) -> str:
        """The target without its query, not percent-decoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's decoded fields; a name may come several times."""
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, by name; empty when the Cookie header cannot be read."""
        jar = SimpleCookie()
        try:
            jar.load("; ".join(self.headers.get_all("cookie")))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in jar.items()}

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target}>"


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port) if port.isdecimal() else 0
