"""`pip install bindings/python` gives a package that carries its library."""

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import wsgate

PACKAGE = Path(__file__).resolve().parents[1]


def run(*command, **options):
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=300, **options
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_self_test_passes():
    lines = run(sys.executable, "-m", "wsgate").splitlines()
    assert lines[0].startswith(f"wsgate {wsgate.__version__}, Python ")
    assert lines[1].startswith("libwsgate ")
    assert lines[2].startswith("self-test passed")


def test_the_package_is_typed():
    assert resources.files(wsgate).joinpath("py.typed").is_file()


@pytest.mark.timeout(300)
def test_an_installed_wheel_works_alone(tmp_path):
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, PACKAGE)
    (wheel,) = tmp_path.glob("wsgate-*.whl")
    assert wheel.name.startswith(f"wsgate-{wsgate.__version__}-py3-none-")
    assert not wheel.name.endswith("-any.whl")
    run(*pip, "install", "--no-deps", "--no-index", "--target", tmp_path / "there", wheel)
    alone = {name: value for name, value in os.environ.items() if name != "WSGATE_LIBRARY"}
    alone["PYTHONPATH"] = str(tmp_path / "there")
    said = run(sys.executable, "-W", "error", "-m", "wsgate", env=alone, cwd=tmp_path)
    assert str(tmp_path / "there" / "wsgate" / "libwsgate.so.0") in said
    assert "self-test passed" in said
