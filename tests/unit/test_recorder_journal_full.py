"""A journal that a full spool has ended: what waited is sealed at the end, or counted if there is no room."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.contract.errors import Fatal
from app.contract.journal import EntryType
from app.recorder import journal as journal_module
from app.recorder.journal import CAPACITY, Journal
from app.recorder.recording import LAST_WORD_BYTES
from app.recorder.sources import Sources
from app.recorder.timeline import Timeline
from capture.spool import SpoolFull
from tests.unit.shell_policies import POLICY
from tests.unit.test_recorder_journal import DEADLINE_S, Paper
from tests.unit.test_recorder_recording import Bench

WRITTEN = CAPACITY + 150


class Tight(Paper):
    """Takes nothing until there is ``room``, and then that many fragments."""

    def __init__(self) -> None:
        super().__init__()
        self.room = 0

    def push_plain(self, data: bytes, at_ms: int) -> None:
        if not self.room:
            raise SpoolFull("the quota is reached")
        self.room -= 1
        super().push_plain(data, at_ms)


class Dead:
    """A journal that died of a full spool with ``WRITTEN`` entries on its hands."""

    def __init__(self, *, kept_room: int) -> None:
        clock, died = SystemClock(), threading.Event()
        self.paper = Tight()
        self.journal = Journal(
            self.paper,
            Timeline(clock.now(), clock.now()),
            clock,
            on_dead=lambda _error: died.set(),
            free_room=lambda: setattr(self.paper, "room", kept_room),
        )
        self.journal.start()
        number = 0
        while number < WRITTEN:
            try:
                self.journal.note(number=str(number))
            except Fatal:  # the inbox is full for a moment
                threading.Event().wait(0.01)
            else:
                number += 1
        assert died.wait(DEADLINE_S)

    def bodies(self) -> list[object]:
        return [entry.body for entry in self.paper.entries]


def test_what_waited_is_sealed_when_there_is_room_again() -> None:
    dead = Dead(kept_room=0)
    dead.paper.room = WRITTEN
    dead.journal.stop()
    assert dead.bodies() == [{"number": str(number)} for number in range(WRITTEN)]
    assert dead.paper.closed


def test_without_room_the_last_word_says_how_much_is_missing() -> None:
    dead = Dead(kept_room=1)
    dead.paper.room = 2
    with pytest.raises(SpoolFull):
        dead.journal.stop()
    written = 2 * journal_module.BATCH
    missing = {"entries_not_written": str(WRITTEN - written), "reason": "no room was left"}
    assert dead.bodies() == [*({"number": str(number)} for number in range(written)), missing]
    assert dead.paper.closed


def test_a_recording_keeps_room_for_the_last_word(tmp_path: Path) -> None:
    bench = Bench(tmp_path, policy=replace(POLICY, upload=replace(POLICY.upload, quota_mib=64)))
    recording = bench.recording(Sources())
    recording.start()
    with pytest.raises(SpoolFull):
        recording.spool.reserve(64 * 2**20 - LAST_WORD_BYTES + 1)
    block = 64 * 2**20
    while block:  # fill it to the last byte
        try:
            recording.spool.reserve(block)
        except SpoolFull:
            block //= 2
    recording.journal.note(word="x" * LAST_WORD_BYTES)
    recording.stop()
    recording.close()
    missing = [body for body in bench.journal(EntryType.NOTE) if "entries_not_written" in body]
    assert len(missing) == 1
