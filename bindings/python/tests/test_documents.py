"""The programs that the documentation shows run, and so do the examples."""

import doctest
import json
import os
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import wsgate.asyncio.connection
import wsgate.asyncio.router
import wsgate.asyncio.serving
import wsgate.server

PACKAGE = Path(__file__).parent.parent
EXAMPLES = PACKAGE.parent.parent / "examples" / "python"


@pytest.fixture
def program():
    """Starts a Python program that prints the address it listens on; gives it and its port."""
    started = []

    def start(*arguments, **variables):
        child = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        line = child.stdout.readline()
        match = re.search(r":(\d+)/$", line.rstrip())
        assert match, (line, child.poll(), child.stderr.read() if not line else "")
        return child, int(match[1]), line

    yield start
    for child in started:
        child.kill()
        child.communicate()


def ends_well(child, number):
    child.send_signal(number)
    out, err = child.communicate(timeout=10)
    assert (child.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(
    "module",
    [
        wsgate.server,
        wsgate.asyncio.connection,
        wsgate.asyncio.router,
        wsgate.asyncio.serving,
    ],
)
def test_the_docstrings_example_runs(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_readmes_programs_run(program, connect, tmp_path):
    programs = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.S)
    assert programs
    for text in programs:
        file = tmp_path / "program.py"
        file.write_text(text.replace("127.0.0.1:9001", "127.0.0.1:0"))
        child, port, _ = program(file)
        connection = connect(port)
        connection.send("hello")
        assert connection.recv(timeout=5) == "hello"
        ends_well(child, signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_echo(program, connect, number):
    child, port, line = program(EXAMPLES / "echo.py", "127.0.0.1:0")
    assert line == f"listening on ws://127.0.0.1:{port}/\n"
    connection = connect(port)
    for message in ("text", b"binary", ""):
        connection.send(message)
        assert connection.recv(timeout=5) == message
    ends_well(child, number)
    with pytest.raises(ConnectionClosed) as info:
        connection.recv(timeout=5)
    assert info.value.rcvd.code == 1001


def http(port, method, path, body=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, body)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_notify(program, connect):
    child, port, _ = program(EXAMPLES / "notify.py", "127.0.0.1:0")
    nobody = (200, {"delivered": 0, "failed": 0})
    assert http(port, "POST", "/notify/kitchen", "too early") == nobody
    listeners = [connect(port, "/topics/kitchen") for _ in range(2)]
    connect(port, "/topics/cellar")
    delivered = 0
    for _ in range(1000):
        status, told = http(port, "POST", "/notify/kitchen", "é".encode())
        assert status == 200
        delivered += told["delivered"]
        if told["delivered"] == 2:
            break
    for listener in listeners:
        assert listener.recv(timeout=5) == "é"
    assert http(port, "POST", "/notify/kitchen", b"\xff")[0] == 400
    assert http(port, "GET", "/notify/kitchen")[0] == 405
    assert http(port, "POST", "/elsewhere", "x")[0] == 404
    ends_well(child, signal.SIGTERM)


@pytest.mark.parametrize(
    "header", [("Cookie", "a=b; session=ada-1815"), ("Authorization", "Bearer ada-1815")]
)
def test_auth_lets_in_who_has_a_session(program, connect, header):
    child, port, _ = program(EXAMPLES / "auth.py", "127.0.0.1:0")
    connection = connect(port, additional_headers=[header])
    assert connection.recv(timeout=5) == "hello Ada"
    connection.send("x")
    assert connection.recv(timeout=5) == "Ada: x"
    ends_well(child, signal.SIGTERM)


@pytest.mark.parametrize(
    "headers", [{}, {"Cookie": "session=mallory"}, {"Authorization": "Basic x"}]
)
def test_auth_tells_others_to_log_in(program, connect, headers):
    child, port, _ = program(EXAMPLES / "auth.py", "127.0.0.1:0")
    with pytest.raises(InvalidStatus) as info:
        connect(port, additional_headers=headers)
    response = info.value.response
    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="wsgate"'
    assert json.loads(response.body) == {"error": "log in first"}
    ends_well(child, signal.SIGTERM)


def test_chat(program, connect):
    child, port, line = program(EXAMPLES / "chat.py", "127.0.0.1:0", ORIGINS="*")
    assert line == f"listening on http://127.0.0.1:{port}/\n"
    ada = connect(port, "/chat?name=Ada%20%22%5c%09%F0%9F%A6%80")
    assert ada.recv(timeout=5) == (
        r'{"type":"welcome","name":"Ada \"\\🦀","people":["Ada \"\\🦀"]}'
    )
    guest = connect(port, "/chat?name=%ff")
    assert guest.recv(timeout=5) == (
        r'{"type":"welcome","name":"guest-1","people":["Ada \"\\🦀","guest-1"]}'
    )
    assert ada.recv(timeout=5) == '{"type":"join","name":"guest-1"}'
    guest.send("")
    guest.send('a "b"\\\n\x1f\x7fé/')
    expected = r'{"type":"say","name":"guest-1","text":"a \"b\"\\\u000a\u001f' + '\x7fé/"}'
    assert ada.recv(timeout=5) == expected
    assert guest.recv(timeout=5) == expected
    assert json.loads(expected)["text"] == 'a "b"\\\n\x1f\x7fé/'

    guest.send(b"binary")
    with pytest.raises(ConnectionClosed) as info:
        guest.recv(timeout=5)
    assert (info.value.rcvd.code, info.value.rcvd.reason) == (1003, "text only")
    assert ada.recv(timeout=5) == '{"type":"leave","name":"guest-1"}'

    long = connect(port, "/chat?name=" + "n" * 40)
    assert json.loads(long.recv(timeout=5))["name"] == "n" * 32
    long.send("x" * 2001)
    with pytest.raises(ConnectionClosed) as info:
        long.recv(timeout=5)
    assert info.value.rcvd.code == 1009
    ends_well(child, signal.SIGTERM)


def test_chat_lets_pages_of_the_origins_in(program, connect):
    _, port, _ = program(EXAMPLES / "chat.py", "127.0.0.1:0", ORIGINS="http://a.example,http://b")
    connect(port, "/chat", origin="http://b")
    with pytest.raises(InvalidStatus) as info:
        connect(port, "/chat", origin="http://evil.example")
    assert info.value.response.status_code == 403
