"""The session machine's invariants, as ``app.contract.session`` states them."""

from collections.abc import Set as AbstractSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.session import TRANSITIONS, Effect, Event, SessionState, step

HELD = {SessionState.LOCKING, SessionState.RUNNING, SessionState.PAUSED}
"""States in which the machine is, or may be, locked."""

EVENTS = st.lists(st.sampled_from(list(Event)), max_size=60)


def _successors(state: SessionState) -> set[SessionState]:
    return {step(state, event)[0] for event in Event}


def _reachable(start: SessionState) -> AbstractSet[SessionState]:
    seen, waiting = {start}, [start]
    while waiting:
        for state in _successors(waiting.pop()) - seen:
            seen.add(state)
            waiting.append(state)
    return seen


@pytest.mark.parametrize("state", SessionState)
def test_ended_is_reachable_from_every_state(state: SessionState) -> None:
    assert SessionState.ENDED in _reachable(state)


def test_every_state_is_reachable_from_idle() -> None:
    assert _reachable(SessionState.IDLE) == set(SessionState)


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("event", Event)
def test_step_is_total(state: SessionState, event: Event) -> None:
    following, effects = step(state, event)
    assert isinstance(following, SessionState)
    assert all(isinstance(effect, Effect) for effect in effects)


@pytest.mark.parametrize("state", sorted(HELD))
def test_only_unlocking_leads_out_of_what_is_locked(state: SessionState) -> None:
    assert _successors(state) - HELD == {SessionState.UNLOCKING}


@given(EVENTS)
def test_no_sequence_of_events_leaves_the_lock_without_releasing_it(events: list[Event]) -> None:
    state, engaged = SessionState.IDLE, False
    for event in events:
        state, effects = step(state, event)
        for effect in effects:
            engaged = {Effect.ENGAGE_LOCKDOWN: True, Effect.RELEASE_LOCKDOWN: False}.get(effect, engaged)
        assert engaged == (state in HELD)


@given(EVENTS)
def test_the_exam_shows_only_while_running(events: list[Event]) -> None:
    state, shown = SessionState.IDLE, False
    for event in events:
        state, effects = step(state, event)
        for effect in effects:
            if effect in (Effect.SHOW_EXAM, Effect.COVER_EXAM, Effect.CLOSE_EXAM):
                shown = effect is Effect.SHOW_EXAM
        assert shown == (state is SessionState.RUNNING)


def test_show_exam_belongs_to_entering_running() -> None:
    showing = {(before, after) for (before, _), (after, effects) in TRANSITIONS.items() if Effect.SHOW_EXAM in effects}
    assert {after for _, after in showing} == {SessionState.RUNNING}
    assert SessionState.RUNNING not in {before for before, _ in showing}


@given(EVENTS)
def test_evidence_is_flushed_once_and_only_after_recording_began(events: list[Event]) -> None:
    state = SessionState.IDLE
    effects: list[Effect] = []
    for event in events:
        state, more = step(state, event)
        effects += more
    assert effects.count(Effect.FLUSH_EVIDENCE) <= effects.count(Effect.START_RECORDING) <= 1


@pytest.mark.parametrize("event", Event)
def test_ended_is_the_end(event: Event) -> None:
    assert step(SessionState.ENDED, event) == (SessionState.ENDED, ())


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("event", Event)
def test_what_changes_nothing_does_nothing(state: SessionState, event: Event) -> None:
    if (state, event) not in TRANSITIONS:
        assert step(state, event) == (state, ())
