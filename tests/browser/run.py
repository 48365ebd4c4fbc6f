#!/usr/bin/env python3
"""Two tabs of a real Chromium chat with each other through a chat server.

    run.py COMMAND...

Each COMMAND serves the chat. It is run in the project's directory; its words are parted as in a shell, and NAME=value
words may come first. In it `{address}` becomes the address to listen on; where that does not occur, the address is
appended. The server prints `listening on http://ADDRESS/` when it is ready, and ends with status 0 on SIGTERM (a script
starts it with `exec`).

    run.py "php examples/php/chat.php" "LD_LIBRARY_PATH=target/release target/examples/c/chat {address}"

Prints a line for each promise, and at last `N passed, M failed`. The status is 1 when a promise does not hold, and 2
when something that the test needs is missing. A picture of the tab in which the first failure showed is kept in
.cache/browser/.
"""

from __future__ import annotations

import shutil
import signal
import sys
import textwrap
import traceback
from contextlib import suppress
from types import FrameType

from chat_server import ROOT, ChatServer, ServerFailure

PICTURES = ROOT / ".cache" / "browser"


class Report:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def ok(self, command: str, promise: str) -> None:
        self.passed += 1
        print(f"ok    {command}: {promise}", flush=True)

    def fail(self, command: str, promise: str, detail: str, picture: bytes | None = None) -> None:
        self.failed += 1
        print(f"FAIL  {command}: {promise}\n{textwrap.indent(detail.rstrip(), ' ' * 6)}", flush=True)
        if self.failed == 1 and picture is not None:
            PICTURES.mkdir(parents=True, exist_ok=True)
            path = PICTURES / f"{promise}.png"
            path.write_bytes(picture)
            print(f"      seen in {path.relative_to(ROOT)}", flush=True)


def main(commands: list[str]) -> int:
    if not commands or commands[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if commands else 2
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        return missing("chromium and chromedriver", "apt-get install chromium chromium-driver")
    try:
        import selenium  # noqa: F401
    except ModuleNotFoundError:
        return missing("selenium", "python3 -m venv .venv && .venv/bin/pip install -r tests/browser/requirements.txt")

    # So that the browser and the servers end with the test, however it ends.
    signal.signal(signal.SIGTERM, interrupted)
    shutil.rmtree(PICTURES, ignore_errors=True)
    report = Report()
    for command in commands:
        check(command, report, chromium, chromedriver)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


def check(command: str, report: Report, chromium: str, chromedriver: str) -> None:
    # Here, because these need selenium.
    from promises import PROMISES, Conversation
    from selenium.common.exceptions import WebDriverException
    from tabs import Broken, Browser

    def picture_of(talk: Conversation) -> bytes | None:
        with suppress(WebDriverException):
            return talk.ada.picture()
        return None

    server = ChatServer(command)
    browser = None
    try:
        server.start()
        browser = Browser(chromium, chromedriver)
        talk = Conversation(server, browser)
    except (ServerFailure, WebDriverException) as failure:
        detail = f"the conversation could not begin: {failure}"
        for promise in PROMISES:
            report.fail(command, promise.__name__, detail)
            detail = "not tried"
    else:
        # After a failure the others are tried even so: each looks for what it said itself.
        for promise in PROMISES:
            try:
                promise(talk)
            except Broken as broken:
                report.fail(command, promise.__name__, str(broken), broken.picture or picture_of(talk))
            except ServerFailure as failure:
                report.fail(command, promise.__name__, str(failure), picture_of(talk))
            except WebDriverException:
                report.fail(command, promise.__name__, traceback.format_exc(), picture_of(talk))
            else:
                report.ok(command, promise.__name__)
    finally:
        if browser is not None:
            browser.quit()
        server.kill()


def missing(what: str, remedy: str) -> int:
    print(f"run.py: {what} missing; install with: {remedy}", file=sys.stderr)
    return 2


def interrupted(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
