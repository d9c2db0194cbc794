"""A guard that is stopped, not killed: it can't undo anything, so it is ended and its last hand does."""

from pathlib import Path

from app.messages import Engage, Engaged
from tests.e2e.guard_rig import Shell, guard_policy
from tests.xserver import Desktop, wait_for, x11_desktop

ALLOWED_S = 30.0


def _state(desktop: Desktop) -> str:
    return desktop.run("setxkbmap", "-query") + desktop.run("xset", "q").split("Screen Saver:")[1].split("Colors")[0]


def test_a_guard_that_is_stopped_is_ended_and_its_changes_undone(tmp_path: Path) -> None:
    restore_file = tmp_path / "restore.json"
    with x11_desktop() as desktop:
        before = _state(desktop)
        shell = Shell(restore_file, desktop.environment)
        try:
            shell.answer(Engaged, Engage(policy=guard_policy()))
            assert _state(desktop) != before
            shell.guard.suspend()
            wait_for(lambda: "closed" in shell.lines, "the notice that the guard is gone", ALLOWED_S)
            wait_for(lambda: _state(desktop) == before, "the undo", ALLOWED_S)
            wait_for(lambda: not restore_file.exists(), "the end of the restore file")
        finally:
            shell.close()
