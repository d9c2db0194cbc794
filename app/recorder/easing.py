"""Lowers the recording's quality while the computer or its disk can't keep up, and says so each time.

Owns the thread ``quality``, which looks once a second. When to step is decided by ``capture.pressure``; what a step
means, by ``capture.quality``. Never drops anything itself, and never touches what is already recorded.
"""

import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from app.contract.incidents import IncidentKind
from app.contract.times import Clock
from app.messages import Report
from app.recorder.incidents import Incidents
from capture.load import Load
from capture.pressure import Change, Easing, Reading
from capture.quality import LOWEST, Quality
from capture.spool import Spool

LOOK_EVERY_S = 1.0

_log = logging.getLogger("fairlock.recorder")


class EasedTracks(Protocol):
    """What is asked of the tracks."""

    @property
    def quality(self) -> Quality:
        """Return what holds now."""
        ...

    def loads(self) -> Sequence[Load]:
        """Return how hard each track works."""
        ...

    def ease(self, step: int) -> Quality:
        """Record on ``step`` from now on; return the quality that it means."""
        ...


class QualityWatch:
    """Watches ``tracks`` and ``spool``. ``free_bytes`` asks the disk; tests put other numbers there."""

    def __init__(
        self,
        tracks: EasedTracks,
        spool: Spool,
        incidents: Incidents,
        clock: Clock,
        *,
        free_bytes: Callable[[], int] | None = None,
    ) -> None:
        self._tracks, self._spool, self._incidents, self._clock = tracks, spool, incidents, clock
        self._free_bytes = free_bytes or (lambda: shutil.disk_usage(spool.folder).free)
        self._easing = Easing(LOWEST)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="quality", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join()

    def look(self) -> Change | None:
        """Look once; take the step that follows, if one does, and say so."""
        loads = self._tracks.loads()
        change = self._easing.read(
            Reading(
                at_s=self._clock.now().mono_ns / 1e9,
                queued=max((load.queued for load in loads), default=0.0),
                busy=max((load.busy for load in loads), default=0.0),
                spooled=self._spool.pending_bytes() / self._spool.quota_bytes,
                free_bytes=self._free_bytes(),
            )
        )
        if change is not None:
            self._take(change)
        return change

    def _take(self, change: Change) -> None:
        before, after = self._tracks.quality, self._tracks.ease(change.after)
        now = self._clock.now()
        facts = {"from": before.described(), "to": after.described(), "why": change.why, "step": str(change.after)}
        self._incidents.take_report(
            Report(kind=IncidentKind.QUALITY_LOWERED, start=now, end=now, source="recorder", facts=facts)
        )

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception:  # noqa: BLE001  (thread main: the recording goes on as it is, which is worth more)
                _log.exception("the recording's quality stays as it is")
