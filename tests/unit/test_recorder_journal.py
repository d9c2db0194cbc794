"""The journal: what is written is sealed in order, incidents soon, and nothing is lost silently."""

import threading

import pytest

from app.clock import ManualClock
from app.contract.errors import Fatal
from app.contract.incidents import Incident, IncidentKind, Severity, Track
from app.contract.journal import Entry, EntryType, decode_entries
from app.recorder import journal as module
from app.recorder.journal import Journal
from app.recorder.timeline import Timeline
from capture.frames import Gap
from capture.spool import SpoolFull

DEADLINE_S = 60.0


class Paper:
    """A segmenter that keeps what it is given."""

    def __init__(self) -> None:
        self.fragments: list[bytes] = []
        self.cuts = 0
        self.closed = False
        self.cut_event = threading.Event()

    def push_plain(self, data: bytes, at_ms: int) -> None:
        self.fragments.append(data)

    def cut(self) -> None:
        self.cuts += 1
        self.cut_event.set()

    def close(self) -> None:
        self.closed = True

    @property
    def entries(self) -> list[Entry]:
        return [entry for fragment in self.fragments for entry in decode_entries(fragment)]


def _incident(clock: ManualClock, identity: str = "0-1-abc") -> Incident:
    return Incident(
        id=identity,
        kind=IncidentKind.PHONE,
        start=clock.now(),
        end=clock.now(),
        severity=Severity.ALERT,
        source="objects",
        facts={"score": "0.81"},
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def _journal(clock: ManualClock, paper: Paper) -> Journal:
    return Journal(paper, Timeline(clock.now(), clock.now()), clock)


def test_everything_written_is_sealed_in_order_and_the_track_is_closed(clock: ManualClock) -> None:
    paper = Paper()
    journal = _journal(clock, paper)
    journal.start()
    journal.note(version="0.1.0")
    start = clock.now()
    clock.advance(2)
    journal.gap(Gap(source=Track.CAMERA, start=start, end=clock.now(), reason="unplugged"))
    journal.state("running", "locked", 1_800_000_002_000)
    journal.incident(_incident(clock))
    journal.stop()
    assert [entry.type for entry in paper.entries] == [
        EntryType.NOTE,
        EntryType.GAP,
        EntryType.STATE,
        EntryType.INCIDENT,
    ]
    assert paper.entries[1].body == {"track": "camera", "from_ms": 0, "to_ms": 2_000, "reason": "unplugged"}
    assert paper.closed


def test_an_incident_gets_its_evidence_window_and_cuts_the_segment_soon(clock: ManualClock) -> None:
    paper = Paper()
    journal = _journal(clock, paper)
    clock.advance(10)
    journal.start()
    journal.incident(_incident(clock))
    while not paper.fragments:  # the thread seals within its own half second
        threading.Event().wait(0.01)
    clock.advance(module.CUT_S)
    assert paper.cut_event.wait(DEADLINE_S)
    journal.stop()
    assert paper.entries[0].body["evidence"] == {"from_ms": 7_000, "to_ms": 13_000}
    assert paper.cuts == 1


def test_an_update_counts_once(clock: ManualClock) -> None:
    paper = Paper()
    journal = _journal(clock, paper)
    journal.start()
    journal.incident(_incident(clock))
    journal.incident(_incident(clock))
    journal.incident(_incident(clock, "0-2-def"))
    journal.stop()
    assert journal.incidents == 2
    assert len(paper.entries) == 3


def test_a_full_journal_is_fatal_rather_than_silent(clock: ManualClock) -> None:
    journal = _journal(clock, Paper())  # never started: nobody drains it
    for _ in range(module.CAPACITY):
        journal.note(word="more")
    with pytest.raises(Fatal, match="rather than losing"):
        journal.note(word="one too many")


def test_a_failing_disk_is_raised_by_stop(clock: ManualClock) -> None:
    class FullDisk(Paper):
        def push_plain(self, data: bytes, at_ms: int) -> None:
            raise OSError(28, "No space left on device")

    journal = _journal(clock, FullDisk())
    journal.start()
    journal.note(word="lost?")
    with pytest.raises(OSError, match="No space left"):
        journal.stop()


def test_a_full_spool_delays_entries_and_loses_none(clock: ManualClock) -> None:
    class TightSpool(Paper):
        room = threading.Event()
        refused = threading.Event()

        def push_plain(self, data: bytes, at_ms: int) -> None:
            if not self.room.is_set():
                self.refused.set()
                raise SpoolFull("the quota is reached")
            super().push_plain(data, at_ms)

    paper = TightSpool()
    journal = _journal(clock, paper)
    journal.start()
    journal.note(number="1")
    assert paper.refused.wait(DEADLINE_S)
    journal.incident(_incident(clock))
    paper.room.set()
    journal.note(number="2")
    journal.stop()
    assert [entry.type for entry in paper.entries] == [EntryType.NOTE, EntryType.INCIDENT, EntryType.NOTE]


def test_the_notice_is_kept_word_for_word(clock: ManualClock) -> None:
    paper = Paper()
    journal = _journal(clock, paper)
    journal.start()
    journal.notice("What is recorded: nothing", bytes(32))
    journal.stop()
    (entry,) = paper.entries
    assert entry.type is EntryType.NOTICE
    digest = "adc5cb3798df73ce0368de10b3b154b9248e6c49c63ad80d71ba3a0a9f34d16e"
    assert entry.body == {"text": "What is recorded: nothing", "policy": "00" * 32, "sha256": digest}
