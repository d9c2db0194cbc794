"""A policy that requires what is not there: the exam does not start, for any capability, and the candidate reads why.

Two moments: in the checks, of what a desktop lacks for certain, and while locking, of what turned out not to hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app import messages as m
from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind, Severity
from app.contract.policy import Capability, Lockdown
from app.contract.session import SessionState as S
from app.shell import text
from app.shell.checking import Machine, own_checks
from lockdown import linux_wayland, select
from lockdown.capabilities import Part, unsupported
from lockdown.macos import desktop as macos
from lockdown.windows import desktop as windows
from tests.unit.shell_parts import PATIENCE_MS, Listener
from tests.unit.shell_play import Play, exam_sites, plays

REASON = "It is not there."


exam_site = pytest.fixture(scope="module")(exam_sites)
play = pytest.fixture(plays)


@pytest.mark.parametrize("what", Capability)
def test_what_turns_out_to_be_missing_while_locking_keeps_the_exam_closed(
    play: Play, qtbot: QtBot, what: Capability
) -> None:
    play.policy = replace(play.policy, lockdown=Lockdown(require=(what,)))
    play.join()
    play.check()
    play.stage.proceed.emit()
    play.r.receive(m.RecordingStarted())
    others = tuple(other for other in Capability if other is not what)
    play.g.receive(m.Engaged(holding=others, missing={what: REASON}))
    qtbot.waitUntil(lambda: play.state() is S.UNLOCKING, timeout=PATIENCE_MS)
    play.g.receive(m.Released(undone=(), failed=()))
    play.r.receive(m.Flushed(complete=True, message=""))
    said = play.words()
    assert f"{text.CAPABILITY_NAMES[what]} (" in said
    assert text.MISSING_ADVICE in said
    assert "Tell your institution" in said


@pytest.mark.parametrize(("required", "goes_on"), [("process_watch", False), ("sleep_guard", True)])
def test_a_guard_that_keeps_dying_ends_only_an_exam_that_requires_what_it_held(
    play: Play, qtbot: QtBot, required: str, goes_on: bool
) -> None:
    play.run(qtbot)
    play.policy = replace(play.policy, lockdown=Lockdown(require=(Capability(required),)))
    play.controller.course.policy = play.policy
    play.g.lost()
    assert play.state() is S.PAUSED
    play.g.given_up()
    assert (play.state() is S.RUNNING) is goes_on
    reasons = [r.facts.get("reason") for r in play.recorder.of(m.Report) if r.severity is Severity.ALERT]
    assert reasons == ([text.GUARD_GONE] if goes_on else [])


def _restart_guard(play: Play, answer: m.Engaged) -> None:
    play.g.lost()
    assert play.state() is S.PAUSED
    again = Listener()
    play.g.restarted(again)
    assert len(again.of(m.Engage)) == 1
    play.g.receive(answer)


def _alerts(play: Play) -> list[tuple[IncidentKind, str]]:
    told = [report for report in play.recorder.of(m.Report) if report.severity is Severity.ALERT]
    return [(report.kind, report.facts["capability"]) for report in told]


@pytest.mark.parametrize(("whole", "name"), [(False, "process_watch"), (True, "input_guard")])
def test_a_new_guard_that_does_not_hold_what_is_required_ends_the_exam(
    play: Play, qtbot: QtBot, whole: bool, name: str
) -> None:
    lockdown = Lockdown(require=(Capability(name),), require_whole=whole)
    play.policy = replace(play.policy, lockdown=lockdown)
    play.run(qtbot)
    _restart_guard(play, m.Engaged(holding=(), missing={name: REASON}))
    assert play.state() is S.UNLOCKING
    assert play.controller.course.ended_by == "fatal"
    assert play.recorder.of(m.LockIs)[-1].missing[name] == REASON
    play.g.receive(m.Released(undone=(), failed=()))
    play.r.receive(m.Flushed(complete=True, message=""))
    assert f"{text.CAPABILITY_NAMES[name]} (It is not there)" in play.words()
    assert "Open the exam link again" in play.words()


def test_a_new_guard_that_holds_less_is_told_and_the_exam_goes_on(play: Play, qtbot: QtBot) -> None:
    play.policy = replace(play.policy, lockdown=Lockdown(require=(Capability.CLIPBOARD_GUARD,)))
    play.run(qtbot)
    lesser = m.Engaged(holding=(), missing={"process_watch": REASON, "capture_shield": REASON})
    _restart_guard(play, lesser)
    assert play.state() is S.RUNNING
    told = [(IncidentKind.CAPABILITY_MISSING, "process_watch")]
    assert _alerts(play) == told, "what never held was told before the exam"
    _restart_guard(play, lesser)
    assert _alerts(play) == told
    _restart_guard(play, m.Engaged(holding=("process_watch",), missing={}))
    assert play.state() is S.RUNNING
    assert IncidentKind.COMPONENT_RESTARTED in play.incidents()


@pytest.mark.parametrize("what", Capability)
def test_what_a_desktop_certainly_lacks_blocks_the_checks(what: Capability) -> None:
    machine = Machine(platform="xcb", sandbox=True, displays=1, absent={what: unsupported(REASON)})
    refused = own_checks(machine, (what,))[0]
    assert (refused.ok, refused.blocking) == (False, True)
    assert refused.message.endswith(f": {text.CAPABILITY_NAMES[what]} (It is not there). {text.MISSING_ADVICE}")
    assert not own_checks(machine, ())[0].blocking


def _of_wayland() -> Mapping[Capability, Part]:
    return linux_wayland.parts()


@pytest.mark.parametrize("lacks", [_of_wayland, windows.absent, macos.absent])
def test_every_desktop_says_what_to_do_about_each_lack(lacks: Callable[[], Mapping[Capability, Part]]) -> None:
    absent = {name: part for name, part in lacks().items() if isinstance(part, Unsupported)}
    assert Capability.CAPTURE_SHIELD in absent
    for what, part in absent.items():
        machine = Machine(platform="any", sandbox=True, displays=1, absent=absent)
        refused = own_checks(machine, (what,))[0]
        assert refused.blocking
        assert part.advice
        assert refused.message.endswith(part.advice)


def test_no_computer_can_hide_the_exam_and_nobody_is_sent_to_another_one() -> None:
    machine = Machine(platform="any", sandbox=True, displays=1, absent=windows.absent())
    refused = own_checks(machine, (Capability.CAPTURE_SHIELD,))[0]
    assert "ask your institution" in refused.message
    assert "another computer" not in refused.message


@pytest.mark.skipif(select.system() != "linux", reason="sessions of three types exist on Linux only")
def test_what_x11_never_has_is_said_before_anything_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":987")
    machine = Machine(platform="xcb", sandbox=True, displays=1, absent=select.absent())
    assert own_checks(machine, (Capability.CAPTURE_SHIELD,))[0].blocking
    assert own_checks(machine, Lockdown().require)[0].ok
