"""Finds libwsgate, declares its functions, and turns its statuses into exceptions."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

from . import _abi
from .exceptions import WsgateError, error_for

NAME = f"libwsgate.so.{_abi.ABI_VERSION}"

# Everything else is called with the GIL held: those functions only copy and queue, so giving the
# lock up would cost more than the call, and no thread can free a server while another is in one.
RELEASES_GIL = frozenset({"wsgate_server_start", "wsgate_server_take", "wsgate_server_free"})


class Library:
    """The C functions under their own names, with argument and result types set."""

    def __init__(self, path: str) -> None:
        releasing, holding = ctypes.CDLL(path), ctypes.PyDLL(path)
        self._releasing, self._holding = releasing, holding
        self.path = path
        for name, (result, arguments) in _abi.FUNCTIONS.items():
            function = getattr(releasing if name in RELEASES_GIL else holding, name)
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, function)

    def bare(self, name: str) -> Any:
        """A function of its own that checks and converts nothing, which takes half as long to call.

        Every argument is to be a ctypes value of exactly the declared type, a pointer as a
        `c_void_p`, or bytes.
        """
        loader = self._releasing if name in RELEASES_GIL else self._holding
        function = loader[name]
        function.restype = _abi.FUNCTIONS[name][0]
        return function

    def __getattr__(self, name: str) -> Any:
        # Only reached for what the loop above did not set; it is here for the type checker.
        raise AttributeError(f"{self.path} has no declared function {name}")


def candidates() -> list[str]:
    """Where to look, best first; WSGATE_LIBRARY is an order, not a hint."""
    named = os.environ.get("WSGATE_LIBRARY")
    if named:
        return [named]
    here = Path(__file__).resolve().parent
    found = [here / NAME, here / "libwsgate.so"]
    if here.parent.parts[-3:] == ("bindings", "python", "src"):
        found.append(here.parents[3] / "target" / "release" / "libwsgate.so")
    return [str(path) for path in found if path.exists()] + [NAME]


def load() -> Library:
    tried = []
    for path in candidates():
        try:
            version = ctypes.CDLL(path).wsgate_abi_version
        except (OSError, AttributeError) as error:
            tried.append(f"  {error}")
            continue
        version.restype = ctypes.c_uint32
        if version() != _abi.ABI_VERSION:
            raise ImportError(
                f"{path} has ABI version {version()}, this package needs {_abi.ABI_VERSION}: "
                "install the package and the library of one wsgate release, "
                "or name the right library in WSGATE_LIBRARY"
            )
        try:
            return Library(path)
        except AttributeError as error:
            raise ImportError(
                f"{error}: it is older than this package; rebuild it (cargo build --release) "
                "or name a newer one in WSGATE_LIBRARY"
            ) from None
    raise ImportError(
        f"{NAME} was not found: build it (cargo build --release) or install it, "
        "or name it in the environment variable WSGATE_LIBRARY; tried\n" + "\n".join(tried)
    )


lib = load()


def status_text(status: int) -> str:
    return str(lib.wsgate_status_text(status).decode())


def failure(status: int) -> WsgateError:
    """The exception for what the call before this one, on this thread, returned."""
    detail: str = lib.wsgate_last_error().decode(errors="replace")
    return error_for(status, detail or status_text(status))


def check(status: int) -> int:
    """Passes a count or OK through and raises what a negative status means."""
    if status < 0:
        raise failure(status)
    return status
