"""What tests of live view send and read: pieces of a sealed file, pushed and watched over HTTP."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from app.contract import live, wire
from app.contract.live import Piece, PieceKind
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from tests.e2e.server_rig import Application


def pieces_of(record: str, data: bytes, *, size: int = 1_000) -> list[Piece]:
    """Return an opening and the pieces of a sealed file; the server does not read the opening."""
    said = jws.unverified(Record, record)

    def piece(kind: PieceKind, offset: int, held: bytes) -> Piece:
        return Piece(kind=kind, track=said.track, epoch=said.epoch, sequence=said.sequence, offset=offset, data=held)

    cuts = range(0, len(data), size)
    return [piece(PieceKind.OPENING, 0, b"signed"), *(piece(PieceKind.FILE, at, data[at : at + size]) for at in cuts)]


def push(app: Application, pieces: Sequence[Piece] | bytes) -> httpx.Response:
    """Send pieces as the application does and return whatever comes."""
    body = pieces if isinstance(pieces, bytes) else b"".join(map(live.encode, pieces))
    return app.http.post(f"/api/v1/sessions/{app.session}/live", content=body, headers=app.bearer)


def pushed(app: Application, pieces: Sequence[Piece]) -> None:
    """Send pieces; anything but 204 fails the test."""
    answer = push(app, pieces)
    assert answer.status_code == 204, answer.text


def put_live(app: Application, record: str) -> httpx.Response:
    """Ask for what was pushed to be stored, and return whatever comes."""
    said = jws.unverified(Record, record)
    path = f"/api/v1/sessions/{app.session}/segments/{said.epoch}/{said.track}/{said.sequence}"
    headers = app.bearer | {wire.RECORD_HEADER: record, wire.LIVE_HEADER: "1"}
    answer = app.http.put(path, headers=headers)
    assert answer.request.headers["Content-Length"] == "0"
    return answer


@dataclass
class Watching:
    """One answer without end, read piece by piece."""

    answer: httpx.Response
    signs: int = 0
    _buffer: bytearray = field(default_factory=bytearray)
    _pieces: list[Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chunks = self.answer.iter_raw()

    def take(self, number: int) -> list[Piece]:
        """Return the next pieces, waiting for them; fewer when the answer ends."""
        while len(self._pieces) < number and self._more():
            pass
        taken, self._pieces = self._pieces[:number], self._pieces[number:]
        return taken

    def sign(self) -> None:
        """Wait for a sign of life."""
        before = self.signs
        while self.signs == before:
            assert self._more(), "the answer ended"

    def rest(self) -> list[Piece]:
        """Return what comes until the answer ends."""
        while self._more():
            pass
        return self._pieces

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self.signs += chunk == live.SIGN_OF_LIFE
        self._buffer += chunk
        self._pieces += live.take(self._buffer)
        return True


@contextmanager
def watching(http: httpx.Client, session: str) -> Iterator[Watching]:
    """Watch a session with the cookie of ``http``."""
    with http.stream("GET", f"/api/v1/sessions/{session}/live") as answer:
        assert answer.status_code == 200, answer.read()
        yield Watching(answer)
