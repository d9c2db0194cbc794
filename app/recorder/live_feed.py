"""Live view's way up: what the segments' files have taken is sent once a second, whether or not anybody watches.

Runs in the thread ``live``; ``take`` is called in the sealing threads and never blocks or raises. Whatever goes wrong
here ends live view and nothing else: recording and upload know nothing of it. Never reads a file, never holds a data
key: what it sends is what was sealed, and before each segment the session's signed word on its header.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.contract import live
from app.contract.errors import FairlockError, Fatal, Retryable
from app.contract.live import Piece, PieceKind
from app.contract.sealing import jws
from app.contract.sealing.records import FORMAT_VERSION, OPENING_TYPE, Opening
from app.contract.sealing.segment import MAGIC
from app.contract.times import Clock
from app.recorder.live_pieces import LivePieces
from capture.chain import Place

RHYTHM_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S, SELDOM_S = 1.0, 10.0, 60.0
PATIENCE_S = 6.0
"""For so long an upload waits for the last pieces of its segment. They are sent within a second; but on a thin link
that just carried something else as well, waiting takes less of it than sending all of the segment once more.
"""
NOT_ITS_OWN = "E-ANSWER"
PASSING = frozenset({"E-PIN", "E-CERTIFICATE", NOT_ITS_OWN})
"""Codes of somebody who answers in the server's place; it may be gone soon. A server that knows no live view answers
so, too, and is then asked seldom."""

_jitter = random.SystemRandom().random
_log = logging.getLogger("fairlock.recorder")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedParts:
    """What a feed is made of. ``push`` sends pieces as ``ServerClient.push_live`` does; ``is_held`` says whether
    nothing may be sent now.

    ``on_end`` hears once, in the feed's thread, why nothing more is sent before the end, and ``on_wait`` that somebody
    answers who knows no live view. ``on_due`` hears, in the uploader's threads, of each closed segment that was sent
    whether all of it came in time.
    """

    session: str
    signing_key: Ed25519PrivateKey
    push: Callable[[bytes], object]
    clock: Clock
    is_held: Callable[[], bool]
    on_end: Callable[[FairlockError], object]
    on_wait: Callable[[FairlockError], object] = lambda _error: None
    on_due: Callable[[bool], object] = lambda _in_time: None
    jitter: Callable[[], float] = _jitter


class LiveFeed:
    """Sends until it is stopped, or until the server refuses for good."""

    def __init__(self, parts: FeedParts) -> None:
        self._parts, self._clock = parts, parts.clock
        self._pieces = LivePieces(parts.clock)
        self._stopped = threading.Event()
        self._ended_by: FairlockError | None = None
        self._failures = 0
        self._not_before_ns = 0
        self._asks_first = self._told_of_wait = False
        # Not all applications at once: those of an exam are started within a minute.
        self._due_ns = self._clock.now().mono_ns - round(parts.jitter() * RHYTHM_S * 1e9)
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more. Waits for nobody: a push on its way ends by itself."""
        self._stopped.set()
        self._pieces.close()

    def take(self, place: Place, offset: int, data: bytes) -> None:
        """Hear that a segment's file has taken ``data``, which stands in it from ``offset`` on."""
        if self._stopped.is_set():
            return
        try:
            self._pieces.take(place, offset, data)
        except Exception as error:  # noqa: BLE001  (an edge like a thread's main: sealing must go on)
            self._end(Fatal(f"{type(error).__name__}: {error}"))

    def delivered(self, place: Place, size: int) -> bool:
        """Say whether the server got all ``size`` bytes of a closed segment's file, not long ago (``LivePieces``)."""
        came = self._pieces.delivered(place, size, PATIENCE_S)
        if came or self._pieces.comes(place, size):
            self._parts.on_due(came)
        return came

    def rest_s(self) -> float:
        """Return the seconds until the next beat; beats that a slow server cost are not made up for."""
        now_ns = self._clock.now().mono_ns
        self._due_ns = max(now_ns, self._due_ns + round(RHYTHM_S * 1e9))
        return (self._due_ns - now_ns) / 1e9

    def send(self) -> None:
        """Send what waits, unless it is held or a failure was just now."""
        while not self._stopped.is_set():
            if self._is_held():  # asked before each push, since on a thin link there is always something to send
                self._pieces.drop()  # so that no upload waits for it
                return
            try:
                if self._asks_first:
                    self._parts.push(b"")
                    self._asks_first = False
                if not (batch := self._pieces.batch()):
                    return
                self._parts.push(self._encoded(batch))
            except FairlockError as error:
                self._failed(error)
                return
            self._failures = 0
            self._pieces.arrived(batch)

    def _is_held(self) -> bool:
        return self._parts.is_held() or self._clock.now().mono_ns < self._not_before_ns

    def _run(self) -> None:
        try:
            while not self._stopped.wait(self.rest_s()):
                self.send()
        except Exception as error:  # noqa: BLE001  (the thread's main: whatever it is, it must be told)
            _log.exception("live view")
            self._end(Fatal(f"{type(error).__name__}: {error}"))
        self._pieces.close()
        if self._ended_by is not None:
            self._parts.on_end(self._ended_by)

    def _failed(self, error: FairlockError) -> None:
        self._pieces.drop()
        if not isinstance(error, Retryable) and error.code not in PASSING:
            self._end(error)
            return
        if error.code == NOT_ITS_OWN:
            self._asks_first = True  # with empty hands: nobody wants what is sent
            if not self._told_of_wait:
                self._told_of_wait = True
                self._parts.on_wait(error)
        self._failures += 1
        longest_s = SELDOM_S if self._asks_first else LONGEST_WAIT_S
        wait_s = min(longest_s, FIRST_WAIT_S * 2.0 ** min(self._failures - 1, 10))
        wait_s *= 0.5 + 0.5 * self._parts.jitter()
        if isinstance(error, Retryable) and error.after_s is not None:
            wait_s = max(wait_s, error.after_s * (1 + 0.2 * self._parts.jitter()))
        self._not_before_ns = self._clock.now().mono_ns + round(wait_s * 1e9)

    def _end(self, error: FairlockError) -> None:
        if not self._stopped.is_set():  # else it is over anyhow
            self._ended_by = error
            self._stopped.set()

    def _encoded(self, batch: Sequence[Piece]) -> bytes:
        return b"".join(
            live.encode(piece) for file in batch for piece in ((file,) if file.offset else (self._opening(file), file))
        )

    def _opening(self, first: Piece) -> Piece:
        """Return the session's word on the header that a segment's first piece is (magic, length, header)."""
        opening = Opening(
            version=FORMAT_VERSION,
            session=self._parts.session,
            epoch=first.epoch,
            track=first.track,
            sequence=first.sequence,
            header=sha256(first.data[len(MAGIC) + 4 :]).digest(),
        )
        token = jws.sign(opening, self._parts.signing_key, typ=OPENING_TYPE)
        return replace(first, kind=PieceKind.OPENING, data=token.encode())
