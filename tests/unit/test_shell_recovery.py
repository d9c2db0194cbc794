"""What the session survives: faults of our own, a recorder that comes back, an application that is started again."""

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import pytest
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract.actions import Action, ActionKind
from app.contract.codes import stored_form
from app.contract.session import Event, SessionState
from app.recorder.granting import ON_BREAK
from app.shell import text
from app.shell.breaks import BREAK_OVER
from app.shell.course import ExitCode
from tests.unit.shell_parts import PATIENCE_MS, Listener, Site
from tests.unit.shell_play import Play, exam_sites, plays
from tests.unit.shell_screens import GRANTED

S = SessionState


exam_site = pytest.fixture(exam_sites)
play = pytest.fixture(plays)


def _fail(*_arguments: object, **_options: object) -> NoReturn:
    raise ValueError("a fault")


# --- faults of our own --------------------------------------------------------------------------------------------


def _is_released_and_ends(play: Play, ended_by: str) -> None:
    """Let the other processes answer; the machine must be free and the last screen shown."""
    assert play.state() is S.UNLOCKING
    assert play.guard.of(m.Release) == [m.Release()]
    assert play.stage.tab is None
    assert play.stage.exam is None
    play.g.receive(m.Released(undone=(), failed=()))
    assert play.recorder.of(m.Finish) == [m.Finish(reason=ended_by)]
    play.r.receive(m.Flushed(complete=True, message=""))
    assert play.state() is S.ENDED


def test_a_fault_while_locking_unlocks(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play.stage, "engage", _fail)
    play.join()
    play.check()
    play.stage.proceed.emit()
    _is_released_and_ends(play, "fatal")
    assert "a fault of its own" in play.words()


def test_a_fault_while_the_exam_is_opened_unlocks(play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.shell.stage.ExamTab", _fail)
    play.join()
    play.check()
    play.lock(qtbot)
    _is_released_and_ends(play, "fatal")
    assert "a fault of its own" in play.words()


@pytest.mark.parametrize("part", ["close_exam", "show_wait", "release"])
def test_a_fault_while_unlocking_still_releases_and_ends(
    play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    play.run(qtbot)
    really: Callable[..., None] = getattr(play.stage, part)

    def do_and_fail(*arguments: object, **options: object) -> NoReturn:
        really(*arguments, **options)
        _fail()

    monkeypatch.setattr(play.stage, part, do_and_fail)
    play.stage.submitted.emit()
    _is_released_and_ends(play, "submit")
    monkeypatch.undo()


def test_a_fault_while_sending_ends(play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    play.run(qtbot)
    monkeypatch.setattr(play.stage, "show_flush", _fail)
    play.stage.submitted.emit()
    play.g.receive(m.Released(undone=(), failed=()))
    assert play.state() is S.ENDED


def test_without_a_last_screen_the_window_closes(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play.stage, "show_end", _fail)
    play.join()
    play.stage.declined.emit()
    assert play.state() is S.ENDED
    assert play.codes == [ExitCode.LEFT]


def test_what_happens_during_a_fault_is_not_lost(play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two events wait when the effect fails; the machine must go on all the same."""

    def happen_and_fail(_exam: object) -> None:
        play.controller.session.happen(Event.PAUSE)
        play.controller.session.happen(Event.RESUME)
        _fail()

    monkeypatch.setattr(play.stage, "open_exam", happen_and_fail)
    play.join()
    play.check()
    play.lock(qtbot)
    _is_released_and_ends(play, "fatal")


def test_effects_never_run_inside_one_another(play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    depth: list[str] = []
    really = play.controller.session._carry_out

    def carry_out(effect: Callable[[], None]) -> None:
        assert not depth
        depth.append("inside")
        really(effect)
        depth.pop()

    monkeypatch.setattr(play.controller.session, "_carry_out", carry_out)
    play.run(qtbot)
    play.status(frozen=True)
    play.status(frozen=False)
    play.stage.submitted.emit()
    assert play.state() is S.UNLOCKING


# --- a recorder that comes back -----------------------------------------------------------------------------------


def _joined_by(play: Play, path: str) -> m.Joined:
    return replace(play.joined, entry_url=play.policy.browser.start_url.rstrip("/") + path)


def test_the_newest_entry_ticket_opens_the_exam(play: Play, exam_site: Site, qtbot: QtBot) -> None:
    play.join(entry="/old-ticket")
    play.check()
    play.restart_recorder()
    play.r.receive(_joined_by(play, "/new-ticket"))
    play.r.receive(m.ChecksDone(sources={}, models={}))
    play.g.receive(m.ProcessesFound(processes=()))
    play.g.receive(m.Examined(tier="B", concerns=()))
    with qtbot.waitSignal(play.stage.exam_loaded, timeout=PATIENCE_MS):
        play.lock(qtbot)
    assert "/new-ticket" in exam_site.seen
    assert "/old-ticket" not in exam_site.seen


def test_a_tab_without_a_page_enters_by_the_new_ticket(play: Play, exam_site: Site, qtbot: QtBot) -> None:
    play.join(entry="/submit-refused")  # answers 503, as a void ticket is refused
    play.check()
    play.lock(qtbot)
    play.restart_recorder()
    with qtbot.waitSignal(play.stage.exam_loaded, timeout=PATIENCE_MS):
        play.r.receive(_joined_by(play, "/new-ticket"))
    assert exam_site.seen[-1] in ("/new-ticket", "/favicon.ico")


def test_a_page_that_is_there_is_not_left_for_a_new_ticket(play: Play, exam_site: Site, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.restart_recorder()
    play.r.receive(_joined_by(play, "/new-ticket"))
    tab = play.stage.tab
    assert tab is not None
    assert not tab.page.isLoading()
    assert "/new-ticket" not in exam_site.seen


@pytest.mark.parametrize("code", ["E-SERVER-UNREACHABLE", "E-BUSY", "E-ANSWER"])
def test_a_server_that_is_away_while_the_recorder_comes_back_ends_no_exam(play: Play, qtbot: QtBot, code: str) -> None:
    play.r._rejoin.setInterval(1)
    play.run(qtbot)
    again = play.restart_recorder()
    for _ in range(3):
        again.sent.clear()
        play.r.receive(m.Refused(code=code, message=""))
        assert play.state() is S.RUNNING
        assert text.NOT_RECORDING in play.words()
        qtbot.waitUntil(lambda: bool(again.of(m.OpenLink)), timeout=PATIENCE_MS)
    play.r.receive(play.joined)
    assert again.of(m.StartRecording) == [m.StartRecording(notice=play.controller.course.notice)]
    assert text.NOTICE_TITLE in play.controller.course.notice
    play.r.receive(m.RecordingStarted())
    assert text.RECORDING in play.words()
    assert play.state() is S.RUNNING


def test_a_refusal_for_good_ends_the_exam_also_while_the_recorder_comes_back(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.restart_recorder()
    play.r.receive(m.Refused(code="E-SESSION-ENDED", message=""))
    assert play.state() is S.UNLOCKING


def test_an_exam_handed_in_while_the_recorder_comes_back_is_not_joined_again(play: Play, qtbot: QtBot) -> None:
    play.r._rejoin.setInterval(1)
    play.run(qtbot)
    again = play.restart_recorder()
    play.r.receive(m.Refused(code="E-BUSY", message=""))
    play.stage.submitted.emit()
    qtbot.wait(50)
    assert len(again.of(m.OpenLink)) == 1
    play.g.receive(m.Released(undone=(), failed=()))
    play.r.receive(m.Flushed(complete=False, message=""))
    assert play.state() is S.ENDED


def test_a_new_recorder_knows_that_the_page_plays_sound(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.stage.page_audible.emit(True)
    again = play.restart_recorder()
    play.r.receive(play.joined)
    play.r.receive(m.RecordingStarted())
    assert [message.audible for message in again.of(m.PageSound)] == [True]
    play.stage.page_audible.emit(False)
    assert [message.audible for message in again.of(m.PageSound)] == [True, False]


def test_a_new_recorder_knows_cookie_and_state_before_it_records(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.stage.cookie_seen.emit("token-6")
    play.r.lost()
    play.stage.cookie_seen.emit("token-7")
    again = Listener()
    play.r.restarted(again)
    play.r.receive(play.joined)
    assert again.sent[-3:] == [
        m.CookieSeen(value="token-7"),
        m.StateIs(state=S.RUNNING, why="recorder restarted"),
        m.StartRecording(notice=play.controller.course.notice),
    ]


def test_a_new_recorder_knows_that_an_agreed_break_lasts(play: Play, qtbot: QtBot) -> None:
    """Else it would tell the absence as one that nobody agreed to."""
    play.granted = GRANTED
    play.run(qtbot)
    play.stage.break_wanted.emit()
    play.status(frozen=True)
    again = play.restart_recorder()
    play.r.receive(play.joined)
    told = m.StateIs(state=S.PAUSED, why=ON_BREAK)
    assert again.sent[-2:] == [told, m.StartRecording(notice=play.controller.course.notice)]
    play.status(frozen=False)
    play.controller.sitting._break_is_over()
    again = play.restart_recorder()
    play.r.receive(play.joined)
    assert again.of(m.StateIs) == [m.StateIs(state=S.PAUSED, why=BREAK_OVER)]


def test_an_action_given_once_more_is_not_done_again(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    pause = Action(id="p", session="s", kind=ActionKind.PAUSE, arguments={}, issuer="Ada", issued_ms=0)
    play.r.receive(m.ActionArrived(action=pause))
    play.r.receive(m.ActionArrived(action=replace(pause, id="r", kind=ActionKind.RESUME)))
    assert play.state() is S.RUNNING
    play.restart_recorder()
    play.r.receive(m.ActionArrived(action=pause))
    assert play.state() is S.RUNNING
    play.r.receive(m.ActionArrived(action=replace(pause, id="q")))
    assert play.state() is S.PAUSED


# --- an application that is started again --------------------------------------------------------------------------


def test_the_time_used_before_a_restart_counts(play: Play, qtbot: QtBot) -> None:
    play.join(elapsed_s=5_000)
    play.clock.advance(300)  # reading the notice again is not free either: the questions were seen
    play.check()
    play.lock(qtbot)
    assert "01:40" in play.words()
    play.restart_recorder()
    play.r.receive(replace(play.joined, elapsed_ms=5_399_000))
    assert "01:40" in play.words(), "a restart of the recorder alone changes nothing"
    play.clock.advance(101)
    qtbot.waitUntil(lambda: play.state() is S.UNLOCKING, timeout=PATIENCE_MS)


def test_a_fresh_session_has_all_its_time(play: Play, qtbot: QtBot) -> None:
    play.join()
    play.clock.advance(300)
    play.check()
    play.lock(qtbot)
    assert "1:30:00" in play.words()


def test_breaks_and_tries_used_before_a_restart_count(play: Play, qtbot: QtBot) -> None:
    play.granted = replace(GRANTED, breaks_s=120)
    play.policy = replace(play.policy, browser=replace(play.policy.browser, quit_code=stored_form("2718")))
    play.breaks_ms, play.tries = 100_000, 6
    play.run(qtbot)
    assert play.recorder.of(m.BreaksAre) == [m.BreaksAre(spent_ms=100_000, lasting=False)]
    play.stage.quit_code_given.emit("2718")  # too soon: the wait of the last one begins anew
    assert play.state() is S.RUNNING
    play.stage.break_wanted.emit()
    assert text.break_left(20) in play.words()
    play.clock.advance(60)
    play.stage.break_ended.emit()
    play.stage.break_wanted.emit()
    assert play.state() is S.RUNNING, "nothing is left"
    assert play.recorder.of(m.CodesTried) == []
    play.stage.quit_code_given.emit("2718")
    assert play.state() is S.UNLOCKING


def test_a_break_is_told_before_it_begins_and_again_to_a_new_recorder(play: Play, qtbot: QtBot) -> None:
    play.granted = replace(GRANTED, breaks_s=120)
    play.policy = replace(play.policy, browser=replace(play.policy.browser, quit_code=stored_form("2718")))
    play.run(qtbot)
    play.stage.quit_code_given.emit("1234")
    play.stage.break_wanted.emit()
    said = [one for one in play.recorder.sent if isinstance(one, m.BreaksAre | m.StateIs | m.CodesTried)]
    assert said[-3] == m.CodesTried(number=1)
    assert said[-2] == m.BreaksAre(spent_ms=0, lasting=True)
    assert isinstance(said[-1], m.StateIs)
    play.clock.advance(30)
    recorder = play.restart_recorder()
    play.r.receive(play.joined)
    assert recorder.of(m.BreaksAre) == [m.BreaksAre(spent_ms=30_000, lasting=True)]
    assert recorder.of(m.CodesTried) == [m.CodesTried(number=1)]
    play.stage.break_ended.emit()
    assert recorder.of(m.BreaksAre)[-1] == m.BreaksAre(spent_ms=30_000, lasting=False)
