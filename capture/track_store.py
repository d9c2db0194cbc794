"""What a track has stored so far: its segments, up to where, and since when nothing could be stored.

Belongs to the track's sealing thread. Only ``take_over`` is for another one: whoever stops a track whose sealing thread
stands in its encoder closes the segment in its place, and what that thread brings when it wakes up is refused. Never
waits for an encoder, and calls nobody while it holds its lock.
"""

import threading
from collections.abc import Callable, Sequence

from app.contract.times import Instant
from capture.fragments import Fragment
from capture.frames import Gap
from capture.holes import Hole
from capture.segmenter import Segmenter
from capture.spool import SpoolFull
from capture.timeline import to_instant

NO_ROOM = "no room on the disk"


class TrackStore:
    """Fragments to ``segmenter``. ``on_full`` is told once each time that there is no room any more."""

    def __init__(
        self,
        segmenter: Segmenter,
        *,
        timeline_origin: Instant,
        on_gap: Callable[[Gap], None],
        on_full: Callable[[SpoolFull], None],
        on_fragment: Callable[[Fragment], None] | None,
    ) -> None:
        self._segmenter, self._origin = segmenter, timeline_origin
        self._on_gap, self._on_full, self._on_fragment = on_gap, on_full, on_fragment
        self._lock = threading.Lock()
        self._hole = Hole(segmenter.track)
        self._until = timeline_origin
        self._is_full = self._is_over = False
        self._is_closed = True

    @property
    def until(self) -> Instant:
        """Return where that which is stored ends."""
        return self._until

    @property
    def is_closed(self) -> bool:
        """Return whether everything that was stored is in segments that are closed."""
        return self._is_closed

    @property
    def is_over(self) -> bool:
        """Return whether it was taken over: nothing is stored any more."""
        return self._is_over

    def start(self, at: Instant) -> None:
        """Begin: before ``at`` there is nothing to store."""
        self._until = at

    def keep(self, fragments: Sequence[Fragment]) -> None:
        """Store ``fragments``; the time of those for which there is no room becomes a gap."""
        for fragment in fragments:
            start = to_instant(fragment.start_ms, self._origin)
            try:
                with self._lock:
                    if self._is_over:
                        return
                    self._is_closed = False
                    if not self._segmenter.push(fragment):
                        continue
                    self._until = to_instant(fragment.start_ms + fragment.duration_ms, self._origin)
                    gap = self._hole.close(start)
            except SpoolFull as error:
                self._refuse(start, error)
                continue
            self._is_full = False
            if gap is not None:
                self._on_gap(gap)
            if self._on_fragment is not None:
                self._on_fragment(fragment)

    def begin_with(self, mime: str, init: bytes) -> None:
        """Let the segments from the next one on begin with ``init``: another encoder writes them."""
        with self._lock:
            if not self._is_over:
                self._segmenter.begin_with(mime, init)

    def close(self) -> None:
        """Close the last segment; raises ``SpoolFull`` where there is no room for its end."""
        with self._lock:
            if not self._is_over:
                self._close()

    def take_over(self, wait_s: float) -> None:
        """Close the last segment in the sealing thread's place, and refuse what that thread brings from now on.

        Waits ``wait_s`` seconds for a thread that is storing something at the moment; one that stands in the disk keeps
        its segment, which ``is_closed`` says. Raises ``SpoolFull``.
        """
        if not self._lock.acquire(timeout=wait_s):
            return
        try:
            self._is_over = True
            self._close()
        finally:
            self._lock.release()

    def interrupt(self, reason: str) -> None:
        """Let a gap begin where that which is stored ends; what has begun already goes on."""
        self._hole.open(self._until, reason)

    def end_gap(self, until: Instant) -> Gap | None:
        """Return the stretch up to ``until`` for which nothing was stored, if there is one."""
        return self._hole.close(until)

    def _close(self) -> None:
        self._is_closed = False
        self._segmenter.close()
        self._is_closed = True

    def _refuse(self, start: Instant, error: SpoolFull) -> None:
        self._hole.open(start, NO_ROOM)
        if not self._is_full:
            self._is_full = True
            self._on_full(error)
