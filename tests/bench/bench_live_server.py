"""Live view through the server: what a second of a candidate costs it, and each who watches.

Processor time of the real server process, over loopback. The peer of a push is a heartbeat, which each candidate sends
every few seconds anyway; that of a segment which came live is the same with its file uploaded as well. The sides take
turns; the best of some rounds.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil

from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from tests.bench.table import Row
from tests.e2e import live_rig, server_rig
from tests.e2e.server_rig import Application

SECOND = {Track.CAMERA: 40_000, Track.SCREEN: 17_000, Track.MICROPHONE: 3_000}
"""Bytes of each track: camera and sound at the policy's default rates, a screen that changes a good deal."""
SEGMENT_S = 5
TIMES = 200
PAUSE_S = 0.01
"""Between two pushes, so that each one reaches who watches by itself, as it would in an exam."""
WATCHERS = 8
SEGMENTS = 30
ROUNDS = 3


def run() -> list[Row]:
    """Return milliseconds of the server's processor time."""
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        server_rig.prepare(data)
        with server_rig.running(data) as server, httpx.Client(base_url=server.url, trust_env=False) as http:
            institution = server_rig.opened(http, "bench")
            app, other = institution.seat("bench"), institution.seat("bench")
            process = psutil.Process(server.popen.pid)
            pushes = _pushes()
            rounds = [_round(process, app, other, pushes) for _ in range(ROUNDS)]
    alone, watched, beat, kept, sent = (min(column) for column in zip(*rounds, strict=True))
    return [
        _row("server: push of 60 KB / a heartbeat", alone, beat),
        _row(f"server: 60 KB to each of {WATCHERS} who watch / a heartbeat", (watched - alone) / WATCHERS, beat),
        _row("server: 200 KB live and stored from it / live and uploaded", kept, sent),
    ]


def _row(name: str, value: float, peer: float) -> Row:
    ratio = round(value / peer, 2)
    return Row(name=name, value=round(value, 2), unit="ms CPU", peer=round(peer, 2), ratio=ratio, goal="")


def _round(
    process: psutil.Process, app: Application, other: Application, pushes: Iterator[Sequence[Piece]]
) -> tuple[float, float, float, float, float]:
    alone = _spent(process, TIMES, lambda: live_rig.pushed(app, next(pushes)))
    with ExitStack() as watching:
        for _ in range(WATCHERS):
            watching.enter_context(_watcher(app))
        watched = _spent(process, TIMES, lambda: live_rig.pushed(app, next(pushes)))
    beat = _spent(process, TIMES, lambda: app.beat(None))
    kept = _spent(process, SEGMENTS, lambda: _segment(other, upload=False))
    sent = _spent(process, SEGMENTS, lambda: _segment(other, upload=True))
    return alone, watched, beat, kept, sent


def _spent(process: psutil.Process, times: int, action: Callable[[], object]) -> float:
    """Return milliseconds of processor time for each of ``times`` calls."""
    before = process.cpu_times()
    for _ in range(times):
        action()
        time.sleep(PAUSE_S)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) * 1000 / times


def _pushes() -> Iterator[Sequence[Piece]]:
    """Yield what each second brings, segment after segment, without end."""
    second = 0
    while True:
        sequence, part = divmod(second, SEGMENT_S)
        openings = [_piece(PieceKind.OPENING, track, sequence, 0, 800) for track in SECOND if part == 0]
        yield [
            *openings,
            *(_piece(PieceKind.FILE, track, sequence, part * size, size) for track, size in SECOND.items()),
        ]
        second += 1


def _piece(kind: PieceKind, track: Track, sequence: int, offset: int, size: int) -> Piece:
    return Piece(kind=kind, track=track, epoch=0, sequence=sequence, offset=offset, data=os.urandom(size))


def _segment(app: Application, *, upload: bool) -> None:
    record, data = app.seal(Track.CAMERA, size=200_000)
    for piece in live_rig.pieces_of(record, data, size=40_200):
        live_rig.pushed(app, [piece])
    answer = app.put(record, data) if upload else live_rig.put_live(app, record)
    if answer.status_code != 201:
        raise RuntimeError(answer.text)


@contextmanager
def _watcher(app: Application) -> Iterator[None]:
    """Read in a thread until the block is left."""
    begun, over = threading.Event(), threading.Event()

    def read() -> None:
        with (
            httpx.Client(base_url=app.http.base_url, cookies=app.http.cookies, trust_env=False) as http,
            http.stream("GET", f"/api/v1/sessions/{app.session}/live") as answer,
        ):
            begun.set()
            for _ in answer.iter_raw():
                if over.is_set():
                    return

    thread = threading.Thread(target=read)
    thread.start()
    begun.wait(30)
    try:
        yield
    finally:
        over.set()
        thread.join(30)
