"""WebSocket server and gateway: the wsgate engine for Python."""

from ._settings import ServerSettings
from .asyncio.connection import Connection, State
from .asyncio.router import Router
from .asyncio.serving import serve, unix_serve
from .client import Client
from .close import Close, CloseCause
from .compression import Compression
from .endpoint import Endpoint
from .exceptions import (
    AddressInUse,
    CloseFrame,
    ConcurrencyError,
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidArgument,
    OutboxFull,
    ServerForked,
    WsgateError,
)
from .gateway import Gateway
from .handshake import Handshake, HttpRequest
from .info import ClientInfo, ServerInfo
from .outcome import Outcome
from .policies import RatePolicy, SlowConsumer, set_inbox_budget, set_outbox_budget
from .request import Headers, Request
from .response import Response
from .server import Server

__all__ = [
    "AddressInUse",
    "Client",
    "ClientInfo",
    "Close",
    "CloseCause",
    "CloseFrame",
    "Compression",
    "ConcurrencyError",
    "Connection",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "Endpoint",
    "Gateway",
    "Handshake",
    "Headers",
    "HttpRequest",
    "InvalidArgument",
    "OutboxFull",
    "Outcome",
    "RatePolicy",
    "Request",
    "Response",
    "Router",
    "Server",
    "ServerForked",
    "ServerInfo",
    "ServerSettings",
    "SlowConsumer",
    "State",
    "WsgateError",
    "serve",
    "set_inbox_budget",
    "set_outbox_budget",
    "unix_serve",
]

__version__ = "0.1.0"
