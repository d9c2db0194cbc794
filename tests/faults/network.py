"""A network that goes wrong, as often and in the ways that a seed decides: an HTTP proxy between client and server.

It works by whole requests, because that is where a client has to decide whether to send again: a request may be cut
in the middle, its answer lost or cut, it may arrive late, twice, or after a later one.
"""

import contextlib
import http.client
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
ANSWER_S = 15.0
HELD_S = 1.5
LONGEST_DELAY_S = 1.0


class Trouble(StrEnum):
    """What may happen to one request."""

    CUT_REQUEST = "request cut"
    LOSE_ANSWER = "answer lost"
    CUT_ANSWER = "answer cut"
    DELAY = "request late"
    DUPLICATE = "request twice"
    REORDER = "request overtaken"
    BUSY = "server busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Network:
    """Forwards to ``port`` on 127.0.0.1; ``share`` of the requests meet trouble, drawn with ``seed``."""

    def __init__(self, port: int, *, seed: int, share: float) -> None:
        self.upstream = port
        self.share = share
        self.met: Counter[str] = Counter()
        self._draw = random.Random(seed)  # noqa: S311  (seeded, so that a failure can be repeated)
        self._lock = threading.Lock()
        self._passed = threading.Condition()
        self._passes = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    @property
    def url(self) -> str:
        """The address that clients use."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["Network"]:
        """Forward until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="network", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(10)

    def calm(self) -> None:
        """No more trouble."""
        self.share = 0.0

    def draw(self) -> tuple[Trouble | None, float]:
        """Decide what happens to the next request, and how much of it (0 to 1)."""
        with self._lock:
            meets = self._draw.random() < self.share
            trouble = self._draw.choice(list(Trouble)) if meets else None
            if trouble is not None:
                self.met[trouble.value] += 1
            return trouble, self._draw.random()

    def wait_to_be_overtaken(self) -> None:
        """Return when another request has gone by, or after a while."""
        with self._passed:
            now = self._passes
            self._passed.wait_for(lambda: self._passes != now, HELD_S)

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Send one whole request; raises ``OSError`` or ``HTTPException`` when the server is not there."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=ANSWER_S)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            with self._passed:
                self._passes += 1
                self._passed.notify_all()
            said = connection.getresponse()
            return Answer(status=said.status, headers=said.getheaders(), body=said.read())

    def begin(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes, share: float) -> None:
        """Send the head and the first ``share`` of the body, then vanish."""
        kept = [f"{name}: {value}" for name, value in headers if name.lower() not in HOP_BY_HOP]
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *kept, f"Content-Length: {len(body)}", "", ""])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.upstream), 5) as line:
            line.sendall(head.encode("latin-1") + body[: int(len(body) * share)])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        network = self

        class Handler(_Handler):
            """Bound to this network."""

            net = network

        return Handler


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    net: Network

    def handle_one_request(self) -> None:
        """Read and answer one request; a client that went away is no news."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        """Pass a request on."""
        self._pass()

    def do_POST(self) -> None:
        """Pass a request on."""
        self._pass()

    def do_PUT(self) -> None:
        """Pass a request on."""
        self._pass()

    def do_DELETE(self) -> None:
        """Pass a request on."""
        self._pass()

    def do_HEAD(self) -> None:
        """Pass a request on."""
        self._pass()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = (self.command, self.path, self.headers.items(), body)
        trouble, share = self.net.draw()
        if trouble is Trouble.CUT_REQUEST:
            self.net.begin(*request, share)
            self._vanish()
            return
        if trouble is Trouble.BUSY:
            self._answer(Answer(status=503, headers=[("Retry-After", "1")], body=b""))
            return
        if trouble is Trouble.DELAY:
            threading.Event().wait(share * LONGEST_DELAY_S)
        elif trouble is Trouble.REORDER:
            self.net.wait_to_be_overtaken()
        try:
            answer = self.net.forward(*request)
            if trouble is Trouble.DUPLICATE:
                answer = self.net.forward(*request)
        except (OSError, http.client.HTTPException):
            self._vanish()
            return
        if trouble is Trouble.LOSE_ANSWER:
            self._vanish()
        else:
            self._answer(answer, cut=share if trouble is Trouble.CUT_ANSWER else None)

    def _answer(self, answer: Answer, *, cut: float | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        said = {name.lower(): value for name, value in answer.headers}.get("content-length")
        length = said if self.command == "HEAD" and said else str(len(answer.body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if cut is None:
            self.wfile.write(answer.body)
        else:
            self.wfile.write(answer.body[: int(len(answer.body) * cut)])
            self._vanish()

    def _vanish(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
