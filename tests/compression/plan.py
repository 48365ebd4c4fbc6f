"""What a client is to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """Exchanges with the server at a URI: which messages follows from the seed."""

    uri: str
    offer: dict[str, Any]
    compressed: bool
    """Whether the server is to agree."""
    seed: int
    rounds: int
    large: int
    """The length of the longest messages; 0: none but those of some hundred kilobytes."""
