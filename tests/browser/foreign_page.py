"""A page of another origin that tries to talk to the chat."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>waiting</title>
<link rel="icon" href="data:,">
<script>
  const socket = new WebSocket(decodeURIComponent(location.search.slice(1)));
  socket.onopen = () => { document.title = "open"; };
  socket.onerror = () => { document.title = "refused"; };
</script>
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class ForeignPage:
    """Serves the page while the `with` block lasts."""

    def __enter__(self) -> ForeignPage:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
