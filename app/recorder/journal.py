"""The journal: incidents, gaps, states and notes on their way into the sealed ``journal`` track.

Anybody may write from any thread; one thread seals. The queue is bounded and full is fatal: losing evidence
silently is worse than stopping. While the spool is full, entries wait in memory and are sealed when there is room; if
there is none to the end, the journal's last word is how many entries it lacks.
An incident is on disk within ``FLUSH_S`` and its segment closes within ``CUT_S``, so that an examiner sees it soon.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from app.contract.canonical import Json
from app.contract.errors import Fatal
from app.contract.incidents import EvidenceWindow, Incident
from app.contract.journal import Entry, EntryType, entries_fragment, incident_body, notice_body
from app.contract.times import Clock
from app.mailbox import Bounded, Closed
from app.messages import LockIs
from app.recorder.journal_lines import Line, batches, line
from app.recorder.timeline import Timeline
from capture.frames import Gap
from capture.spool import SpoolFull

FLUSH_S = 0.5
CUT_S = 3.0
CAPACITY = 1024
BATCH = 100
PRE_ROLL_MS = 3_000
POST_ROLL_MS = 3_000
LONGEST_REASON = 300


class PlainSegmenter(Protocol):
    """Where plaintext fragments go (``capture.segmenter.PlainSegmenter``)."""

    def push_plain(self, data: bytes, at_ms: int) -> None:
        """Seal one fragment and put it on disk."""
        ...

    def cut(self) -> None:
        """Close the running segment, if it holds anything."""
        ...

    def close(self) -> None:
        """Close the running segment; nothing follows."""
        ...


class Journal:
    """Collects entries and seals them in the thread ``journal``.

    ``on_dead`` is told in that thread why it ends though nobody stopped it: nothing is sealed from then on, but what
    waits for room may be when it is stopped. ``free_room`` makes room that was kept for the last word.
    """

    def __init__(
        self,
        segmenter: PlainSegmenter,
        timeline: Timeline,
        clock: Clock,
        *,
        on_incident: Callable[[Incident], None] = lambda _incident: None,
        on_dead: Callable[[Exception], object] = lambda _error: None,
        free_room: Callable[[], object] = lambda: None,
    ) -> None:
        self._segmenter = segmenter
        self._timeline = timeline
        self._clock = clock
        self._on_incident, self._on_dead, self._free_room = on_incident, on_dead, free_room
        self._inbox: Bounded[Line] = Bounded(CAPACITY)
        self._waiting: list[Line] = []
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._failure: Exception | None = None
        self._stopped = False
        self.incidents = 0
        self._known: set[str] = set()

    def start(self) -> None:
        """Begin sealing."""
        self._thread.start()

    def incident(self, incident: Incident) -> None:
        """Write an incident; a second one under the same id is an update."""
        start_ms, end_ms = self._timeline.at_ms(incident.start), self._timeline.at_ms(incident.end)
        window = EvidenceWindow(from_ms=max(0, start_ms - PRE_ROLL_MS), to_ms=end_ms + POST_ROLL_MS)
        whole = replace(incident, evidence=window)
        self._write(EntryType.INCIDENT, incident_body(whole, start_ms=start_ms, end_ms=end_ms))
        if incident.id not in self._known:
            self._known.add(incident.id)
            self.incidents += 1
        self._on_incident(whole)

    def gap(self, gap: Gap) -> None:
        """Write a stretch without evidence."""
        body: dict[str, Json] = {
            "track": gap.source.value,
            "from_ms": self._timeline.at_ms(gap.start),
            "to_ms": self._timeline.at_ms(gap.end),
            "reason": gap.reason,
        }
        self._write(EntryType.GAP, body)

    def state(self, state: str, why: str, utc_ms: int) -> None:
        """Write a change of the session's state, which may have been before the journal was opened."""
        self._write(EntryType.STATE, {"state": state, "why": why, "utc_ms": utc_ms})

    def source(self, track: str, facts: Mapping[str, str]) -> None:
        """Write what a track is recorded from."""
        self._write(EntryType.SOURCE, {"track": track, **facts})

    def note(self, **facts: str) -> None:
        """Write something that is neither of these: versions, models."""
        self._write(EntryType.NOTE, dict(facts))

    def quality(self, facts: Mapping[str, str]) -> None:
        """Write how good the camera's picture is, where that changes. It is no incident."""
        self._write(EntryType.QUALITY, dict(facts))

    def agreement(self, token: str, granted: Sequence[str]) -> None:
        """Write what was granted to the candidate, as the institution signed it and in short words."""
        self._write(EntryType.AGREEMENT, {"by_agreement": ", ".join(granted), "jws": token})

    def notice(self, text: str, policy_digest: bytes) -> None:
        """Write which notice the candidate acknowledged, word for word."""
        self._write(EntryType.NOTICE, notice_body(text, policy_digest))

    def lockdown(self, lock: LockIs) -> None:
        """Write how well the computer is locked from now on."""
        body: dict[str, Json] = {
            "tier": lock.tier,
            "platform": lock.platform,
            "holding": list(lock.holding),
            "missing": {name: reason[:LONGEST_REASON] for name, reason in lock.missing.items()},
            "doubts": list(lock.doubts),
        }
        self._write(EntryType.LOCKDOWN, body)

    def stop(self) -> None:
        """Seal what is left and close the track; raises what went wrong in the thread."""
        self._stopped = True
        self._inbox.close()
        self._thread.join(timeout=30)
        try:
            if isinstance(self._failure, SpoolFull):
                self._seal_rest()
            elif self._failure is not None:
                raise self._failure
        finally:  # also what was sealed before the thread failed
            self._segmenter.close()

    def _write(self, kind: EntryType, body: Mapping[str, Json]) -> None:
        if (
            not self._inbox.offer(self._line(kind, body)) and not self._stopped
        ):  # what happens after the end is nobody's evidence
            raise Fatal("The journal can't keep up; stopping rather than losing evidence.", code="E-JOURNAL-FULL")

    def _line(self, kind: EntryType, body: Mapping[str, Json]) -> Line:
        now = self._clock.now()
        return line(Entry(type=kind, at_ms=self._timeline.at_ms(now), utc_ms=now.utc_ms, body=body))

    def _seal_rest(self) -> None:
        """Seal what a full spool refused, or say how much that is: the tracks have ended, and the upload went on."""
        with contextlib.suppress(Closed):
            while (one := self._inbox.take(0)) is not None:
                self._waiting.append(one)
        try:
            self._seal(last_try=True)
        except SpoolFull:
            missing: dict[str, Json] = {"entries_not_written": str(len(self._waiting)), "reason": "no room was left"}
            self._free_room()
            self._waiting = [self._line(EntryType.NOTE, missing)]
            self._seal(last_try=True)
            raise

    def _run(self) -> None:
        try:
            self._seal_all()
        except Exception as error:  # noqa: BLE001  (thread main: kept, told, and raised by stop)
            self._failure = error
            if not self._stopped:
                self._on_dead(error)

    def _seal_all(self) -> None:
        urgent_since: float | None = None
        while True:
            entries, closed = self._collect()
            self._waiting += entries
            self._seal(last_try=closed)
            now_s = self._clock.now().mono_ns / 1e9
            if urgent_since is None and any(e.type is EntryType.INCIDENT for e in entries):
                urgent_since = now_s
            if urgent_since is not None and now_s - urgent_since >= CUT_S and self._cut():
                urgent_since = None
            if closed:
                return

    def _seal(self, *, last_try: bool) -> None:
        """Seal what waits, and take it off the list. No room may come back when the server has received some."""
        try:
            for batch in batches(tuple(self._waiting), BATCH):
                self._segmenter.push_plain(entries_fragment([one.data for one in batch]), batch[0].at_ms)
                del self._waiting[: len(batch)]
        except SpoolFull:
            if last_try or len(self._waiting) > CAPACITY:
                raise

    def _cut(self) -> bool:
        try:
            self._segmenter.cut()
        except SpoolFull:
            return False
        return True

    def _collect(self) -> tuple[list[Line], bool]:
        entries: list[Line] = []
        try:
            while len(entries) < BATCH:
                entry = self._inbox.take(timeout=FLUSH_S if not entries else 0)
                if entry is None:
                    return entries, False
                entries.append(entry)
        except Closed:
            return entries, True
        return entries, False
