"""The scenarios, read from their files: what a step may say.

README.md beside this file describes it for those who write scenarios."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client import OPCODES

Step = dict[str, Any]

FILES = Path(__file__).parent / "scenarios"

PAYLOAD = {"data", "hex", "repeat", "size"}
FRAME = {"fin", "rsv", "mask", "length_bits", "claim", "hold", "pieces"}
REQUEST = {"method", "version", "lines", "set", "without", "add", "pad", "body", "hold", "pieces", "parts"}

# The options that a step may have, by its verb and that verb's value; "" stands for any value.
OPTIONS: dict[tuple[str, str], set[str]] = {
    ("connect", ""): REQUEST,
    ("request", ""): REQUEST,
    ("for", ""): {"steps"},
    ("echo", "text"): PAYLOAD | FRAME,
    ("echo", "binary"): PAYLOAD | FRAME,
    **{("send", kind): PAYLOAD | FRAME for kind in OPCODES},
    ("send", "close"): PAYLOAD | FRAME | {"code", "reason"},
    ("send", "frame"): PAYLOAD | FRAME | {"opcode"},
    ("send", "bytes"): PAYLOAD | {"hold", "pieces"},
    ("send", "held"): {"pieces"},
    ("send", "end"): set(),
    ("send", "reset"): set(),
    ("answer", "ping"): set(),
    **{("expect", kind): PAYLOAD | {"starts", "fin"} for kind in ("text", "binary")},
    **{("expect", kind): PAYLOAD | {"starts"} for kind in ("ping", "pong")},
    ("expect", "close"): {"code", "reason"},
    ("expect", "failure"): {"code"},
    ("expect", "eof"): {"after", "within"},
    ("expect", "nothing"): set(),
    ("expect", "upgrade"): {"headers"},
    ("expect", "response"): {"status", "headers", "body"},
}
VERBS = {verb for verb, _ in OPTIONS}


@dataclass(frozen=True)
class Scenario:
    name: str
    steps: list[Step]


def load(only: str) -> list[Scenario]:
    """Every scenario of every file, in order. One with `each` stands for as many as that lists."""
    scenarios = []
    for path in sorted(FILES.glob("*.toml")):
        for table in tomllib.loads(path.read_text("utf-8"))["scenario"]:
            unknown = set(table) - {"name", "steps", "each"}
            if unknown:
                raise ValueError(f"{path.name}: {table.get('name')}: unknown {sorted(unknown)}")
            for values in table.get("each", [{}]):
                name = substitute(table["name"], values, "i")
                steps = substitute(table["steps"], values, "i")
                for step in steps:
                    try:
                        check(step)
                    except ValueError as error:
                        raise ValueError(f"{path.name}: {name}: {error}") from None
                scenarios.append(Scenario(f"{path.stem}: {name}", steps))
    names = [scenario.name for scenario in scenarios]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"two scenarios are named {sorted(twice)}")
    return [scenario for scenario in scenarios if re.search(only, scenario.name)]


def check(step: Step) -> None:
    """Refuses a step that would be misread: a typo must not weaken a scenario."""
    verbs = VERBS & set(step)
    if len(verbs) != 1:
        raise ValueError(f"a step has one verb of {sorted(VERBS)}: {step}")
    (verb,) = verbs
    options = OPTIONS.get((verb, "")) or OPTIONS.get((verb, step[verb]))
    if options is None and (verb, step[verb]) not in OPTIONS:
        raise ValueError(f"no such {verb}: {step}")
    unknown = set(step) - (options or set()) - {verb, "by"}
    if unknown:
        raise ValueError(f"{verb} has no option {sorted(unknown)}: {step}")
    for inner in step.get("steps", []):
        check(inner)


def payload(step: Step) -> bytes | None:
    """What a step says that a frame holds; None when it does not say."""
    if "hex" in step:
        return bytes.fromhex(step["hex"])
    if "repeat" in step:
        unit, size = str(step["repeat"]).encode(), int(step["size"])
        return (unit * (size // len(unit) + 1))[:size]
    if "data" in step:
        return str(step["data"]).encode()
    return None


def substitute(node: Any, values: dict[str, Any], keep: str = "") -> Any:
    """Puts values for `$name` into strings, but for the name to keep; a string that is nothing else
    takes the value itself, so that numbers stay numbers."""
    if isinstance(node, dict):
        return {key: substitute(inner, values, keep) for key, inner in node.items()}
    if isinstance(node, list):
        return [substitute(inner, values, keep) for inner in node]
    if not isinstance(node, str):
        return node

    def value(match: re.Match[str]) -> str:
        return match[0] if match[1] == keep else str(values[match[1]])

    if node[:1] == "$" and node[1:] in values:
        return values[node[1:]]
    return re.sub(r"\$([a-z_]+)", value, node)
