"""Whose turn it is to be sent: who keeps others waiting while nothing of it is received goes last, and only once."""

from pathlib import Path

import pytest

from app.clock import ManualClock
from app.recorder.turns import PATIENCE_S, SLOWEST_BYTES_PER_S, UNDER_WAY_BYTES, Turns

ONE, OTHER = Path("one"), Path("other")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_nothing_received_ends_a_turn_that_others_wait_for(clock: ManualClock) -> None:
    turns = Turns(clock)
    turns.begin(ONE, is_alone=False)
    clock.advance(PATIENCE_S - 0.1)
    assert not turns.is_over(0)
    clock.advance(0.1)
    assert turns.is_over(0)


def test_each_byte_received_begins_the_time_anew(clock: ManualClock) -> None:
    turns = Turns(clock)
    turns.begin(ONE, is_alone=False)
    for received in range(1, 5):
        clock.advance(PATIENCE_S - 0.1)
        assert not turns.is_over(received)
    clock.advance(PATIENCE_S)
    assert turns.is_over(4)


def test_a_long_segment_is_given_the_time_that_a_thin_link_takes(clock: ManualClock) -> None:
    """Of a segment nothing counts as received before all of it is."""
    turns = Turns(clock)
    turns.begin(ONE, is_alone=False)
    size = 1_300_000
    clock.advance(PATIENCE_S + size / SLOWEST_BYTES_PER_S - 0.1)
    assert not turns.is_over(0, size)
    clock.advance(0.2)
    assert turns.is_over(0, size)


def test_the_time_does_not_grow_with_all_that_waits(clock: ManualClock) -> None:
    turns = Turns(clock)
    turns.begin(ONE, is_alone=False)
    clock.advance(PATIENCE_S + UNDER_WAY_BYTES / SLOWEST_BYTES_PER_S)
    assert turns.is_over(0, 100 * UNDER_WAY_BYTES)


def test_who_keeps_nobody_waiting_stays(clock: ManualClock) -> None:
    turns = Turns(clock)
    turns.begin(ONE, is_alone=True)
    clock.advance(10 * PATIENCE_S)
    assert not turns.is_over(0)


def test_who_went_last_once_stays_the_next_time_and_others_still_go(clock: ManualClock) -> None:
    """Each turn is an epoch of the session, of which there are only so many."""
    turns = Turns(clock)
    for folder, is_over in ((ONE, True), (ONE, False), (OTHER, True), (ONE, False)):
        turns.begin(folder, is_alone=False)
        assert not turns.is_over(0)
        clock.advance(PATIENCE_S)
        assert turns.is_over(0) is is_over
