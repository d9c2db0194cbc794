"""What a session used up, kept beside its spool: agreed breaks and tried quit codes, which no new start gives back.

The server remembers the same from heartbeats (``server.verification.spending``); the note holds while it can't be
reached, and of the two the greater counts. Written by the recorder's main thread, read by the thread ``heartbeat``.
A note that is torn, missing or can't be written keeps nobody from anything. Never holds a code.
"""

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

from app.contract import schema
from app.contract.errors import IntegrityError
from app.contract.schema import setting
from app.contract.times import Clock, Instant
from app.contract.wire import LONGEST_BREAKS_MS, MOST_TRIES, Spent
from capture.durable import sync_folder

NOTE = "spent.json"

_log = logging.getLogger("fairlock.recorder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """``breaks_ms`` are the breaks before the one that lasts since ``break_from_ms`` (UTC), if one does."""

    breaks_ms: int = setting(0, doc="Agreed breaks that are over.", minimum=0, maximum=LONGEST_BREAKS_MS)
    break_from_ms: int | None = setting(None, doc="When the break began that lasts.", minimum=0)
    tries: int = setting(0, doc="Quit codes tried so far.", minimum=0, maximum=MOST_TRIES)


class SpentHere:
    """``folder`` is the session's. What an earlier program noted there counts, a break it died in until now."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / NOTE
        self._clock = clock
        note = _read(self._path)
        now = clock.now()
        passed_ms = 0 if note.break_from_ms is None else max(0, now.utc_ms - note.break_from_ms)
        self._note = replace(note, breaks_ms=_within(note.breaks_ms + passed_ms), break_from_ms=None)
        self._since: Instant | None = None
        self.carried_over = Spent()

    def take_over(self, told: Spent) -> Spent:
        """Return what counts, ``told`` being what the server remembers: of each the greater."""
        note = self._note
        self._note = replace(note, breaks_ms=max(note.breaks_ms, told.breaks_ms), tries=max(note.tries, told.tries))
        self.carried_over = self.told()
        return self.carried_over

    def facts(self) -> dict[str, str]:
        """Return what a restart carried over, in neutral words for the journal; empty if nothing."""
        over, said = self.carried_over, dict[str, str]()
        if over.breaks_ms:
            said["breaks_used_before_restart_s"] = str(over.breaks_ms // 1000)
        if over.tries:
            said["quit_codes_tried_before_restart"] = str(over.tries)
        return said

    def breaks_are(self, breaks_ms: int, *, lasting: bool) -> None:
        """So much of the breaks is used up; ``lasting``: one begins, or goes on, now."""
        self._since = since = self._clock.now() if lasting else None
        from_ms = since.utc_ms if since is not None else None
        self._write(replace(self._note, breaks_ms=_within(breaks_ms), break_from_ms=from_ms))

    def codes_tried(self, tries: int) -> None:
        """So many quit codes were tried."""
        self._write(replace(self._note, tries=min(MOST_TRIES, tries)))

    def told(self) -> Spent:
        """Return what the server is told now."""
        note, since = self._note, self._since
        lasted_ms = 0 if since is None else (self._clock.now().mono_ns - since.mono_ns) // 1_000_000
        return Spent(breaks_ms=_within(note.breaks_ms + lasted_ms), on_break=since is not None, tries=note.tries)

    def _write(self, note: Note) -> None:
        self._note = note
        part = self._path.with_suffix(".part")
        try:
            part.touch(mode=0o600)
            with part.open("wb") as file:
                file.write(schema.dumps(note))
                file.flush()
                os.fsync(file.fileno())  # a power cut must not be a way to get a break anew
            part.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:  # the server is told all the same
            _log.warning("what was used up can't be noted (%s)", error.strerror)


def _read(path: Path) -> Note:
    try:
        return schema.loads(Note, path.read_bytes())
    except FileNotFoundError:
        return Note()
    except (OSError, IntegrityError) as error:
        _log.warning("the note of what was used up can't be read (%s)", error)
        return Note()


def _within(breaks_ms: int) -> int:
    return max(0, min(LONGEST_BREAKS_MS, breaks_ms))
