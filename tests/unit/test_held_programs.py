"""A program that is held: it runs as long as it is wanted, and never longer than whoever wanted it."""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from app import external
from app.contract.errors import Unsupported
from app.external import hold_external
from lockdown import select
from lockdown.capabilities import Measure, unsupported
from lockdown.fake import FakeDesktop, FakeMeasure
from tests.xserver import DEADLINE_S, wait_for

if select.system() != "linux":
    pytest.skip("the programs that keep a computer awake are Linux's", allow_module_level=True)

from app.contract.policy import Capability
from app.guard.watching import StillHeld
from lockdown.linux_system.awake import INHIBITORS, LOGIND, Awake, Inhibitor, inhibitors

ROOT = Path(__file__).parents[2]

STAND_IN = """#!/bin/sh
# Holds a request (a file) for as long as the command runs, as systemd-inhibit does.
request="$1"; shift
touch "$request"
"$@"
rm "$request"
"""


@pytest.fixture
def inhibit(tmp_path: Path) -> list[str]:
    """The command of a stand-in for systemd-inhibit; its request is the file "request"."""
    program = tmp_path / "inhibit"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return [str(program), str(tmp_path / "request"), "cat"]


def test_the_request_stands_until_it_is_taken_back(inhibit: list[str], tmp_path: Path) -> None:
    measure = Inhibitor(partial(hold_external, inhibit, timeout_s=DEADLINE_S))
    assert not measure.holds()
    assert measure.plan() == ()
    measure.engage()
    measure.engage()
    assert measure.holds()
    assert (tmp_path / "request").exists()
    measure.release()
    measure.release()
    assert not measure.holds()
    assert not (tmp_path / "request").exists()


def test_the_request_ends_with_a_killed_process(inhibit: list[str], tmp_path: Path) -> None:
    held = f"hold_external({inhibit!r}, timeout_s={DEADLINE_S}); print('held', flush=True)"
    code = f"import time; from app.external import hold_external\n{held}"
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}\ntime.sleep(120)"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert (tmp_path / "request").exists()
        process.kill()
    wait_for(lambda: not (tmp_path / "request").exists(), "the end of the request")


def test_a_request_that_somebody_ended_is_noticed_and_made_again(inhibit: list[str]) -> None:
    measure = Inhibitor(partial(hold_external, inhibit, timeout_s=DEADLINE_S))
    before = {child.pid for child in psutil.Process().children()}
    measure.engage()
    (mine,) = (child for child in psutil.Process().children() if child.pid not in before)
    for child in (*mine.children(), mine):
        child.kill()
    wait_for(lambda: not measure.holds(), "the request's end to be noticed")
    measure.engage()
    assert measure.holds()
    measure.release()


@pytest.mark.parametrize(
    ("command", "says", "timeout_s"),
    [
        (["fairlock-no-such-program"], "is missing", DEADLINE_S),
        (["false"], "did not answer", DEADLINE_S),
        (["sleep", "60"], "did not answer", 0.5),
        (["ls", "/fairlock-nowhere"], "fairlock-nowhere", DEADLINE_S),
    ],
)
def test_a_request_that_is_refused_is_unsupported_with_the_reason(
    command: list[str], says: str, timeout_s: float
) -> None:
    with pytest.raises(Unsupported, match=says):
        hold_external(command, timeout_s=timeout_s)


def test_without_a_login_manager_its_answer_is_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real systemd-inhibit, which finds no bus."""
    if shutil.which("systemd-inhibit") is None:
        pytest.skip("systemd-inhibit is not installed")
    clean = external.clean_environment()
    nowhere = {**clean, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/no-bus"}
    monkeypatch.setattr(external, "clean_environment", lambda: nowhere)
    with pytest.raises(Unsupported, match="The program systemd-inhibit did not work"):
        hold_external(INHIBITORS[LOGIND])


# --- several measures as one ---------------------------------------------------------------------------------------


def _saver() -> tuple[FakeDesktop, FakeMeasure]:
    desktop = FakeDesktop()
    return desktop, FakeMeasure(desktop, "saver")


def test_what_one_measure_can_not_do_is_the_limit_of_the_others() -> None:
    desktop, saver = _saver()
    other = FakeMeasure(desktop, "sleep")
    other.fails = unsupported("There is no login manager.", "Install one.")
    awake = Awake({"the screen saver": saver, "sleep": other})
    assert not awake.holds()
    awake.engage()
    assert awake.holds()
    assert awake.limit == "Not held off: sleep (There is no login manager)."
    assert [undo.kind for undo in awake.plan()] == ["fake-saver", "fake-sleep"]
    desktop.settings["saver"] = "free"
    assert not awake.holds()
    awake.engage()
    awake.release()
    assert awake.holds()  # what outlives the process is undone from the file


class _Request:
    """A request that somebody else can end, and that counts how often it is looked at."""

    def __init__(self) -> None:
        self.stands, self.looks, self.ended = True, 0, False

    @property
    def is_running(self) -> bool:
        self.looks += 1
        return self.stands

    def end(self) -> None:
        self.ended = True


def _look(watch: StillHeld) -> list[str]:
    return [finding.facts["reason"] for finding in watch.observe()]


def test_a_screen_saver_that_is_gone_is_told_once_and_asked_until_one_is_there() -> None:
    """The login manager holds on all the while: it must not speak for the screen saver."""
    asked: list[_Request] = []
    there = True

    def ask() -> _Request:
        if not there:
            raise unsupported("Nobody has that name.")
        asked.append(_Request())
        return asked[-1]

    _, sleep = _saver()
    awake = Awake({"the screen saver": Inhibitor(ask), "sleep": sleep})
    awake.engage()
    watch = StillHeld([(Capability.SLEEP_GUARD, awake)], lambda measure: measure.engage())
    assert _look(watch) == []
    there, asked[0].stands = False, False
    lost = "It was undone during the exam and could not be put back."
    assert _look(watch) == [f"{lost} Not held off: the screen saver (Nobody has that name)."]
    assert asked[0].ended
    assert _look(watch) == _look(watch) == []
    assert not awake.holds()
    there = True
    assert _look(watch) == ["It was undone during the exam and was put back."]
    assert (len(asked), awake.limit, awake.holds()) == (2, "", True)
    asked[1].stands = False
    assert _look(watch) == ["It was undone during the exam and was put back."]
    there, asked[2].stands, sleep.fails = False, False, unsupported("No login manager.")
    assert _look(watch) == [f"{lost} No login manager."]
    assert _look(watch) == []


def test_nobody_is_asked_about_a_request_while_it_is_engaged_again() -> None:
    """Others wait then. What stands was seen before, and what does not was given up."""
    asked: list[_Request] = []

    def ask() -> _Request:
        asked.append(_Request())
        return asked[-1]

    awake = Awake({"one": Inhibitor(ask), "another": Inhibitor(ask), "a third": Inhibitor(ask)})
    awake.engage()
    asked[0].stands = asked[2].stands = False
    assert not awake.holds()
    looks = [request.looks for request in asked]
    awake.engage()
    assert [request.looks for request in asked] == [*looks, 0, 0]
    assert awake.holds()


def test_if_nothing_can_be_held_off_it_is_unsupported() -> None:
    _, saver = _saver()
    saver.fails = unsupported("No server.")
    awake = Awake({"the screen saver": saver, "sleep": unsupported("No login manager.")})
    with pytest.raises(Unsupported, match="No server"):
        awake.engage()
    assert not awake.holds()
    with pytest.raises(Unsupported, match="No login manager"):
        Awake({"sleep": unsupported("No login manager.")})


def test_only_desktops_that_are_installed_are_asked() -> None:
    def hold(_command: object) -> external.Held:
        raise unsupported("Not here.")

    measures = inhibitors(hold, lambda name: name == "gnome-session-inhibit")
    assert set(measures) == {LOGIND, "GNOME's screen saver"}
    assert all(isinstance(measure, Measure) for measure in measures.values())
