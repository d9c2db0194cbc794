"""A real guard process holds the desktop, and everything is undone however the shell ends."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.messages import (
    Engage,
    Engaged,
    Release,
    Released,
)
from tests.e2e.guard_rig import ROOT, Shell, decoy_programs, guard_policy, headless_shell, one_desktop, running_shell
from tests.xserver import Desktop, wait_for

decoys = pytest.fixture(decoy_programs)
headless = pytest.fixture(headless_shell)
desktop = pytest.fixture(scope="module")(one_desktop)


def _options(desktop: Desktop) -> str:
    return desktop.run("setxkbmap", "-query")


def _saver_timeout(desktop: Desktop) -> str:
    return desktop.run("xset", "q").split("timeout:")[1].split()[0]


def test_engage_holds_the_desktop_and_release_gives_it_back(desktop: Desktop, tmp_path: Path) -> None:
    restore_file = tmp_path / "restore.json"
    before = (_options(desktop), _saver_timeout(desktop))
    with running_shell(restore_file, desktop.environment) as shell:
        engaged = shell.answer(Engaged, Engage(policy=guard_policy()))
        held = {"input_guard", "clipboard_guard", "process_watch", "window_watch", "display_watch", "remote_watch"}
        held |= {"device_watch", "sleep_guard"}
        assert set(engaged.holding) == held
        assert set(engaged.missing) == {"capture_shield"}
        assert "srvrkeys:none" in _options(desktop)
        assert _saver_timeout(desktop) == "0"
        assert restore_file.exists()
        released = shell.answer(Released, Release())
        assert len(released.undone) == 2
        assert released.failed == ()
        assert (_options(desktop), _saver_timeout(desktop)) == before
        assert not restore_file.exists()


def test_the_one_who_takes_the_focus_is_named(desktop: Desktop, tmp_path: Path) -> None:
    with running_shell(tmp_path / "restore.json", desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=guard_policy()))
        with desktop.program("xterm", "-e", "sleep", "60"):
            wait_for(lambda: shell.reports(IncidentKind.FOCUS_LOST), "the report of the focus")
        assert shell.reports(IncidentKind.FOCUS_LOST)[0].facts["name"] == "xterm"


@pytest.mark.parametrize("ending", ["kill", "suspend"])
def test_when_the_shell_dies_everything_is_undone_and_the_guard_ends(
    desktop: Desktop, tmp_path: Path, ending: str
) -> None:
    restore_file = tmp_path / "restore.json"
    before = (_options(desktop), _saver_timeout(desktop))
    with ExitStack() as stack:
        shell = stack.enter_context(running_shell(restore_file, desktop.environment))
        shell.answer(Engaged, Engage(policy=guard_policy()))
        assert (_options(desktop), _saver_timeout(desktop)) != before
        if ending == "kill":
            shell.process.kill()
        else:
            shell.process.send_signal(signal.SIGSTOP)
            stack.callback(shell.process.send_signal, signal.SIGCONT)
        wait_for(lambda: (_options(desktop), _saver_timeout(desktop)) == before, "the undo")
        wait_for(lambda: not _runs(shell.guard), "the guard's end")
        assert not restore_file.exists()


def test_the_last_hand_undoes_what_a_killed_guard_left(desktop: Desktop, tmp_path: Path) -> None:
    restore_file = tmp_path / "restore.json"
    before = (_options(desktop), _saver_timeout(desktop))
    with running_shell(restore_file, desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=guard_policy()))
        (hand,) = shell.last_hands()
        assert os.getsid(hand.pid) == hand.pid, "what is sent to the process group of the application must not reach it"
        shell.guard.kill()
        wait_for(lambda: (_options(desktop), _saver_timeout(desktop)) == before, "the undo")
        wait_for(lambda: not _runs(hand), "the last hand's end")
        assert not restore_file.exists()


def test_a_last_hand_that_is_killed_does_no_harm_and_is_replaced(desktop: Desktop, tmp_path: Path) -> None:
    before = (_options(desktop), _saver_timeout(desktop))
    with running_shell(tmp_path / "restore.json", desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=guard_policy()))
        (hand,) = shell.last_hands()
        hand.kill()
        wait_for(lambda: [one for one in shell.last_hands() if one != hand], "another last hand")
        assert "srvrkeys:none" in _options(desktop)
        assert shell.answer(Released, Release()).failed == ()
        assert (_options(desktop), _saver_timeout(desktop)) == before


def test_what_is_undone_during_the_exam_is_put_back_and_reported(desktop: Desktop, tmp_path: Path) -> None:
    """``fairlock restore`` works at any time: it is the way out if all else fails."""
    restore_file = tmp_path / "data" / "restore.json"
    restore_file.parent.mkdir(mode=0o700)
    before = (_options(desktop), _saver_timeout(desktop))
    with running_shell(restore_file, desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=guard_policy()))
        held = (_options(desktop), _saver_timeout(desktop))
        environment = {**desktop.environment, "FAIRLOCK_HOME": str(tmp_path)}
        command = [sys.executable, "-m", "app", "restore"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert "Console keys work again." in done.stdout
        wait_for(lambda: (_options(desktop), _saver_timeout(desktop)) == held, "what was undone to be put back")
        both = [Capability.INPUT_GUARD, Capability.SLEEP_GUARD]
        wait_for(lambda: sorted(_put_back(shell)) == both, "the reports")
        assert shell.answer(Released, Release()).failed == ()
        assert (_options(desktop), _saver_timeout(desktop)) == before


def _put_back(shell: Shell) -> list[str]:
    reports = shell.reports(IncidentKind.CAPABILITY_MISSING)
    return [report.facts["capability"] for report in reports if "put back" in report.facts["reason"]]


def test_the_next_start_undoes_what_nobody_could(desktop: Desktop, tmp_path: Path) -> None:
    restore_file = tmp_path / "restore.json"
    before = (_options(desktop), _saver_timeout(desktop))
    with running_shell(restore_file, desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=guard_policy()))
        shell.guard.suspend()  # so that it makes no other last hand
        for process in (*shell.last_hands(), shell.guard):
            process.kill()
        wait_for(lambda: "closed" in shell.lines, "the notice that the guard is gone")
    assert (_options(desktop), _saver_timeout(desktop)) != before
    assert restore_file.exists()
    with running_shell(restore_file, desktop.environment) as shell:
        wait_for(lambda: shell.reports(IncidentKind.ENVIRONMENT), "the report of what was restored")
        assert (_options(desktop), _saver_timeout(desktop)) == before
        assert not restore_file.exists()


def test_a_guard_asked_to_end_undoes_everything_and_ignores_ctrl_c(desktop: Desktop, tmp_path: Path) -> None:
    before = (_options(desktop), _saver_timeout(desktop))
    with running_shell(tmp_path / "restore.json", desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=guard_policy()))
        shell.guard.send_signal(signal.SIGINT)
        shell.answer(Engaged, Engage(policy=guard_policy()))
        shell.guard.send_signal(signal.SIGTERM)
        wait_for(lambda: not _runs(shell.guard), "the guard's end")
        assert (_options(desktop), _saver_timeout(desktop)) == before


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
