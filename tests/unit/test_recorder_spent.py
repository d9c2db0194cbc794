"""What a session used up, noted beside its spool: it survives every end of the application and keeps nobody out."""

from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.wire import LONGEST_BREAKS_MS, Spent
from app.recorder.spent import NOTE, SpentHere


def test_breaks_and_tries_are_there_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    before = SpentHere(tmp_path, clock)
    assert before.take_over(Spent()) == Spent()
    before.breaks_are(0, lasting=True)
    clock.advance(30)
    assert before.told() == Spent(breaks_ms=30_000, on_break=True)
    before.breaks_are(30_000, lasting=False)
    before.codes_tried(3)
    clock.advance(3_600)
    again = SpentHere(tmp_path, clock)
    assert again.take_over(Spent()) == Spent(breaks_ms=30_000, tries=3), "no time passed inside of a break"
    assert again.facts() == {"breaks_used_before_restart_s": "30", "quit_codes_tried_before_restart": "3"}


def test_a_break_goes_on_while_the_application_does_not_run(tmp_path: Path) -> None:
    clock = ManualClock()
    SpentHere(tmp_path, clock).breaks_are(60_000, lasting=True)
    clock.advance(120)
    again = SpentHere(tmp_path, clock)
    assert again.take_over(Spent()) == Spent(breaks_ms=180_000)
    clock.advance(600)
    assert again.told() == Spent(breaks_ms=180_000), "it ended with the new start"


def test_a_clock_that_was_set_back_and_years_in_between_are_within_bounds(tmp_path: Path) -> None:
    clock = ManualClock()
    SpentHere(tmp_path, clock).breaks_are(1_000, lasting=True)
    assert SpentHere(tmp_path, ManualClock(utc_ms=clock.now().utc_ms - 9_000)).told() == Spent(breaks_ms=1_000)
    clock.advance(10 * 86_400)
    assert SpentHere(tmp_path, clock).told() == Spent(breaks_ms=LONGEST_BREAKS_MS)


def test_of_note_and_server_the_greater_counts(tmp_path: Path) -> None:
    here = SpentHere(tmp_path, ManualClock())
    here.breaks_are(50_000, lasting=False)
    here.codes_tried(1)
    assert here.take_over(Spent(breaks_ms=40_000, tries=4)) == Spent(breaks_ms=50_000, tries=4)
    assert SpentHere(tmp_path / "nowhere", ManualClock()).take_over(Spent(tries=4)) == Spent(tries=4), "deleted"


@pytest.mark.parametrize(
    "note", [b"", b'{"breaks_ms":1', b"\xff\x00", b'{"breaks_ms":-1}', b'{"tries":9999999}', b'{"code":"2718"}', b"[]"]
)
def test_a_note_that_is_torn_or_altered_keeps_nobody_out(tmp_path: Path, note: bytes) -> None:
    (tmp_path / NOTE).write_bytes(note)
    here = SpentHere(tmp_path, ManualClock())
    assert here.take_over(Spent()) == Spent()
    assert here.facts() == {}
    here.codes_tried(1)
    assert SpentHere(tmp_path, ManualClock()).told().tries == 1


def test_a_note_that_can_t_be_written_is_told_to_the_server_all_the_same(tmp_path: Path) -> None:
    here = SpentHere(tmp_path / "gone", ManualClock())
    here.breaks_are(5_000, lasting=False)
    here.codes_tried(10**9)
    assert here.told().breaks_ms == 5_000
    assert here.told().tries > 0


def test_a_folder_in_the_note_s_place_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / NOTE).mkdir()
    here = SpentHere(tmp_path, ManualClock())
    here.codes_tried(2)
    assert here.told() == Spent(tries=2)
