"""Prints the crates that the libraries contain, their licenses, and the licenses' texts, each once."""

import json
import pathlib
import subprocess
import sys
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")


def linked(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages behind the normal dependencies, not those of tests and build scripts."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    own = metadata["resolve"]["root"]
    found, waiting = set(), [own]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            if dependency["pkg"] not in found and any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                found.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    packages = [package for package in metadata["packages"] if package["id"] in found]
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def main() -> None:
    host = next(
        line.removeprefix("host: ")
        for line in subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout.splitlines()
        if line.startswith("host: ")
    )
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", host]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    print("libwsgate contains these crates, and Rust's standard library (MIT OR Apache-2.0, the Rust authors):\n")
    texts: dict[str, list[str]] = {}
    for package in linked(metadata):
        name = f"{package['name']} {package['version']}"
        print(f"  {name}: {package['license']}")
        directory = pathlib.Path(package["manifest_path"]).parent
        for file in sorted(directory.iterdir()):
            if file.is_file() and file.name.upper().startswith(NAMES):
                texts.setdefault(file.read_text(errors="replace").strip(), []).append(name)
    for text, names in texts.items():
        print(f"\n{'-' * 78}\n{', '.join(sorted(set(names)))}\n\n{text}")


if __name__ == "__main__":
    sys.exit(main())
