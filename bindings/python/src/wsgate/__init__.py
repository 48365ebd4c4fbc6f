"""WebSocket server and gateway: the wsgate engine for Python."""

from .client import Client
from .close import ClientInfo, Close, CloseCause
from .endpoint import Endpoint
from .exceptions import (
    AddressInUse,
    ConnectionClosed,
    InvalidArgument,
    OutboxFull,
    ServerForked,
    WsgateError,
)
from .gateway import Gateway
from .request import Headers, Request
from .server import Server

__all__ = [
    "AddressInUse",
    "Client",
    "ClientInfo",
    "Close",
    "CloseCause",
    "ConnectionClosed",
    "Endpoint",
    "Gateway",
    "Headers",
    "InvalidArgument",
    "OutboxFull",
    "Request",
    "Server",
    "ServerForked",
    "WsgateError",
]

__version__ = "0.1.0"
