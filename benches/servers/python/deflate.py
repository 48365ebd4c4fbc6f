"""How the -deflate- start scripts compress: every message, each for itself, or with takeover."""

import os
from typing import Any

import wsgate

HOW = os.environ.get("DEFLATE")
TAKEOVER = HOW == "takeover"
SETTINGS: dict[str, Any] = (
    {"compression": wsgate.Compression(takeover=(TAKEOVER, TAKEOVER), threshold=0)} if HOW else {}
)
