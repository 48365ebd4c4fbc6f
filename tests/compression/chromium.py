"""A headless Chromium as a client. It offers `permessage-deflate; client_max_window_bits`: the rest is the server's."""

from __future__ import annotations

import shutil
import sys
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plan import Plan

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "browser"))

if TYPE_CHECKING:
    from tabs import Browser

NAME = "Chromium"
OFFERS: list[dict[str, Any]] = [{}]
SCRIPT_SECONDS = 120
EXCHANGE = """
const [uri, plan, done] = arguments;
const connect = () => new Promise((resolve, reject) => {
  const socket = new WebSocket(uri);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => resolve(socket);
  socket.onerror = () => reject(new Error("it does not connect"));
});
const send = (socket, message) => socket.send(message);
globalThis.exchange({ connect, send, ...plan }).then(done, (error) => done({ error: String(error) }));
"""


class EmptyPage(BaseHTTPRequestHandler):
    """A page of this machine: one from nowhere may not connect to it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Chromium:
    """A tab that plays one exchange after the other."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._pages = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
        threading.Thread(target=self._pages.serve_forever, daemon=True).start()
        browser.driver.set_script_timeout(SCRIPT_SECONDS)
        browser.driver.get(f"http://127.0.0.1:{self._pages.server_port}/")

    def exchange(self, plan: Plan) -> int:
        driver = self._browser.driver
        driver.execute_script((HERE / "exchange.js").read_text())
        answer = driver.execute_async_script(EXCHANGE, plan.uri, asdict(plan))
        if "error" in answer:
            raise AssertionError(f"Chromium: {answer['error']}")
        return int(answer["count"])

    def close(self) -> None:
        self._browser.quit()
        self._pages.shutdown()
        self._pages.server_close()


def start(_root: Path) -> Chromium | str:
    """The client, or why there is none."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        return "no chromium and chromedriver (apt-get install chromium chromium-driver)"
    try:
        from tabs import Browser
    except ModuleNotFoundError as error:
        return f"{error} (tests/browser/requirements.txt)"
    return Chromium(Browser(chromium, chromedriver))
