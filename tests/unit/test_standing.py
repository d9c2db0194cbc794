"""How well a computer was locked reaches the candidate, the journal and who reads the evidence, in the same words."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.clock import ManualClock
from app.contract.canonical import dumps
from app.contract.incidents import Track
from app.contract.journal import Entry, EntryType, decode_entries, encode_entries
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment
from app.contract.tiers import MEANING, Tier, meaning
from app.journal_bodies import JournalBodies
from app.messages import Engaged, LockIs
from app.recorder.journal import LONGEST_REASON, Journal
from app.recorder.timeline import Timeline
from app.shell import text
from app.shell.checking import Machine, own_checks
from app.shell.locking import standing
from app.standing import described, last_standing

LOCK = LockIs(tier="A", platform="linux-kiosk", holding=("kiosk",), missing={"capture_shield": "X11 has none."})


class Kept:
    """Keeps what would be sealed."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def push_plain(self, data: bytes, _at_ms: int) -> None:
        self.entries += decode_entries(data)

    def cut(self) -> None: ...
    def close(self) -> None: ...


def _written(lock: LockIs) -> Mapping[str, Any]:
    clock, kept = ManualClock(), Kept()
    journal = Journal(kept, Timeline(clock.now(), clock.now()), clock)
    journal.start()
    journal.lockdown(lock)
    journal.stop()
    (entry,) = kept.entries
    assert entry.type is EntryType.LOCKDOWN
    return entry.body


def _read(*fragments: bytes, track: Track = Track.JOURNAL) -> dict[str, Any]:
    standings = JournalBodies(EntryType.LOCKDOWN)
    record = Record.__new__(Record)
    object.__setattr__(record, "track", track)
    opened = OpenedSegment.__new__(OpenedSegment)
    object.__setattr__(opened, "fragments", fragments)
    standings.look(record, None)
    standings.look(record, opened)
    return last_standing(standings.bodies)


def _fragment(body: Mapping[str, Any]) -> bytes:
    return encode_entries([Entry(type=EntryType.LOCKDOWN, at_ms=0, utc_ms=0, body=body)])


def test_what_the_shell_says_is_what_the_examiner_reads() -> None:
    body = _written(LOCK)
    told = described(_read(_fragment(body)))
    assert told == [
        f"Locked: tier A on linux-kiosk. {MEANING[Tier.A]}",
        "  held: kiosk",
        "  missing: capture_shield: X11 has none.",
    ]


def test_the_last_word_counts() -> None:
    later = _written(LockIs(tier="C", platform="linux-wayland", holding=(), missing={}, doubts=("No.", "Never.")))
    read = _read(_fragment(_written(LOCK)), _fragment(later))
    assert (read["tier"], read["meaning"]) == ("C", MEANING[Tier.C])
    assert described(read)[1:] == [
        "  not taken for a testing centre's seat: No.",
        "  not taken for a testing centre's seat: Never.",
        "  held: nothing",
    ]


def test_a_long_reason_does_not_fill_the_journal() -> None:
    body = _written(LockIs(tier="C", platform="", holding=(), missing={"kiosk": "x" * 10_000}))
    assert len(body["missing"]["kiosk"]) == LONGEST_REASON


@pytest.mark.parametrize(
    "fragments",
    [(), (b"",), (b"no journal",), (dumps([{"type": "lockdown"}]),)],
    ids=["nothing", "empty", "no JSON", "no entry"],
)
def test_a_journal_that_says_nothing_is_no_tier(fragments: tuple[bytes, ...]) -> None:
    assert described(_read(*fragments)) == []


def test_other_tracks_are_not_read() -> None:
    assert _read(_fragment(_written(LOCK)), track=Track.PICTURES) == {}


@pytest.mark.parametrize("body", [{}, {"tier": "Z"}, {"missing": "text", "doubts": None, "holding": [1]}])
def test_a_body_from_elsewhere_is_read_as_far_as_it_goes(body: dict[str, Any]) -> None:
    assert described(_read(_fragment(body)))[0].startswith("Locked: tier ")


def test_guard_and_window_are_one_lock() -> None:
    engaged = Engaged(holding=("process_watch", "input_guard"), missing={"remote_watch": "none"}, tier="B")
    lock = standing(engaged, ["kiosk"], {"remote_watch": "none", "input_guard": "no grab"})
    assert lock.holding == ("kiosk", "process_watch")
    assert lock.missing == {"remote_watch": "none", "input_guard": "no grab"}


@pytest.mark.parametrize(("tier", "doubts", "good"), [("A", (), True), ("B", (), True), ("C", (), False)])
def test_the_candidate_reads_the_tier_before_the_exam(tier: str, doubts: tuple[str, ...], good: bool) -> None:
    machine = Machine(platform="xcb", sandbox=True, displays=1, tier=tier, doubts=doubts)
    (check,) = [check for check in own_checks(machine, ()) if check.name == "Protection"]
    assert (check.ok, check.blocking) == (good, False)
    assert check.message == f"Tier {tier}. {meaning(tier)}"


def test_why_a_seat_is_none_is_said() -> None:
    words = text.protection("C", ["Other programs run on this account: xterm."])
    assert words.endswith("Other programs run on this account: xterm.")


@pytest.mark.parametrize("value", [7, True, "text", {"a": 1}, [[], None], 2**53 - 1])
@pytest.mark.parametrize("name", ["doubts", "holding", "missing", "tier", "platform"])
def test_whatever_stands_in_a_body_it_is_described(name: str, value: Any) -> None:
    body = {"tier": "A", "platform": "linux-kiosk", "holding": [], "missing": {}, "doubts": [], name: value}
    assert described(last_standing([body]))[0].startswith("Locked: tier")
