"""The exam's site, whose pages try everything, and strangers: listeners that count what reaches them.

Threads of the test's process, only on 127.0.0.0/8. The exam is at 127.0.0.1; a stranger stands at 127.0.0.2 (another
host) or beside the exam at another port of 127.0.0.1 (a program on the candidate's own machine).
"""

import http.server
import selectors
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

EXAM_HOST = "127.0.0.1"
OTHER_HOST = "127.0.0.2"
MOST_BYTES = 2_048
_WELCOME = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Connection: close\r\n\r\nhi"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the exam's site says to one path."""

    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class ExamSite(http.server.ThreadingHTTPServer):
    """``answers`` is filled by the tests; ``seen`` holds each path that was asked for, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((EXAM_HOST, 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.seen: list[str] = []
        self.origin = f"http://{EXAM_HOST}:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """A browser that stops loading hangs up; that is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ExamSite
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece: two would wait 40 ms for each other

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.seen.append(path)
        answer = self.server.answers.get(path, Answer(status=404))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET  # noqa: N815  (the name that http.server asks for)


class Stranger:
    """Listens on one port by TCP and by UDP. ``arrivals`` holds the first bytes of each connection or packet."""

    def __init__(self, host: str) -> None:
        self._tcp = socket.create_server((host, 0))
        self.host, self.port = self._tcp.getsockname()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((host, self.port))
        self.arrivals: list[bytes] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join()
        self._tcp.close()
        self._udp.close()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._tcp, selectors.EVENT_READ)
            selector.register(self._udp, selectors.EVENT_READ)
            while not self._closing.is_set():
                for key, _events in selector.select(0.05):
                    if key.fileobj is self._udp:
                        self.arrivals.append(self._udp.recv(MOST_BYTES))
                    else:
                        threading.Thread(target=self._greet, args=(self._tcp.accept()[0],), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        place = len(self.arrivals)
        self.arrivals.append(b"")  # the connection alone counts
        with connection:
            connection.settimeout(2.0)
            try:
                self.arrivals[place] = connection.recv(MOST_BYTES)
                connection.sendall(_WELCOME)
            except OSError:
                pass


@contextmanager
def exam_site() -> Iterator[ExamSite]:
    """Serve the exam's site."""
    server = ExamSite()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def stranger(host: str) -> Iterator[Stranger]:
    """Listen at ``host``."""
    listening = Stranger(host)
    try:
        yield listening
    finally:
        listening.close()
