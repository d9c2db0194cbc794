"""The controller walks the whole session with real screens and a real tab; the test plays the other processes."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract import schema
from app.contract.actions import ActionKind
from app.contract.codes import stored_form
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability, Identity, Lockdown, Policy
from app.contract.session import Event, SessionState
from app.shell import text
from app.shell.course import ExitCode
from app.shell.session import MOST_WAITING
from tests.unit.shell_parts import PATIENCE_MS, Listener, Site
from tests.unit.shell_play import DECOY, Play, exam_sites, plays
from tests.unit.shell_policies import policy_for
from tests.unit.shell_screens import GRANTED

S = SessionState


exam_site = pytest.fixture(exam_sites)
play = pytest.fixture(plays)


def test_from_the_link_to_the_end(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    assert play.recorder.of(m.StartRecording)
    assert schema.loads(Policy, play.guard.of(m.Engage)[0].policy.encode()) == play.policy
    assert play.state() is S.RUNNING
    tab = play.stage.tab
    assert tab is not None
    with qtbot.waitSignal(play.stage.submitted, timeout=PATIENCE_MS):
        tab.page.runJavaScript("document.getElementById('out').click()")
    assert play.state() is S.UNLOCKING
    assert play.stage.tab is None
    play.g.receive(m.Released(undone=("The clipboard works again.",), failed=()))
    assert play.recorder.of(m.Finish) == [m.Finish(reason="submit")]
    play.r.receive(m.FlushProgress(sent_bytes=1_000_000, total_bytes=4_000_000))
    assert "1.0 MB of 4.0 MB" in play.words()
    assert "safe to close" not in play.words()
    play.r.receive(m.Flushed(complete=True, message=""))
    assert play.state() is S.ENDED
    assert text.END_COMPLETE in play.words()
    assert "The clipboard works again." in play.words()
    play.stage.closed.emit()
    assert play.codes == [ExitCode.DONE]
    states = [message.state for message in play.recorder.of(m.StateIs)]
    assert [state for i, state in enumerate(states) if i == 0 or states[i - 1] is not state] == [
        S.JOINING, S.NOTICE, S.CHECKING, S.IDENTIFYING, S.LOCKING, S.RUNNING, S.UNLOCKING, S.FLUSHING, S.ENDED,
    ]  # fmt: skip


def test_nothing_is_recorded_before_the_notice_was_read(play: Play) -> None:
    play.join()
    assert play.state() is S.NOTICE
    assert "Dr. Ada Okafor and Examination Office" in play.words()
    assert "30 days" in play.words()
    play.stage.declined.emit()
    assert play.state() is S.ENDED
    assert not play.recorder.of(m.StartRecording)
    play.stage.closed.emit()
    assert play.codes == [ExitCode.LEFT]


def test_a_refusal_is_a_sentence(play: Play) -> None:
    play.start()
    play.r.receive(m.Refused(code="E-INVITE-USED", message="ignored"))
    assert "already been used" in play.words()
    play.stage.closed.emit()
    assert play.codes == [ExitCode.FAILED]


def test_a_failed_check_keeps_the_exam_closed_until_it_is_right(play: Play, qtbot: QtBot) -> None:
    play.join()
    play.check(ok=False)
    play.stage.proceed.emit()
    assert play.state() is S.CHECKING
    play.stage.again.emit()
    assert len(play.recorder.of(m.RunChecks)) == 2
    play.check()
    play.lock(qtbot)
    assert play.state() is S.RUNNING


def test_programs_are_closed_before_the_exam(play: Play) -> None:
    play.join()
    play.check(programs=(DECOY,))
    assert "/opt/decoy" in play.words().replace("\u200b", "")
    play.stage.proceed.emit()
    assert [order.close for order in play.guard.of(m.CloseProcesses)] == [False, True]
    assert play.state() is S.CHECKING
    play.g.receive(m.ProcessesClosed(closed=(), left=(DECOY,)))
    assert text.PROGRAMS_LEFT in play.words()
    play.stage.proceed.emit()
    assert play.state() is S.CHECKING
    play.stage.again.emit()
    play.r.receive(m.ChecksDone(sources={}, models={}))
    play.g.receive(m.ProcessesFound(processes=(DECOY,)))
    play.g.receive(m.Examined(tier="B", concerns=()))
    play.stage.proceed.emit()
    play.g.receive(m.ProcessesClosed(closed=(DECOY,), left=()))
    assert play.state() is S.LOCKING
    play.r.receive(m.RecordingStarted())
    assert play.incidents() == [IncidentKind.PROCESS_NOT_CLOSED, IncidentKind.PROCESS_CLOSED]


def test_what_is_required_and_missing_stops_the_exam_and_is_undone(play: Play, qtbot: QtBot) -> None:
    play.policy = replace(play.policy, lockdown=Lockdown(require=(Capability.SLEEP_GUARD,)))
    play.join()
    play.check()
    play.stage.proceed.emit()
    play.r.receive(m.RecordingStarted())
    play.g.receive(m.Engaged(holding=(), missing={"sleep_guard": "no such service", "device_watch": "not yet"}))
    qtbot.waitUntil(lambda: play.state() is S.UNLOCKING, timeout=PATIENCE_MS)
    assert play.guard.of(m.Release)
    missing = [r.facts["capability"] for r in play.recorder.of(m.Report) if r.kind is IncidentKind.CAPABILITY_MISSING]
    assert missing == ["device_watch", "kiosk", "sleep_guard"]
    play.g.receive(m.Released(undone=(), failed=()))
    play.r.receive(m.Flushed(complete=True, message=""))
    assert "keeping the computer awake (no such service)" in play.words()
    assert "watching devices" not in play.words()


def test_how_the_computer_is_locked_is_told_once_and_again_to_a_new_recorder(play: Play, qtbot: QtBot) -> None:
    play.join()
    play.check()
    play.lock(qtbot)
    assert [(lock.holding, sorted(lock.missing)) for lock in play.recorder.of(m.LockIs)] == [
        (("process_watch",), ["kiosk"])
    ]
    play.r.lost()
    play.r.restarted(play.recorder)
    play.r.receive(play.joined)
    play.r.receive(m.RecordingStarted())
    assert len(play.recorder.of(m.LockIs)) == 2


def test_an_identity_check_that_cannot_be_made_is_refused(play: Play) -> None:
    play.policy = replace(play.policy, identity=Identity(required=True))
    play.join()
    play.check()
    play.stage.proceed.emit()
    assert play.state() is S.ENDED
    assert text.IDENTITY_UNSUPPORTED in play.words()


def test_frozen_covers_the_exam_and_lets_go(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.status(frozen=True)
    assert play.state() is S.PAUSED
    assert play.stage.exam is not None
    assert play.stage.exam.is_covered
    assert text.COVER_TITLES["frozen"] in play.words()
    play.status(frozen=False)
    assert play.state() is S.RUNNING
    assert not play.stage.exam.is_covered


def test_a_pause_outlasts_a_thaw_and_stops_the_time(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.status(frozen=True)
    play.act(ActionKind.PAUSE, reason="Fire alarm")
    assert text.COVER_TITLES["pause"] in play.words()
    assert "Fire alarm" in play.words()
    play.status(frozen=False)
    assert play.state() is S.PAUSED
    play.clock.advance(100_000)
    play.act(ActionKind.RESUME)
    assert play.state() is S.RUNNING


def test_the_time_is_up(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.clock.advance(5399)
    qtbot.waitUntil(lambda: "00:01" in play.words(), timeout=PATIENCE_MS)
    play.clock.advance(2)
    qtbot.waitUntil(lambda: play.state() is S.UNLOCKING, timeout=PATIENCE_MS)
    play.g.receive(m.Released(undone=(), failed=()))
    assert play.recorder.of(m.Finish) == [m.Finish(reason="time_up")]


def test_frozen_time_runs_on(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.status(frozen=True)
    play.clock.advance(5401)
    qtbot.waitUntil(lambda: play.state() is S.UNLOCKING, timeout=PATIENCE_MS)


@pytest.mark.parametrize("wanted", [True, False])
def test_addresses_are_told_only_if_the_policy_says_so(play: Play, exam_site: Site, qtbot: QtBot, wanted: bool) -> None:
    play.policy = replace(play.policy, browser=replace(play.policy.browser, record_addresses=wanted))
    play.run(qtbot, entry="/?token=secret")
    assert ("addresses you visit" in text.recorded(play.policy)) is wanted
    told = [visit.address for visit in play.recorder.of(m.Visited)]
    assert told == ([f"{exam_site.origin}/"] if wanted else [])


def test_an_examiners_message_is_plain_text(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.act(ActionKind.MESSAGE, text="<b>Five minutes</b>")
    assert "<b>Five minutes</b>" in play.words()
    assert "Message from the examiner Ada" in play.words()


def test_an_examiner_ends_it(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.act(ActionKind.TERMINATE, reason="Second person")
    play.g.receive(m.Released(undone=(), failed=("The clipboard could not be given back.",)))
    play.r.receive(m.Flushed(complete=False, message=""))
    words = play.words()
    assert "Ended by the examiner Ada. Second person" in words
    assert text.END_DEFERRED in words
    assert "The clipboard could not be given back." in words
    assert IncidentKind.UNLOCK_FAILED in play.incidents()
    play.stage.closed.emit()
    assert play.codes == [ExitCode.DEFERRED]


def test_the_quit_code(play: Play, qtbot: QtBot) -> None:
    play.policy = replace(play.policy, browser=replace(play.policy.browser, quit_code=stored_form("2718")))
    play.run(qtbot)
    play.stage.quit_code_given.emit("1234")
    assert play.state() is S.RUNNING
    play.stage.quit_code_given.emit("2718")
    assert play.state() is S.RUNNING, "too soon after a wrong one"
    play.clock.advance(60)
    play.stage.quit_code_given.emit("2718")
    assert play.state() is S.UNLOCKING
    told = play.recorder.of(m.StateIs)[-1]
    assert told.why in m.ENDS_SESSION, "else the recorder would not know that it was handed in"


def test_without_a_quit_code_no_code_is_right(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.stage.quit_code_given.emit("")
    assert play.state() is S.RUNNING


def test_the_recorder_crashes_and_the_exam_goes_on(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.stage.cookie_seen.emit("token-9")
    play.r.lost()
    assert text.NOT_RECORDING in play.words()
    play.stage.incident.emit(IncidentKind.DOWNLOAD_BLOCKED, {"address": "x"})
    again = Listener()
    play.r.restarted(again)
    assert again.sent == [m.OpenLink(link="fairlock://x", program_token=bytes(32))]
    play.r.receive(play.joined)
    assert [type(message) for message in again.sent[1:]] == [m.CookieSeen, m.StateIs, m.StartRecording]
    play.r.receive(m.RecordingStarted())
    assert play.state() is S.RUNNING
    assert [report.kind for report in again.of(m.Report)] == [
        IncidentKind.DOWNLOAD_BLOCKED,
        IncidentKind.COMPONENT_RESTARTED,
    ]
    assert again.of(m.CookieSeen) == [m.CookieSeen(value="token-9")]
    assert text.RECORDING in play.words()


def test_a_recorder_lost_while_sending_never_counts_as_complete(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.stage.submitted.emit()
    play.g.receive(m.Released(undone=(), failed=()))
    play.r.lost()
    play.r.restarted(Listener())
    assert play.state() is S.ENDED
    assert text.END_UNNOTED in play.words(), "whether it had marked that it was handed in is not known"
    assert text.END_DEFERRED not in play.words()
    play.stage.closed.emit()
    assert play.codes == [ExitCode.DEFERRED]


@pytest.mark.parametrize("released", [False, True])
def test_what_ends_while_no_recorder_runs_is_told_to_the_next_one(play: Play, qtbot: QtBot, released: bool) -> None:
    play.run(qtbot)
    play.r.lost()
    play.stage.submitted.emit()
    if released:
        play.g.receive(m.Released(undone=(), failed=()))
    again = Listener()
    play.r.restarted(again)
    if not released:
        play.g.receive(m.Released(undone=(), failed=()))
    assert [type(message) for message in again.sent[:2]] == [m.OpenLink, m.StateIs]
    assert again.sent[1] == m.StateIs(state=S.UNLOCKING, why="submit")
    assert again.of(m.Finish) == [m.Finish(reason="submit")]


def test_a_recorder_that_keeps_dying_ends_the_exam(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.r.lost()
    play.r.given_up()
    assert play.state() is S.UNLOCKING
    play.g.receive(m.Released(undone=(), failed=()))
    assert play.state() is S.ENDED
    assert text.RECORDER_GONE in play.words()


def test_the_guard_crashes_and_the_exam_is_covered_until_it_is_back(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    play.g.lost()
    assert play.state() is S.PAUSED
    again = Listener()
    play.g.restarted(again)
    assert again.of(m.Engage)
    play.g.receive(m.Engaged(holding=(), missing={}))
    assert play.state() is S.RUNNING
    assert IncidentKind.COMPONENT_RESTARTED in play.incidents()


def test_a_pause_that_came_while_locking_covers_at_once(play: Play, qtbot: QtBot) -> None:
    play.join()
    play.check()
    play.stage.proceed.emit()
    play.act(ActionKind.PAUSE)
    play.r.receive(m.RecordingStarted())
    play.g.receive(m.Engaged(holding=(), missing={}))
    qtbot.waitUntil(lambda: play.state() is S.PAUSED, timeout=PATIENCE_MS)


def test_an_effect_that_never_stops_ends_the_session_instead_of_growing(
    play: Play, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    play.run(qtbot)
    more = [play.controller.session.happen] * 1000

    def flood(*_: object) -> None:
        while more:
            more.pop()(Event.FROZEN)

    monkeypatch.setattr(play.stage, "cover_exam", flood)
    play.status(frozen=True)
    assert play.state() is S.UNLOCKING
    assert play.guard.of(m.Release)
    assert 1000 - len(more) == MOST_WAITING + 1


def test_a_policy_with_an_unreadable_address_never_opens_the_exam(play: Play, qtbot: QtBot) -> None:
    play.policy = replace(play.policy, browser=replace(play.policy.browser, allow=("https://*",)))
    play.join()
    play.check()
    play.lock(qtbot)
    assert play.state() is S.UNLOCKING
    assert play.stage.tab is None


def test_a_rehearsal_presses_the_buttons_and_says_so(qapp: QApplication, exam_site: Site, qtbot: QtBot) -> None:
    play = Play(policy_for(exam_site.origin, demonstration=True), rehearse=True)
    play.join()
    qtbot.waitUntil(lambda: play.state() is S.CHECKING, timeout=PATIENCE_MS)
    play.r.receive(m.ChecksDone(sources={}, models={}))
    play.g.receive(m.ProcessesFound(processes=()))
    play.g.receive(m.Examined(tier="B", concerns=()))
    qtbot.waitUntil(lambda: play.state() is S.LOCKING, timeout=PATIENCE_MS)
    play.r.receive(m.RecordingStarted())
    assert "demonstration" in play.recorder.of(m.Report)[0].facts
    play.stage.dispose()
    play.window.deleteLater()


def test_no_real_exam_is_rehearsed(qapp: QApplication, exam_site: Site, qtbot: QtBot) -> None:
    play = Play(policy_for(exam_site.origin), rehearse=True)
    play.join()
    qtbot.wait(50)
    assert play.state() is S.NOTICE
    play.stage.dispose()
    play.window.deleteLater()


@pytest.mark.parametrize("way", ["left", "refused", "given up"])
def test_previews_that_come_after_the_checks_were_left_touch_nothing(play: Play, qtbot: QtBot, way: str) -> None:
    play.join()
    play.check()
    play.r.receive(m.Preview(picture=b"", level_dbfs=-30))
    match way:
        case "left":
            play.stage.left.emit()
        case "refused":
            play.r.receive(m.Refused(code="E-SESSION-ENDED", message=""))
        case _:
            play.r.given_up()
    assert play.state() is S.ENDED
    qtbot.wait(1)  # the screen is deleted by an event
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    play.r.receive(m.Preview(picture=b"", level_dbfs=-30))
    play.r.receive(m.Check(name="Camera", ok=True, blocking=True, message="The camera works."))
    play.r.receive(m.DevicesFound(devices=()))
    play.g.receive(m.ProcessesClosed(closed=(), left=(DECOY,)))


def test_every_label_is_plain_text(play: Play, qtbot: QtBot) -> None:
    play.run(qtbot)
    labels = play.window.findChildren(QLabel)
    assert labels
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in labels)


def test_an_agreed_break_covers_the_exam_and_stops_its_time(play: Play, qtbot: QtBot) -> None:
    play.granted = replace(GRANTED, breaks_s=120)
    play.run(qtbot)
    before = play.controller._time.countdown.shown_s()
    play.stage.break_wanted.emit()
    assert play.state() is S.PAUSED
    assert text.COVER_TITLES["break"] in play.words()
    assert play.recorder.of(m.StateIs)[-1].why == "break"
    play.clock.sleep(100)
    assert play.controller._time.countdown.shown_s() == before
    play.controller.sitting._break_is_over()
    assert text.COVER_TITLES["break_over"] in play.words()
    play.clock.sleep(10)
    assert play.controller._time.countdown.shown_s() == pytest.approx(before - 10)
    play.stage.break_ended.emit()
    assert play.state() is S.RUNNING
    assert play.guard.of(m.Engage)[-1].allowances == GRANTED.allowances
