"""A small HTTP server that stands in for the relay of live view: it keeps what is pushed, or answers as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.contract import live
from app.contract.errors import IntegrityError
from app.contract.live import Piece, PieceKind
from capture.chain import Place


@dataclass(slots=True)
class Relay:
    """``answer`` is status, headers and body of what comes next; a heartbeat waits for ``answers_beats``."""

    url: str = ""
    answer: tuple[int, dict[str, str], bytes] = (204, {}, b"")
    answers_beats: threading.Event = field(default_factory=threading.Event)
    hanging: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    news: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    def refuse(self, status: int, code: str) -> None:
        """Answer from now on as the server refuses."""
        self.answer = (status, {"Content-Type": "application/json"}, json.dumps({"code": code, "detail": ""}).encode())

    def files(self) -> dict[Place, bytes]:
        """Return the beginnings of files that came, each after its opening and without a hole."""
        files: dict[Place, bytes] = {}
        for piece in self.pieces:
            place = piece.epoch, piece.track, piece.sequence
            if piece.kind is PieceKind.OPENING:
                assert place not in files
                files[place] = b""
            else:
                assert piece.offset == len(files[place])
                files[place] += piece.data
        return files

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if request.path.endswith("/heartbeat"):
            self.hanging.release()
            assert self.answers_beats.wait(60)
        self.lines.add(request.client_address[1])
        self.asked.append((f"{request.command} {request.path}", request.headers["Authorization"]))
        self.headers.append(dict(request.headers))
        self.bodies.append(body)
        status, headers, text = self.answer
        if status == 204 and request.path.endswith("/live"):
            try:
                self.pieces += live.decode(body)
            except IntegrityError:
                status = 422  # as the server says of tracks that nobody may watch
        request.send_response(status)
        for name, value in {**headers, **({"Content-Length": str(len(text))} if status != 204 else {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text)
        self.news.release()


@contextmanager
def relay() -> Iterator[Relay]:
    """Run one on a free port."""
    it = Relay()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open, as the server's do

        def do_POST(self) -> None:
            it.take(self)

        do_PUT = do_POST  # noqa: N815  (the library's name)

        def log_message(self, *_: object) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    it.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield it
    finally:
        it.answers_beats.set()
        http.shutdown()
        http.server_close()
        thread.join(10)
