#!/usr/bin/env python3
"""The programs in README.md, taken from it, built, run and talked to. Rust's is a doc test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[2]
RELEASE = ROOT / "target" / "release"
PATIENCE = 20.0


def block(language: str) -> str:
    """The first program in this language, on a port that the system chooses."""
    found = re.search(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    if found is None:
        raise SystemExit(f"README.md has no {language} program")
    return found[1].replace('"127.0.0.1:9001", 14', '"127.0.0.1:0", 11').replace("127.0.0.1:9001", "127.0.0.1:0")


def command(language: str, directory: Path) -> list[str]:
    """Writes the program, compiles it if need be, and says how it is started."""
    source = directory / f"echo.{language}"
    source.write_text(block(language))
    if language == "c":
        program = directory / "echo"
        flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT / 'include'}"]
        link = [f"-L{RELEASE}", "-lwsgate", f"-Wl,-rpath,{RELEASE}"]
        subprocess.run([os.environ.get("CC", "cc"), *flags, str(source), "-o", str(program), *link], check=True)
        return [str(program)]
    return [{"php": "php", "python": sys.executable}[language], str(source)]


def check(language: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "bindings/python/src")}
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen(
            command(language, Path(directory)),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdin is not None and server.stdout is not None
        try:
            address = server.stdout.readline().removeprefix("listening on ").strip()
            with connect(address, open_timeout=PATIENCE) as client:
                for message in ["text, ünd so weiter", b"\x00\xff"]:
                    client.send(message)
                    answer = client.recv(timeout=PATIENCE)
                    assert answer == message, f"{language}: sent {message!r}, got {answer!r}"
            if language == "c":
                server.stdin.close()
            else:
                server.terminate()
            status = server.wait(PATIENCE)
            assert status == 0, f"{language}: left with {status}"
        finally:
            server.kill()
            server.wait()


def main() -> int:
    failed = 0
    languages = ["c", "python", "php"]
    for language in languages:
        try:
            check(language)
        except (AssertionError, OSError, subprocess.SubprocessError, TimeoutError) as error:
            failed += 1
            print(f"FAILED {language}: {error}")
    print(f"{len(languages) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
