"""One suite for every table of programs: real processes must look the same through each of them."""

import hashlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lockdown import select
from lockdown.hashing import MOST_HELD
from lockdown.linux_programs.table import ProcfsTable
from lockdown.processes import NOTHING_KNOWN, Identity, ProcessTable, PsutilTable, is_descendant
from tests.unit.programs_on_disk import SLEEP, copy, unique
from tests.xserver import wait_for

KINDS = ("psutil", "procfs") if select.system() == "linux" else ("psutil",)


@pytest.fixture(params=KINDS)
def table(request: pytest.FixtureRequest) -> ProcessTable:
    return PsutilTable() if request.param == "psutil" else ProcfsTable(lambda _program: NOTHING_KNOWN)


@pytest.fixture
def start() -> "Iterator[Callable[..., subprocess.Popen[bytes]]]":
    """Runs programs until the test ends."""
    running: list[subprocess.Popen[bytes]] = []

    def run(*command: str | Path) -> "subprocess.Popen[bytes]":
        running.append(subprocess.Popen([str(part) for part in command]))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()


Start = Callable[..., "subprocess.Popen[bytes]"]


def test_a_program_is_seen_as_it_is(table: ProcessTable, tmp_path: Path, start: Start) -> None:
    path = copy(SLEEP, tmp_path / "a (strange) name")
    process = start(path, "60")
    program = table.look(process.pid)
    assert program is not None
    assert process.pid in table.pids()
    assert program.path == str(path)
    assert program.name[:15] == "a (strange) name"[:15]  # all that the kernel keeps
    assert (program.parent, program.user) == (os.getpid(), table.own_user())
    assert is_descendant(process.pid, os.getpid(), table)
    assert not is_descendant(os.getpid(), process.pid, table)


def test_both_tables_agree_about_every_process(table: ProcessTable) -> None:
    other = PsutilTable()
    seen = 0
    for pid in table.pids():
        ours, theirs = table.look(pid), other.look(pid)
        if ours is None or theirs is None or table.look(pid) != ours:
            continue  # it came, went or became another program in between
        assert (ours.path, ours.parent) == (theirs.path, theirs.parent)
        assert theirs.name.startswith(ours.name[:15])  # psutil reads the arguments for what is longer; we don't
        assert abs(ours.created - theirs.created) < 1.1
        seen += 1
    assert seen > 5


def test_a_deleted_program_keeps_its_path_and_its_hash(tmp_path: Path, start: Start) -> None:
    if "procfs" not in KINDS:
        pytest.skip("nothing to lose: elsewhere a running program can't be deleted")
    table = ProcfsTable(lambda _program: NOTHING_KNOWN)
    path = copy(SLEEP, tmp_path / "gone")
    process = start(path, "60")
    path.unlink()
    program = table.look(process.pid)
    assert program is not None
    assert program.path == str(path)
    sleep = table.look(start(SLEEP, "60").pid)
    assert sleep is not None
    assert table.sha256(program) == table.sha256(sleep) is not None


def test_what_is_held_has_the_hash_of_what_ran_whatever_comes_after(
    table: ProcessTable, tmp_path: Path, start: Start
) -> None:
    process = start(path := unique(tmp_path / "notes"), "60")
    ran = hashlib.sha256(path.read_bytes()).hexdigest()
    program = table.look(process.pid)
    assert program is not None
    held = table.hold(program)
    assert held is not None
    assert held.cost == path.stat().st_size
    process.kill()
    process.wait()
    unique(tmp_path / "other").replace(path)
    assert held.sha256() == ran
    assert held.cost == 0, "known by now"
    held.close()
    assert table.hold(program) is None, "it is gone"


def test_what_changes_while_it_is_held_has_no_hash(table: ProcessTable, tmp_path: Path, start: Start) -> None:
    process = start(path := unique(tmp_path / "notes"), "60")
    program = table.look(process.pid)
    assert program is not None
    held = table.hold(program)
    assert held is not None
    process.kill()
    process.wait()
    with path.open("ab") as file:
        file.write(b"something else")
    assert held.sha256() is None
    held.close()


def test_a_process_that_is_another_program_by_now_is_not_held(table: ProcessTable, start: Start) -> None:
    program = table.look(start(SLEEP, "60").pid)
    assert program is not None
    assert table.hold(replace(program, path="/usr/bin/notes")) is None
    held = table.hold(program)
    assert held is not None
    assert held.sha256(lambda: True) is None, "nobody wants it any more"
    held.close()


def test_a_few_are_held_at_once(table: ProcessTable, start: Start) -> None:
    program = table.look(start(SLEEP, "60").pid)
    assert program is not None
    held = [one for one in (table.hold(program) for _ in range(MOST_HELD + 3)) if one is not None]
    assert len(held) == MOST_HELD
    for one in held:
        one.close()
        one.close()
    again = table.hold(program)
    assert again is not None
    again.close()


def test_a_zombie_and_a_process_that_is_gone_are_nothing(table: ProcessTable, start: Start) -> None:
    process = start(SLEEP, "0")
    wait_for(lambda: table.look(process.pid) is None, "the zombie")
    process.wait()
    assert table.look(process.pid) is None


def test_signals_reach_the_process_and_nobody_who_got_its_id(table: ProcessTable, start: Start) -> None:
    process = start(SLEEP, "60")
    program = table.look(process.pid)
    assert program is not None
    for signalled in (table.terminate, table.kill):
        signalled(replace(program, created=program.created - 100))
    assert process.poll() is None
    table.terminate(program)
    assert process.wait(10) == -signal.SIGTERM
    table.kill(program)  # gone: nothing happens


def test_what_an_executable_says_it_is_is_asked_of_who_knows(start: Start) -> None:
    known = PsutilTable(lambda program: Identity(original_name=f"{program.name}.exe", signer="Somebody"))
    program = known.look(start(SLEEP, "60").pid)
    assert program is not None
    assert known.identity(program) == Identity(original_name="sleep.exe", signer="Somebody")
    assert PsutilTable().identity(program) == NOTHING_KNOWN
