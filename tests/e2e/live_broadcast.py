"""A candidate's application as live view sees it: real media, sealed segment by segment and sent as they are recorded.

The pictures are encoded beforehand; sealing, signing and sending happen at real pace, in a thread of their own.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contract import live
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind
from app.contract.policy import Codec
from app.contract.sealing import jws
from app.contract.sealing.records import FORMAT_VERSION, OPENING_TYPE, RECORD_TYPE, Opening
from app.contract.sealing.segment import SegmentSealer
from app.contract.times import Instant
from tests.e2e import console_media as media
from tests.e2e.server_rig import Application

STEP_S = 0.25
"""So often what was recorded meanwhile is sent."""


def material(seconds: float) -> list[media.Cut]:
    """Encode some seconds of camera, screen and microphone."""
    origin = Instant(mono_ns=0, utc_ms=0)
    return [
        *media.camera(origin, seconds),
        *media.screen(origin, seconds),
        *media.microphone(origin, seconds),
    ]


NO_BOX = b"\0\0\0\4moof" * 2
"""A box that says it is shorter than its own head."""


def changing_screen(cuts: Sequence[media.Cut]) -> list[media.Cut]:
    """Return a screen whose second segment no browser plays, and which has another size and codec after that."""
    first, second, third, *_ = [cut for cut in cuts if cut.track is Track.SCREEN]
    broken = replace(second, pieces=(second.pieces[0], *(NO_BOX for _ in second.pieces[1:])))
    origin = Instant(mono_ns=0, utc_ms=0)
    smaller = media.screen(origin, 20, lambda at_s: media.draw_screen(at_s)[:, :480], Codec.AV1)
    return [first, broken, *(cut for cut in smaller if cut.start_ms >= third.start_ms)]


@dataclass(kw_only=True)
class Broadcast:
    """Sends ``cuts`` to the server of ``application``, from the moment it is started."""

    application: Application
    cuts: Sequence[media.Cut]
    forged: frozenset[Track] = frozenset()
    """Tracks whose openings are signed by somebody else."""
    url: str
    hold_at_s: float
    """Where the recording stands still; may be changed meanwhile."""
    place_s: float = 0.0
    """How much was recorded."""
    stored: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _other: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @contextmanager
    def running(self) -> Iterator["Broadcast"]:
        """Send while the block runs."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join(30)

    def _run(self) -> None:
        waiting = [_Recording(self, cut) for cut in self.cuts]
        last = time.monotonic()
        with httpx.Client(base_url=self.url, trust_env=False, timeout=30) as http:
            while waiting and not self._stop.is_set():
                now = time.monotonic()
                self.place_s, last = min(self.hold_at_s, self.place_s + now - last), now
                due = [piece for recording in waiting for piece in recording.until(self.place_s)]
                if due:
                    self._push(http, due)
                for recording in [one for one in waiting if one.is_over]:
                    waiting.remove(recording)
                    self._store(recording)
                self._stop.wait(STEP_S)

    def _push(self, http: httpx.Client, pieces: Sequence[Piece]) -> None:
        url = f"/api/v1/sessions/{self.application.session}/live"
        answer = http.post(url, content=b"".join(map(live.encode, pieces)), headers=self.application.bearer)
        assert answer.status_code == 204, answer.text

    def _store(self, recording: "_Recording") -> None:
        application = self.application
        record = jws.sign(recording.record(application.head), application.signing, typ=RECORD_TYPE)
        application.head = jws.digest(record)
        application.records.append(record)
        assert application.put(record, bytes(recording.file)).status_code == 201
        self.stored += 1

    def opening(self, sealer: SegmentSealer) -> bytes:
        """Sign the session's word on a header."""
        header = sealer.header
        said = Opening(
            version=FORMAT_VERSION,
            session=header.session,
            epoch=header.epoch,
            track=header.track,
            sequence=header.sequence,
            header=sha256(sealer.preamble[8:]).digest(),
        )
        key = self._other if header.track in self.forged else self.application.signing
        return jws.sign(said, key, typ=OPENING_TYPE).encode()


class _Recording:
    """One segment while it is recorded."""

    def __init__(self, broadcast: Broadcast, cut: media.Cut) -> None:
        self._broadcast, self._cut = broadcast, cut
        self._sealer: SegmentSealer | None = None
        self._next = 0
        self.file = bytearray()

    @property
    def is_over(self) -> bool:
        return self._sealer is not None and self._sealer.complete

    def until(self, place_s: float) -> Iterator[Piece]:
        """Yield the pieces that are there when the recording has come to ``place_s``."""
        while not self.is_over and self._due_s() <= place_s:
            if self._sealer is None:
                self._sealer = self._begin()
                yield self._piece(PieceKind.OPENING, 0, self._broadcast.opening(self._sealer))
                yield self._write(self._sealer.preamble)
            last = self._next == len(self._cut.pieces)
            plain = b"" if last else self._cut.pieces[self._next]
            self._next += 1
            yield self._write(bytes(self._sealer.seal(plain, final=last)))

    def record(self, previous: bytes) -> object:
        assert self._sealer is not None
        cut = self._cut
        return self._sealer.record(previous=previous, duration_ms=cut.duration_ms, closed_ms=_utc_ms())

    def _due_s(self) -> float:
        """The initialisation bytes begin a segment, each fragment takes its time, the final one comes with the last."""
        fragments = len(self._cut.pieces) - 1
        return (self._cut.start_ms + self._cut.duration_ms * min(1.0, self._next / fragments)) / 1000

    def _begin(self) -> SegmentSealer:
        application, cut = self._broadcast.application, self._cut
        sequence = application.sequences.get(cut.track, 0)
        application.sequences[cut.track] = sequence + 1
        return SegmentSealer(
            session=application.session,
            epoch=0,
            track=cut.track,
            sequence=sequence,
            mime=cut.mime,
            start_ms=cut.start_ms,
            utc_ms=_utc_ms() - round(self._broadcast.place_s * 1000) + cut.start_ms,
            previous=application.head,
            recipients=application.policy.recipients,
        )

    def _write(self, data: bytes) -> Piece:
        offset = len(self.file)
        self.file += data
        return self._piece(PieceKind.FILE, offset, data)

    def _piece(self, kind: PieceKind, offset: int, data: bytes) -> Piece:
        assert self._sealer is not None
        header = self._sealer.header
        return Piece(
            kind=kind, track=header.track, epoch=header.epoch, sequence=header.sequence, offset=offset, data=data
        )


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000
