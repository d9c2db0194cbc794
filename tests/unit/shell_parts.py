"""What the shell's tests share: Qt without a screen, peers that only listen, and a hostile exam site."""

import http.server
import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = "--disable-gpu"
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"

from PySide6 import QtWebEngineWidgets  # noqa: F401  (before the QApplication exists)
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from app.shell import engine
from app.shell.appearance import Appearance
from app.shell.theme import Theme
from tests.certificates import self_sign

# The engine reads its flags once in a process, and they name the exam's port: here one process shows exams of many
# sites. The flags are tried in processes of their own (tests/e2e/hostile).
mock.patch.object(engine, "configure").start()

PATIENCE_MS = 60_000
"""For what Qt or its web engine does at once where a machine has nothing else to do."""


def dressed(theme: Theme, *, steps: int = 0) -> Appearance:
    """Dress the application in ``theme``, with text so many steps larger."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    # Nobody spins an event loop between tests: what they deleted would still be there, and be dressed as well.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    look = Appearance(application, theme)
    if steps:
        look.resize(steps)
    return look


class Listener:
    """A peer that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: object) -> None:
        self.sent.append(message)

    def of(self, kind: type) -> list[Any]:
        """Return the messages of one kind."""
        return [message for message in self.sent if isinstance(message, kind)]


PAGE = """<!doctype html><html><head><title>exam</title></head>
<body style="font: 20px sans-serif; margin: 40px; max-width: 700px">
<h1>Question 3</h1><p id=sel>Which of these is a measure of spread?</p>
<p><label><input type=radio name=a> The median</label></p><p><label><input type=radio name=a> The variance</label></p>
<p><input id=q placeholder="Your reason" style="font: inherit; width: 400px; padding: 8px"></p>
<a id=ext href="http://example.org/">elsewhere</a> <a id=pop href="/popup" target=_blank>popup</a>
<a id=dl href="/file.zip" download>file</a> <a id=out href="/submit">Hand in</a> <a id=gone href="/leave">gone</a>
<script>window.log=[];addEventListener("contextmenu",()=>log.push("menu"))</script></body></html>"""


class Site(http.server.ThreadingHTTPServer):
    """A local exam site that tries things. ``seen`` holds the paths that were asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []
        self.scheme = "http"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """A browser that refuses a certificate hangs up; that is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.seen.append(path)
        status, kind, body, extra = 200, "text/html; charset=utf-8", PAGE.encode(), {}
        match path:
            case "/file.zip":
                kind, body = "application/zip", b"PK" + b"0" * 1000
                extra = {"Content-Disposition": "attachment; filename=file.zip"}
            case "/echo":
                kind, body = "application/json", json.dumps(dict(self.headers)).encode()
            case "/leave":
                status, body, extra = 302, b"", {"Location": "http://example.org/away"}
            case "/submit-then":
                status, body, extra = 302, b"", {"Location": "/thanks"}
            case "/submit-refused":
                status, body = 503, b"<h1>frozen</h1>"
            case "/cookie":
                extra = {"Set-Cookie": "fairlock=token-1; Path=/"}
            case "/framed":
                body = b"<iframe srcdoc='<p id=inner>hello</p>'></iframe><iframe src='data:text/html,bad'></iframe>"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def site(certificate: Path | None = None) -> Iterator[Site]:
    """Serve the site, over TLS with a self-signed certificate written to ``certificate`` if that is given."""
    server = Site()
    if certificate is not None:
        self_sign(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
