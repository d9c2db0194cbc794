"""One track from source to spool, in two threads: ``<track>-read`` and ``<track>-seal``.

::

    source.read ──> on_frame (detectors)
        └──> Bounded ──> encoder ──> segmenter (seal, spool)

The reader never waits for the encoder: what does not fit into the queue is dropped, counted and told as one ``Gap``.
A source that is lost is told once and tried again every second; the time between is a ``Gap``. Never decides what an
error means for the session: that is for the callbacks, which run in these threads and must be quick.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from app.contract.errors import FairlockError, Fatal, UserFacing
from app.contract.incidents import Track
from app.contract.times import Clock, Instant
from app.mailbox import Bounded, Closed
from capture.fragments import Encoder, Fragment
from capture.frames import AudioChunk, Frame, Gap
from capture.segmenter import Segmenter
from capture.sources import SourceLost
from capture.spool import SpoolFull
from capture.timeline import to_instant

T = TypeVar("T", bound=Frame | AudioChunk)
T_co = TypeVar("T_co", covariant=True)

_IDLE_S = 1.0
"""After this long without an item the encoder stands in for it, so that segments still close and can be watched."""


class Source(Protocol[T_co]):
    """What a recorder needs of a ``VideoSource`` or an ``AudioSource``."""

    def open(self) -> None:
        """Claim the device."""
        ...

    def read(self) -> T_co:
        """Block until the next item; raises ``SourceLost``."""
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


class _Drops:
    """Items that found no room, until one does."""

    def __init__(self) -> None:
        self.total = 0
        self._run = 0
        self._since: Instant | None = None

    def add(self, at: Instant) -> None:
        self._since = self._since or at
        self._run += 1
        self.total += 1

    def end(self, track: Track, until: Instant) -> Gap | None:
        since, count = self._since, self._run
        self._since, self._run = None, 0
        if since is None:
            return None
        return Gap(source=track, start=since, end=until, reason=f"{count} dropped, the machine was too slow")


class TrackRecorder(Generic[T]):
    """Records ``source`` until stopped. ``rate`` is its items per second, ``queue_s`` the queue's length in seconds.

    The source must be open; ``stop`` closes it. ``on_gap`` and ``on_error`` may be called from both threads.
    """

    def __init__(
        self,
        *,
        track: Track,
        source: Source[T],
        encoder: Encoder[T],
        segmenter: Segmenter,
        rate: float,
        queue_s: float,
        clock: Clock,
        timeline_origin: Instant,
        on_frame: Callable[[T], None] | None,
        on_gap: Callable[[Gap], None],
        on_error: Callable[[FairlockError], None],
        on_fragment: Callable[[Fragment], None] | None = None,
        retry_s: float = 1.0,
    ) -> None:
        self.track = track
        self._source, self._encoder, self._segmenter = source, encoder, segmenter
        self._clock, self._origin, self._period_s = clock, timeline_origin, 1 / rate
        self._on_frame, self._on_gap, self._on_error, self._on_fragment = on_frame, on_gap, on_error, on_fragment
        self._retry_s = retry_s
        self._queue: Bounded[T] = Bounded(math.ceil(rate * queue_s))
        self._stopping = threading.Event()
        self._drops = _Drops()
        self._last: T | None = None
        self._lost_since: Instant | None = None
        self._full_since: Instant | None = None
        self._reader = threading.Thread(target=self._run, args=(self._read,), name=f"{track}-read", daemon=True)
        self._sealer = threading.Thread(target=self._run, args=(self._seal,), name=f"{track}-seal", daemon=True)

    @property
    def dropped(self) -> int:
        """Return how many items found no room so far."""
        return self._drops.total

    def start(self) -> None:
        """Start both threads."""
        self._sealer.start()
        self._reader.start()

    def stop(self, deadline_s: float) -> bool:
        """Stop the source, drain the queue, flush the encoder, close the segment.

        Returns ``False`` when that was not done after ``deadline_s``; what is on disk is then recovered later.
        """
        until = time.monotonic() + deadline_s
        self._stopping.set()
        self._reader.join(max(0.0, until - time.monotonic()))
        self._queue.close()
        self._sealer.join(max(0.0, until - time.monotonic()))
        return not self._reader.is_alive() and not self._sealer.is_alive()

    def _run(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Exception as error:  # noqa: BLE001  (the thread's main: whatever it is, it must be told)
            self._stopping.set()
            self._on_error(
                error if isinstance(error, FairlockError) else Fatal(f"{self.track}: {type(error).__name__}: {error}")
            )

    # --- reader thread -------------------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    item = self._source.read()
                except SourceLost as error:
                    self._lose(error)
                else:
                    self._take(item)
        finally:
            self._source.close()
            self._queue.close()
            now = self._clock.now()
            self._found(now)
            self._tell(self._drops.end(self.track, now))

    def _take(self, item: T) -> None:
        self._found(item.at)
        if self._last is not None and item.seq > self._last.seq + 1:
            lost = item.seq - self._last.seq - 1
            self._tell(self._gap(self._end_of_last(), item.at, f"{lost} lost in the device's driver"))
        self._last = item
        if self._on_frame is not None:
            self._on_frame(item)
        if self._queue.offer(item):
            self._tell(self._drops.end(self.track, item.at))
        else:
            self._drops.add(item.at)

    def _lose(self, error: SourceLost) -> None:
        """Tell once, then try to open the source again until it opens or the recorder stops."""
        if self._lost_since is None:
            self._lost_since = self._end_of_last()
            self._on_error(error)
        self._source.close()
        while not self._stopping.wait(self._retry_s):
            try:
                self._source.open()
            except (UserFacing, SourceLost):
                continue
            return

    def _found(self, at: Instant) -> None:
        if self._lost_since is not None:
            self._tell(self._gap(self._lost_since, at, "the device was lost"))
            self._lost_since = None

    def _end_of_last(self) -> Instant:
        if self._last is None:
            return self._clock.now()
        return to_instant(round(self._period_s * 1000), self._last.at)

    # --- sealing thread ------------------------------------------------------------------------------------------

    def _seal(self) -> None:
        while True:
            try:
                item = self._queue.take(_IDLE_S)
            except Closed:
                break
            if item is not None:
                self._store(self._encoder.encode(item))
            else:
                self._store(self._encoder.fill(to_instant(-round(_IDLE_S * 1000), self._clock.now())))
        self._store(self._encoder.finish())
        try:
            self._segmenter.close()
        except SpoolFull as error:
            self._on_error(error)
        if self._full_since is not None:
            self._tell(self._gap(self._full_since, self._clock.now(), "no room on the disk"))

    def _store(self, fragments: list[Fragment]) -> None:
        for fragment in fragments:
            try:
                stored = self._segmenter.push(fragment)
            except SpoolFull as error:
                if self._full_since is None:
                    self._full_since = to_instant(fragment.start_ms, self._origin)
                    self._on_error(error)
                continue
            if stored and self._full_since is not None:
                until = to_instant(fragment.start_ms, self._origin)
                self._tell(self._gap(self._full_since, until, "no room on the disk"))
                self._full_since = None
            if stored and self._on_fragment is not None:
                self._on_fragment(fragment)

    # --- both ----------------------------------------------------------------------------------------------------

    def _gap(self, start: Instant, end: Instant, reason: str) -> Gap:
        return Gap(source=self.track, start=start, end=max(start, end), reason=reason)

    def _tell(self, gap: Gap | None) -> None:
        if gap is not None:
            self._on_gap(gap)
