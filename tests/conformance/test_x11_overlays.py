"""Windows of other programs over the exam, on a real X server with a window manager: found, described, put behind."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from lockdown import select
from lockdown.capabilities import Finding
from lockdown.processes import Program, PsutilTable
from tests.xserver import Desktop, end, wait_for, x11_desktop

if select.system() != "linux":
    pytest.skip("X11 is a desktop of Linux", allow_module_level=True)

from Xlib import X

from lockdown.linux_x11.belonging import belongs_over_the_exam
from lockdown.linux_x11.overlays import OverlayWatch
from lockdown.linux_x11.restack import LOCKERS, put_behind
from lockdown.linux_x11.server import XServer
from lockdown.linux_x11.stacking import CANVAS, INSIDE, Over
from tests.x11_client import undecorate

ROOT = Path(__file__).parents[2]
A_LOOK_S = 1.0


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as made:
        yield made


class Exam:
    """A large window of this process, and a watch over it."""

    def __init__(self, desktop: Desktop, *, is_helper: Callable[[Program], bool] = lambda _program: False) -> None:
        self.desktop = desktop
        self.clock = ManualClock()
        self.server = XServer(desktop.display)
        # Not the whole screen: the window manager would lift it above the windows that lie above all others.
        self.window = self.open(0, 0, 1270, 790, managed=True)
        self.looking = XServer(desktop.display)
        self.behind: list[Over] = []
        self.touch = True
        own = os.getpid()
        self.watch = OverlayWatch(
            self.looking,
            PsutilTable(),
            self.clock,
            lambda pid: pid == own,
            is_helper=is_helper,
            put_behind=self._put_behind,
        )
        wait_for(lambda: not self.look(), "the windows of earlier tests to be gone")

    def open(self, *place: int, managed: bool = False) -> Any:
        window = self.server.root.create_window(
            *place, 0, X.CopyFromParent, override_redirect=not managed, background_pixel=0xFFFFFF
        )
        if managed:
            undecorate(self.server.display, window)

        def is_shown() -> bool:
            window.map()  # again: a window manager that is still starting may not have heard it
            self.server.display.sync()
            return bool(window.get_attributes().map_state == X.IsViewable)

        wait_for(is_shown, "the window")
        return window

    def look(self) -> list[Finding]:
        self.clock.advance(A_LOOK_S)
        return list(self.watch.observe())

    def find(self) -> Finding:
        found: list[Finding] = []

        def look() -> bool:
            found.extend(self.look())
            return bool(found)

        wait_for(look, "a window over the exam")
        assert len(found) == 1
        return found[0]

    def covers(self, pid: int) -> bool:
        """Whether a window of ``pid`` is above the exam's, by the server's order and nothing else."""
        above = False
        for child in self.server.root.query_tree().children:
            inside = [child.id, *(inner.id for inner in child.query_tree().children)]
            if above and pid in map(self.server.pid_of, inside):
                return True
            above = above or self.window.id in inside
        return False

    def _put_behind(self, over: Over, program: Program | None) -> None:
        self.behind.append(over)
        if self.touch:
            put_behind(self.looking, over, program)

    def close(self) -> None:
        self.server.close()
        self.looking.close()


@pytest.fixture
def exam(desktop: Desktop) -> Iterator[Exam]:
    made = Exam(desktop)
    yield made
    made.close()


@contextmanager
def another(desktop: Desktop, what: str, *given: int) -> "Iterator[subprocess.Popen[bytes]]":
    """Run another program that opens a window, from when it has done so."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.x11_client", what, *map(str, given)],
        env=desktop.environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        end(process)


@pytest.mark.parametrize(
    ("what", "special", "covered"),
    [
        ("unmanaged", "unmanaged", 12),
        ("click_through", "unmanaged, click-through", 12),
        ("partly_click_through", "unmanaged, partly click-through", 12),
        ("shaped", "unmanaged", 2),
        ("translucent", "unmanaged, translucent", 12),
        ("hidden_from_taskbar", "topmost, not in the taskbar", 12),
    ],
)
def test_a_window_over_the_exam_is_described_and_put_behind(exam: Exam, what: str, special: str, covered: int) -> None:
    with another(exam.desktop, what) as program:
        seen = PsutilTable().look(program.pid)
        finding = exam.find()
        wait_for(lambda: not exam.covers(program.pid), "the exam to be on top again")
    assert finding.kind is IncidentKind.WINDOW_OVER_EXAM
    assert seen is not None
    assert finding.facts == {
        "name": seen.name,
        "path": seen.path,
        "pid": str(program.pid),
        "covered_percent": str(covered),
        "special": special,
    }


def test_a_program_that_gets_the_window_number_of_one_that_ended_is_told_under_its_own_name(exam: Exam) -> None:
    with another(exam.desktop, "unmanaged") as first:
        assert exam.find().facts["pid"] == str(first.pid)
        number = exam.behind[-1].window
    with another(exam.desktop, "unmanaged") as second:  # nobody looked in between
        told = [finding.facts["pid"] for finding in exam.look() if "duration_ms" not in finding.facts]
        assert exam.behind[-1].window == number
        assert told == [str(second.pid)]
        assert exam.behind[-1].pid == second.pid


def test_a_plain_window_needs_no_sign_to_be_found(exam: Exam) -> None:
    with another(exam.desktop, "plain") as program:
        finding = exam.find()
        wait_for(lambda: not exam.covers(program.pid), "the exam to be on top again")
    assert finding.facts["pid"] == str(program.pid)
    assert "special" not in finding.facts


def test_a_window_planted_inside_the_exam_s_own_is_found_and_hidden(exam: Exam) -> None:
    with another(exam.desktop, "unmanaged", exam.window.id):
        finding = exam.find()
        assert finding.facts["special"].startswith(INSIDE)
        (child,) = exam.window.query_tree().children
        assert child.get_attributes().map_state == 0


def test_whoever_holds_the_compositor_s_canvas_is_named(exam: Exam) -> None:
    with another(exam.desktop, "canvas") as program:
        finding = exam.find()
    assert (finding.facts["pid"], finding.facts["special"]) == (str(program.pid), CANVAS)


def test_a_program_is_reported_once_and_again_when_it_is_gone_with_how_long_it_was_there(exam: Exam) -> None:
    exam.touch = False
    with another(exam.desktop, "unmanaged") as program:
        began = exam.find()
        for _ in range(3):
            assert exam.look() == []
    wait_for(lambda: not exam.watch._stack.over_own(), "the window to be gone")
    ended: list[Finding] = []
    while not ended:
        ended = exam.look()
    assert ended[0].facts == {**began.facts, "duration_ms": "3000"}
    assert ended[0].since == began.since
    assert exam.look() == []
    assert program.pid not in exam.watch._covers


def test_our_own_tooltips_and_what_shows_nothing_are_no_overlays(exam: Exam) -> None:
    exam.open(200, 200, 150, 30)
    with another(exam.desktop, "tiny"):
        assert exam.look() == []


def test_a_helper_s_window_is_left_where_it_is(desktop: Desktop) -> None:
    exam = Exam(desktop, is_helper=lambda program: True)
    try:
        with another(desktop, "unmanaged") as program:
            assert exam.look() == []
            assert exam.behind == []
            assert exam.covers(program.pid)
    finally:
        exam.close()


def test_without_an_exam_window_nothing_is_over_it(exam: Exam) -> None:
    exam.window.unmap()
    exam.server.display.sync()
    with another(exam.desktop, "unmanaged"):
        assert exam.look() == []
        exam.window.map()
        exam.server.display.sync()
        exam.find()


def test_a_locked_screen_is_reported_and_stays_locked(exam: Exam) -> None:
    with another(exam.desktop, "unmanaged") as program:
        exam.touch = False
        exam.find()
        locker = Program(pid=1, parent=1, created=0.0, name=sorted(LOCKERS)[0], path="", user="")
        put_behind(exam.looking, exam.behind[-1], locker)
        assert exam.covers(program.pid)


@pytest.mark.parametrize(
    ("name", "mode", "owner", "belongs"),
    [
        ("onboard", 0o755, 0, True),
        ("ibus-ui-gtk3", 0o755, 0, True),
        ("cluely", 0o755, 0, False),
        ("onboard", 0o777, 0, False),
        ("onboard", 0o755, 12345, False),
    ],
)
def test_only_what_the_administrator_installed_belongs_over_an_exam(
    tmp_path: Path, name: str, mode: int, owner: int, belongs: bool
) -> None:
    if os.geteuid() != 0 and owner == 0:
        file = Path("/usr/bin/env")
        belongs = belongs and mode == 0o755
        if mode != 0o755:
            pytest.skip("only the administrator can make such a file")
    else:
        file = tmp_path / name
        file.touch()
        file.chmod(mode)
        if os.geteuid() == 0:
            os.chown(file, owner, owner)
    program = Program(pid=1, parent=1, created=0.0, name=name, path=str(file), user="")
    assert belongs_over_the_exam(program) is belongs
