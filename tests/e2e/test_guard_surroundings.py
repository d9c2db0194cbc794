"""A real guard process on a real X11 desktop: what it answers before the exam, and what it sees during it."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.contract import schema
from app.contract.incidents import IncidentKind
from app.contract.policy import Lockdown, Treatment
from app.messages import Concern, Engage, Engaged, Examine, Examined, Release, Released, Report
from lockdown import select
from lockdown.rule_lists import builtin_rules
from tests.e2e.guard_rig import Shell
from tests.unit.shell_policies import POLICY
from tests.xserver import Desktop, wait_for, x11_desktop

pytestmark = pytest.mark.skipif(select.system() != "linux", reason="X11 is a desktop of Linux")


def _policy(**changes: Any) -> str:
    """A policy that closes nothing: the tests run on a developer's computer, and x11vnc must live."""
    permit = tuple(sorted(builtin_rules(select.system()).names))
    return schema.dumps(replace(POLICY, lockdown=replace(Lockdown(require=(), permit=permit), **changes))).decode()


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as desktop:
        yield desktop


@pytest.fixture
def shell(desktop: Desktop, tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path / "restore.json", desktop.environment)
    yield shell
    shell.close()


@pytest.fixture
def second_monitor(desktop: Desktop) -> Iterator[None]:
    desktop.run("xrandr", "--setmonitor", "RIGHT", "640/170x800/200+640+0", "none")
    yield
    desktop.run("xrandr", "--delmonitor", "RIGHT")


def _of(answer: Examined, kind: IncidentKind) -> list[Concern]:
    return [concern for concern in answer.concerns if concern.kind is kind]


@pytest.mark.usefixtures("second_monitor")
def test_before_the_exam_the_policy_decides_what_two_displays_mean(shell: Shell) -> None:
    for follows in (Treatment.REFUSE, Treatment.WARN, Treatment.RECORD):
        answer = shell.answer(Examined, Examine(policy=_policy(extra_displays=follows)))
        (concern,) = _of(answer, IncidentKind.DISPLAY_CHANGED)
        assert (concern.treatment, concern.score) == (follows, 1000)
        assert "2 displays are in use, 1 allowed" in concern.signals
        assert "Unplug the displays that are not allowed" in concern.says
    ignored = shell.answer(Examined, Examine(policy=_policy(extra_displays=Treatment.IGNORE)))
    assert _of(ignored, IncidentKind.DISPLAY_CHANGED) == []
    assert ignored.tier == "B"


def test_examining_changes_nothing(shell: Shell, desktop: Desktop) -> None:
    before = desktop.run("xset", "q"), desktop.run("setxkbmap", "-query")
    shell.answer(Examined, Examine(policy=_policy()))
    assert (desktop.run("xset", "q"), desktop.run("setxkbmap", "-query")) == before
    assert shell.answer(Released, Release()).undone == ()


def test_during_the_exam_a_second_monitor_is_reported_and_told(shell: Shell, desktop: Desktop) -> None:
    engaged = shell.answer(Engaged, Engage(policy=_policy()))
    assert {"display_watch", "device_watch", "remote_watch", "sleep_guard"} <= set(engaged.holding)
    desktop.run("xrandr", "--setmonitor", "RIGHT", "640/170x800/200+640+0", "none")
    try:
        wait_for(
            lambda: any("1 allowed" in report.facts.get("signals", "") for report in _displays(shell)), "its report"
        )
        wait_for(lambda: shell.messages(Concern), "a word to the candidate")
    finally:
        desktop.run("xrandr", "--delmonitor", "RIGHT")
    assert {concern.treatment for concern in shell.messages(Concern)} == {Treatment.WARN}
    assert next(report.facts["before"] for report in _displays(shell) if "before" in report.facts) == "absent"


def test_remote_control_that_begins_during_the_exam_is_reported_with_its_signs(shell: Shell, desktop: Desktop) -> None:
    if shutil.which("x11vnc") is None:
        pytest.skip("x11vnc is not installed")
    shell.answer(Engaged, Engage(policy=_policy()))
    with desktop.program("x11vnc", "-localhost", "-nopw", "-autoport", "5900"):
        wait_for(
            lambda: any("x11vnc" in r.facts["signals"] for r in shell.reports(IncidentKind.REMOTE_SESSION)),
            "the report of x11vnc",
            deadline_s=40,
        )
    report = next(r for r in shell.reports(IncidentKind.REMOTE_SESSION) if "x11vnc" in r.facts["signals"])
    assert report.source == "guard.remote_watch"
    assert int(report.facts["score"]) >= Lockdown().evidence_permille
    assert any("End every remote connection" in concern.says for concern in shell.messages(Concern))


def _displays(shell: Shell) -> list[Report]:
    return shell.reports(IncidentKind.DISPLAY_CHANGED)
