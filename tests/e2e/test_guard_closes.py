"""A real guard process finds programs wherever they lie and whatever they are called, tells them and closes them."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.contract.incidents import IncidentKind
from app.contract.legible import fact
from app.contract.policy import Capability, Treatment
from app.messages import (
    CloseProcesses,
    Concern,
    Engage,
    Engaged,
    Examine,
    Examined,
    ProcessesClosed,
    ProcessesFound,
)
from tests.e2e.guard_rig import (
    DECOY,
    Shell,
    decoy_programs,
    guard_policy,
    headless_shell,
    no_desktop,
    on_linux,
    one_desktop,
    running_shell,
)
from tests.unit.programs_on_disk import copy, unique
from tests.xserver import DEADLINE_S, Desktop, end, wait_for

decoys = pytest.fixture(decoy_programs)
headless = pytest.fixture(headless_shell)
desktop = pytest.fixture(scope="module")(one_desktop)


def test_a_prohibited_program_is_found_and_then_closed(
    headless: Shell, decoys: "Callable[[str], subprocess.Popen[bytes]]"
) -> None:
    decoy = decoys(DECOY)
    found = headless.answer(ProcessesFound, CloseProcesses(policy=guard_policy(), close=False))
    assert [(p.pid, p.name, p.rule) for p in found.processes] == [(decoy.pid, DECOY, "remote-desktop")]
    assert decoy.poll() is None
    done = headless.answer(ProcessesClosed, CloseProcesses(policy=guard_policy(), close=True))
    assert [p.pid for p in done.closed] == [decoy.pid]
    assert done.left == ()
    assert decoy.wait(DEADLINE_S) == -signal.SIGTERM


def test_a_renamed_copy_is_caught_by_its_hash(
    headless: Shell, tmp_path: Path, decoys: "Callable[[str], subprocess.Popen[bytes]]"
) -> None:
    # A program of our own, so that the hash does not hit every sleep on the machine.
    program = tmp_path / "fairlock-notes"
    shutil.copy2("/bin/sleep", program)
    with program.open("ab") as file:
        file.write(os.urandom(16))
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    renamed = subprocess.Popen([program, "120"])
    innocent = decoys("fairlock-other-notes")
    try:
        policy = guard_policy(f"sha256:{digest}")
        done = headless.answer(ProcessesClosed, CloseProcesses(policy=policy, close=True))
        assert [p.pid for p in done.closed] == [renamed.pid]
        assert innocent.poll() is None
    finally:
        end(renamed)


@pytest.fixture
def with_decoy_installed(tmp_path: Path) -> Iterator[Shell]:
    """A shell and its guard where the decoy is installed, not running."""
    unique(tmp_path / "bin" / DECOY)
    environment = {**no_desktop(), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    with running_shell(tmp_path / "restore.json", environment) as shell:
        yield shell


@on_linux
def test_a_renamed_copy_of_an_installed_program_is_closed_though_nobody_listed_its_hash(
    with_decoy_installed: Shell, tmp_path: Path, decoys: "Callable[[str], subprocess.Popen[bytes]]"
) -> None:
    shell = with_decoy_installed
    before = subprocess.Popen([copy(tmp_path / "bin" / DECOY, tmp_path / "home/essay"), "120"])
    innocent = decoys("fairlock-other-notes")
    try:
        done = shell.answer(ProcessesClosed, CloseProcesses(policy=guard_policy(), close=True))
        assert [(p.pid, p.name, p.rule) for p in done.closed] == [(before.pid, "essay", "remote-desktop")]
        assert done.closed[0].copy_of == DECOY
        shell.answer(Engaged, Engage(policy=guard_policy()))
        during = subprocess.Popen([tmp_path / "home/essay", "120"])
        wait_for(lambda: shell.reports(IncidentKind.PROCESS_CLOSED), "the report of closing")
        (found,) = shell.reports(IncidentKind.PROCESS_FOUND)
        assert (found.facts["pid"], found.facts["by"], found.facts["copy_of"]) == (str(during.pid), "copy", DECOY)
        assert during.wait(DEADLINE_S) == -signal.SIGTERM
        assert innocent.poll() is None
    finally:
        end(before)


def test_a_script_that_only_mentions_the_name_is_left_alone(headless: Shell, tmp_path: Path) -> None:
    script = tmp_path / f"{DECOY}.py"
    script.write_text("import time; time.sleep(120)")
    mention = subprocess.Popen([sys.executable, script, DECOY])
    try:
        found = headless.answer(ProcessesFound, CloseProcesses(policy=guard_policy(), close=False))
        assert mention.pid not in [p.pid for p in found.processes]
    finally:
        end(mention)


def test_a_program_started_during_the_exam_is_reported_and_closed(
    headless: Shell, decoys: "Callable[[str], subprocess.Popen[bytes]]"
) -> None:
    engaged = headless.answer(Engaged, Engage(policy=guard_policy()))
    assert engaged.holding == (Capability.PROCESS_WATCH,)
    assert "desktop session" in engaged.missing[Capability.KIOSK]
    decoy = decoys(DECOY)
    wait_for(lambda: headless.reports(IncidentKind.PROCESS_CLOSED), "the report of closing")
    (found,) = headless.reports(IncidentKind.PROCESS_FOUND)
    assert found.facts["pid"] == str(decoy.pid)
    assert found.facts["sha256"] == hashlib.sha256(Path("/bin/sleep").read_bytes()).hexdigest()
    assert decoy.wait(DEADLINE_S) == -signal.SIGTERM


@on_linux
def test_programs_in_folders_with_odd_names_are_listed_told_and_closed(headless: Shell, tmp_path: Path) -> None:
    long = "/".join(["d" * 200] * 18)  # with the folder of the test just short of what the system takes
    places = [tmp_path / folder / DECOY for folder in (os.fsdecode(b"\xff"), "line\nfeed \x1b[2J", "plain", long)]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> set[str]:
        started.extend(subprocess.Popen([place, "120"]) for place in places)
        return {str(process.pid) for process in started[-len(places) :]}

    paths = {fact(str(copy(Path("/bin/sleep"), place))) for place in places}
    try:
        pids = start()
        found = headless.answer(ProcessesFound, CloseProcesses(policy=guard_policy(), close=False))
        assert {p.path for p in found.processes} == paths
        done = headless.answer(ProcessesClosed, CloseProcesses(policy=guard_policy(), close=True))
        assert ({str(p.pid) for p in done.closed}, done.left) == (pids, ())
        headless.answer(Engaged, Engage(policy=guard_policy()))
        pids = start()
        wait_for(lambda: len(headless.reports(IncidentKind.PROCESS_CLOSED)) >= len(places), "the reports of closing")
        for kind in (IncidentKind.PROCESS_CLOSED, IncidentKind.PROCESS_FOUND):
            assert {report.facts["pid"] for report in headless.reports(kind)} == pids
            assert {report.facts["path"] for report in headless.reports(kind)} == paths
        assert {process.wait(DEADLINE_S) for process in started} == {-signal.SIGTERM}
        assert "closed" not in headless.lines, "the guard is still there"
    finally:
        for process in started:
            end(process)


@on_linux
def test_a_crowd_of_programs_is_closed_and_does_not_break_the_guard(headless: Shell, tmp_path: Path) -> None:
    crowd = 700  # the channel carries 256 messages at once
    program = copy(Path("/bin/sleep"), tmp_path / DECOY)
    headless.answer(Engaged, Engage(policy=guard_policy()))
    started = [subprocess.Popen([program, "120"]) for _ in range(crowd)]

    def told(kind: IncidentKind) -> int:
        reports = headless.reports(kind)
        return sum(int(report.facts.get("further", 1)) for report in reports)

    try:
        assert {process.wait(DEADLINE_S) for process in started} == {-signal.SIGTERM}
        wait_for(lambda: told(IncidentKind.PROCESS_CLOSED) == crowd, "the number of those that were closed")
        wait_for(lambda: told(IncidentKind.PROCESS_FOUND) == crowd, "the number of those that were found")
        assert len(headless.reports(IncidentKind.PROCESS_FOUND)) < crowd // 2
        assert "closed" not in headless.lines, "the guard is still there"
    finally:
        for process in started:
            end(process)


@on_linux
@pytest.mark.parametrize("folder", ["plain", os.fsdecode(b"\xff")], ids=["plain", "no UTF-8"])
def test_a_program_that_no_list_names_is_a_concern_before_the_exam_and_an_incident_during_it(
    desktop: Desktop, tmp_path: Path, folder: str
) -> None:
    xterm = shutil.which("xterm")
    assert xterm is not None
    policy = guard_policy(unknown=Treatment.REFUSE)
    program = copy(Path(xterm), tmp_path / folder / "fairlock-notes")
    with (
        running_shell(tmp_path / "restore.json", desktop.environment) as shell,
        desktop.program(str(program), "-e", "sleep", "120") as notes,
    ):

        def minded() -> list[Concern]:
            examined = shell.answer(Examined, Examine(policy=policy))
            return [one for one in examined.concerns if one.kind is IncidentKind.PROCESS_UNKNOWN]

        wait_for(minded, "the concern")
        (concern,) = minded()
        assert concern.treatment is Treatment.REFUSE
        assert concern.signals == (fact(str(program)),)
        shell.answer(Engaged, Engage(policy=policy))
        wait_for(lambda: shell.reports(IncidentKind.PROCESS_UNKNOWN), "the incident")
        (report,) = shell.reports(IncidentKind.PROCESS_UNKNOWN)
        assert report.facts["pid"] == str(notes.pid)
        assert (report.facts["name"], report.facts["path"]) == ("fairlock-notes", fact(str(program)))
        assert notes.poll() is None, "told, never closed"


def test_where_windows_can_not_be_seen_that_is_said(headless: Shell) -> None:
    headless.answer(Engaged, Engage(policy=guard_policy(unknown=Treatment.RECORD)))
    reasons = [report.facts["reason"] for report in headless.reports(IncidentKind.CAPABILITY_MISSING)]
    assert any("have a window" in reason for reason in reasons)


def test_a_misspelt_rule_makes_the_watch_missing_not_silent(headless: Shell) -> None:
    engaged = headless.answer(Engaged, Engage(policy=guard_policy("sha265:00")))
    assert "sha265:00" in engaged.missing[Capability.PROCESS_WATCH]
    assert engaged.holding == ()
