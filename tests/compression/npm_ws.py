"""npm's `ws` as a client."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from plan import Plan

HERE = Path(__file__).resolve().parent
NAME = "ws"
OFFERS: list[dict[str, Any]] = [
    {},
    {"serverNoContextTakeover": True, "clientNoContextTakeover": True},
    {"serverMaxWindowBits": 9, "clientMaxWindowBits": 9},
    {"serverMaxWindowBits": 12, "clientMaxWindowBits": 11, "serverNoContextTakeover": True},
]


class NpmWs:
    """A node process that plays one exchange after the other."""

    def __init__(self, modules: Path) -> None:
        self._node = subprocess.Popen(
            ["node", HERE / "ws.mjs", modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def exchange(self, plan: Plan) -> int:
        assert self._node.stdin is not None and self._node.stdout is not None
        print(json.dumps(asdict(plan)), file=self._node.stdin, flush=True)
        answer = json.loads(self._node.stdout.readline() or '{"error": "node has ended"}')
        if "error" in answer:
            raise AssertionError(f"ws, {plan.offer}: {answer['error']}")
        return int(answer["count"])

    def close(self) -> None:
        self._node.kill()
        self._node.wait()


def start(root: Path) -> NpmWs | str:
    """The client, or why there is none."""
    installed = subprocess.run([root / "tools" / "npm.sh", "ws"], capture_output=True, text=True, check=False)
    if installed.returncode:
        return installed.stderr.strip().splitlines()[-1] if installed.stderr.strip() else "not installed"
    return NpmWs(Path(installed.stdout.strip()))
