"""Builds the engine with cargo and puts it into the wheel, beside the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
ENGINE = HERE.parents[1]


def abi_version() -> str:
    source = (HERE / "src" / "wsgate" / "_abi.py").read_text()
    found = re.search(r"^ABI_VERSION = (\d+)$", source, re.MULTILINE)
    if found is None:
        raise SystemExit("src/wsgate/_abi.py names no ABI version")
    return found[1]


def library() -> Path:
    """The engine: the one named in WSGATE_LIBRARY, or built from the checkout that this is in."""
    named = os.environ.get("WSGATE_LIBRARY")
    if named:
        return Path(named)
    manifest = ENGINE / "Cargo.toml"
    if not manifest.exists():
        raise SystemExit(
            f"{manifest} is not there: build the wheel in a checkout of wsgate, "
            "or name the library that it is to carry in WSGATE_LIBRARY"
        )
    if shutil.which("cargo") is None:
        raise SystemExit("cargo was not found: install Rust, or name a library in WSGATE_LIBRARY")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ENGINE / "target"))
    build = ["cargo", "build", "--release", "--locked", "--lib"]
    where = ["--manifest-path", str(manifest), "--target-dir", str(target)]
    subprocess.run(build + where, check=True)
    return target / "release" / "libwsgate.so"


class BuildWithLibrary(build_py):
    def run(self) -> None:
        super().run()
        # An editable install finds it in the checkout.
        if not self.editable_mode:
            name = f"libwsgate.so.{abi_version()}"
            shutil.copy(library(), Path(self.build_lib) / "wsgate" / name)


class AnyPython(bdist_wheel):
    """One wheel for every Python 3, and for this platform alone."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


class Native(Distribution):
    def has_ext_modules(self) -> bool:
        return True


setup(cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": AnyPython}, distclass=Native)
