"""Live view from a real recorder through a real server to who watches: the very files, sent once, across a crash."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from app.clock import SystemClock
from app.contract import live, schema
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from app.contract.policy import Capture, Detection
from app.contract.sealing import jws, keys
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import segment_name
from app.contract.sealing.records import OPENING_TYPE, POLICY_TYPE, Binding, Opening
from app.contract.sealing.segment import open_segment, parse
from app.contract.sealing.verify import verify_session
from app.contract.wire import ExamLink, ServerKeys
from app.demo import institution as founding
from capture.chain import Place
from tests.e2e.live_rig import watching
from tests.e2e.stage import Stage, stage
from tests.e2e.test_recorder_session import Shell, shell
from tests.faults.network import Answer, Network

DEADLINE_S = 60.0
SEGMENT = re.compile(r"/segments/(\d+)/(\w+)/(\d+)$")

__all__ = ["shell"]


class Wire(Network):
    """Passes everything on, and counts how often each segment was sent as a file and by its record alone."""

    def __init__(self, port: int) -> None:
        super().__init__(port, seed=0, share=0.0)
        self.files: Counter[Place] = Counter()
        self.records: Counter[Place] = Counter()

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        answer = super().forward(method, path, headers, body)
        segment = SEGMENT.search(path)
        if segment and answer.status in (200, 201):
            place = int(segment[1]), Track(segment[2]), int(segment[3])
            (self.files if body else self.records)[place] += 1
        return answer


class Onlooker:
    """Watches a session from a thread, coming back whenever it is cut off."""

    def __init__(self, running: Stage, session: str) -> None:
        self._http = httpx.Client(base_url=running.server, cookies=dict(running.examiner._http.cookies))
        self._session, self._key = session, running.institution.examiner_key
        self._changed = threading.Condition()
        self._over = threading.Event()
        self.openings: dict[Place, str] = {}
        self.files: dict[Place, bytes] = {}
        self._whole: set[Place] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @contextmanager
    def watching(self) -> Iterator["Onlooker"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join(DEADLINE_S)
            self._http.close()

    def wait_for(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, DEADLINE_S), {place: len(data) for place, data in self.files.items()}

    def whole(self) -> Counter[Track]:
        """Return how many files of each track were watched to their end, as who holds the key can tell."""
        with self._changed:
            for place in self.files.keys() - self._whole:
                later = any(place[1] is other[1] and place < other for other in self.files)
                if later and open_segment(self.files[place], self._key).complete:
                    self._whole.add(place)
            return Counter(place[1] for place in self._whole)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with watching(self._http, self._session) as it:
                    while not self._over.is_set() and (pieces := it.take(1)):
                        self._take(pieces[0])
            except (httpx.HTTPError, AssertionError):  # the server is away
                self._over.wait(0.1)

    def _take(self, piece: Piece) -> None:
        place = piece.epoch, piece.track, piece.sequence
        with self._changed:
            if piece.kind is PieceKind.OPENING:
                self.openings[place], self.files[place] = piece.data.decode(), b""
            else:
                assert piece.offset == len(self.files[place])
                self.files[place] += piece.data
            self._changed.notify_all()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as it:
        yield it


def invite(running: Stage, url: str) -> str:
    """Make an exam that may be watched, with short segments, and return a link to it through ``url``."""
    policy = replace(
        founding.demonstration_policy(
            server=url,
            exam_site="http://127.0.0.1:9",
            server_keys=schema.from_json(ServerKeys, running.examiner.get("server")),
            examiner=running.institution.examiner_key,
            seconds=600,
            clock=SystemClock(),
        ),
        exam="watched",
        capture=Capture(live_view=True, segment_ms=2_000, camera_width=320, camera_height=240),
        detection=Detection(objects=False, faces=False, speech=False),
    )
    running.examiner.post("exams", {"policy": jws.sign(policy, running.institution.policy_key, typ=POLICY_TYPE)})
    link = ExamLink.parse(str(running.examiner.post("exams/watched/candidates", {"name": "Ada Example"})["link"]))
    return replace(link, server=url).url()


@pytest.mark.slow
def test_what_is_watched_is_what_is_stored_and_is_sent_once(running: Stage, shell: Shell) -> None:
    with Wire(running.port).running() as wire:
        assert isinstance(wire, Wire)
        joined = shell.record(invite(running, wire.url))
        with Onlooker(running, joined.session).watching() as onlooker:
            onlooker.wait_for(lambda: len(onlooker.whole()) == len(live.MEDIA))
            running.kill_server()
            shell.wait_until(lambda status: not status.online)
            running.restart_server()
            shell.wait_until(lambda status: status.online)
            seen = onlooker.whole()
            onlooker.wait_for(lambda: all(onlooker.whole()[track] > seen[track] for track in live.MEDIA))
        assert shell.finish().complete
    whole = look(running, onlooker)
    assert onlooker.whole() <= whole
    sent_once = {place for place in wire.records if not wire.files[place]}
    assert all(sum(place[1] is track for place in sent_once) >= 1 for track in live.MEDIA), (wire.records, wire.files)
    assert not set(wire.records) & set(wire.files)


def look(running: Stage, onlooker: Onlooker) -> Counter[Track]:
    """Compare what was watched with what is stored; return how many whole files were watched of each track."""
    session = running.examiner.get("sessions")["sessions"][0]["session"]
    export = running.folder / "export.zip"
    running.examiner.download(f"sessions/{session}/export", export)
    key, pin, whole = running.institution.examiner_key, running.institution.pin, Counter[Track]()
    with open_export(export) as archive:
        manifest = archive.manifest()
        verdict = verify_session(manifest, archive, pin=pin, private_key=key)
        assert (verdict.chain, verdict.complete) == ("intact", True), verdict.faults
        (binding,) = (jws.unverified(Binding, token) for token in manifest.bindings)
        signing_key = keys.load_ed25519(binding.signing_key)
        for record in verdict.records:
            place = record.epoch, record.track, record.sequence
            watched, stored = onlooker.files.get(place), archive.read(segment_name(record))
            if watched is None or stored is None:
                continue
            assert stored.startswith(watched)
            opening = jws.verify(Opening, onlooker.openings[place], signing_key, typ=OPENING_TYPE)
            assert opening.header == sha256(parse(stored).header_bytes).digest()
            if sha256(watched).digest() == record.digest:
                whole[record.track] += 1
    return whole
