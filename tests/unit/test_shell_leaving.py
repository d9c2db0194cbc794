"""A recorder that says that it leaves: it hears nothing twice, the next one hears the rest, and the exam goes on."""

import pytest
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract.incidents import IncidentKind
from app.contract.session import SessionState
from app.shell import text
from tests.unit.shell_parts import Listener
from tests.unit.shell_play import Play, exam_sites, plays

S = SessionState
SUBMITTED = m.StateIs(state=S.UNLOCKING, why="submit")

exam_site = pytest.fixture(exam_sites)
play = pytest.fixture(plays)


@pytest.fixture
def left(play: Play, qtbot: QtBot) -> Play:
    """Return an exam whose recorder says that it leaves."""
    play.run(qtbot)
    _see(play, "early")
    play.r.receive(m.Leaving())
    return play


def _see(play: Play, name: str) -> None:
    now = play.clock.now()
    report = m.Report(kind=IncidentKind.PROCESS_FOUND, start=now, end=now, source="guard", facts={"name": name})
    play.g.receive(m.Seen(report=report))


def _found(recorder: Listener) -> list[str]:
    return [one.facts["name"] for one in recorder.of(m.Report) if one.kind is IncidentKind.PROCESS_FOUND]


def _submit(play: Play) -> None:
    play.stage.submitted.emit()
    play.g.receive(m.Released(undone=(), failed=()))
    assert play.state() is S.FLUSHING


def test_it_is_answered_and_what_is_seen_then_is_kept_for_the_next(left: Play) -> None:
    assert left.recorder.sent[-1] == m.MayLeave()
    assert text.NOT_RECORDING in left.words()
    left.clock.advance(5)
    _see(left, "late")
    again = left.restart_recorder()
    left.r.receive(left.joined)
    left.r.receive(m.RecordingStarted())
    assert (_found(left.recorder), _found(again)) == (["early"], ["late"])
    (away,) = [one for one in again.of(m.Report) if one.kind is IncidentKind.COMPONENT_RESTARTED]
    assert away.end.seconds_since(away.start) == 5
    assert left.state() is S.RUNNING


def test_who_submits_while_it_leaves_is_heard_by_both(left: Play) -> None:
    """The one marks the hand-in at once, the other sends what there is and ends the session."""
    _submit(left)
    assert SUBMITTED in left.recorder.of(m.StateIs)
    assert left.recorder.of(m.Finish) == [m.Finish(reason="submit")]
    again = left.restart_recorder()
    assert left.state() is S.FLUSHING
    assert [type(message) for message in again.sent] == [m.OpenLink, m.StateIs, m.Finish]
    assert again.sent[1:] == [SUBMITTED, m.Finish(reason="submit")]
    left.r.receive(m.Flushed(complete=True, message=""))
    assert left.state() is S.ENDED
    assert text.END_COMPLETE in left.words()


def test_an_end_that_it_still_carried_out_needs_no_other(left: Play) -> None:
    _submit(left)
    left.r.receive(m.Flushed(complete=True, message=""))
    again = left.restart_recorder()
    assert left.state() is S.ENDED
    assert again.sent == []


def test_without_a_next_one_the_rest_waits(left: Play) -> None:
    _submit(left)
    left.r.lost()
    left.r.given_up()
    assert left.state() is S.ENDED
    assert text.END_UNNOTED in left.words()


def test_one_that_comes_after_it_and_dies_while_sending_is_as_any(left: Play) -> None:
    _submit(left)
    left.restart_recorder()
    left.r.lost()
    assert left.state() is S.ENDED
