"""A library that cannot be used says what to do, at import."""

import os
import subprocess
import sys

import pytest

from wsgate import _abi, _library


def import_with(library):
    return subprocess.run(
        [sys.executable, "-c", "import wsgate; print(wsgate.Server)"],
        env=os.environ | {"WSGATE_LIBRARY": library},
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_a_missing_library_is_explained():
    result = import_with("/nowhere/libwsgate.so")
    assert result.returncode == 1
    assert "ImportError: libwsgate.so.0 was not found: build it" in result.stderr
    assert "WSGATE_LIBRARY" in result.stderr
    assert "/nowhere/libwsgate.so" in result.stderr


def test_another_library_is_not_taken_for_it():
    result = import_with("libc.so.6")
    assert result.returncode == 1
    assert "was not found" in result.stderr
    assert "wsgate_abi_version" in result.stderr


def test_another_abi_version_is_refused(monkeypatch):
    monkeypatch.setattr(_abi, "ABI_VERSION", 7)
    with pytest.raises(ImportError, match=r"has ABI version 0, this package needs 7: install"):
        _library.load()


def test_a_library_without_a_function_is_too_old(monkeypatch):
    monkeypatch.setitem(_abi.FUNCTIONS, "wsgate_from_tomorrow", (None, []))
    with pytest.raises(ImportError, match=r"wsgate_from_tomorrow.*older than this package"):
        _library.load()


def test_the_variable_comes_first(monkeypatch):
    monkeypatch.setenv("WSGATE_LIBRARY", "/chosen.so")
    assert _library.candidates() == ["/chosen.so"]
    monkeypatch.delenv("WSGATE_LIBRARY")
    assert _library.candidates()[-1] == "libwsgate.so.0"
