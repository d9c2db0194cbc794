"""Programs in folders with odd names are seen, matched and told like any other: real files, real processes.

Their paths stay as the system has them (they open the file, and rules match them); only what is told is made legible.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.channel import decode, encode
from app.clock import ManualClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Lockdown
from app.messages import Report, Seen
from lockdown import select
from lockdown.processes import Program
from lockdown.rule_lists import builtin_rules, with_policy
from lockdown.rules import Match
from lockdown.watch import NoCopies, ProcessScanner, facts_of
from tests.unit.programs_on_disk import SLEEP, copy, unique
from tests.xserver import end, wait_for

if select.system() != "linux":
    pytest.skip("on Linux names are bytes; elsewhere they are text", allow_module_level=True)

from lockdown.linux_programs import installed
from lockdown.linux_programs.copies import InstalledCopies
from lockdown.linux_programs.origin import Origins
from lockdown.linux_programs.table import ProcfsTable
from tests.unit.long_paths import deep_program

RULES = with_policy(builtin_rules("linux"), Lockdown(prohibit=("path:*/fairlock-odd/*",)))
TABLE = ProcfsTable(Origins(RULES))
NOBODY = 1 << 30
FOLDERS = [b"\xff", b"\xed\xa0\x80 (half a letter)", b"line\nfeed \x1b[2J\x7f", "\u202eright to left".encode()]
Start = Callable[[Path], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def run(path: Path) -> "subprocess.Popen[bytes]":
        running.append(subprocess.Popen([path, "120"]))
        return running[-1]

    yield run
    for process in running:
        end(process)


def _place(root: Path, folder: bytes, name: str, program: Path = SLEEP) -> Path:
    return copy(program, root / "fairlock" / os.fsdecode(folder) / name)


def _look(process: "subprocess.Popen[bytes]") -> Program:
    program = TABLE.look(process.pid)
    assert program is not None
    return program


def _match(program: Program, copies: InstalledCopies | None = None) -> Match | None:
    scanner = ProcessScanner(TABLE, RULES, ManualClock(), own_root=NOBODY, copies=copies or NoCopies())
    return next((found for found in scanner.find_all() if found.program == program), None)


def _told(found: Match) -> dict[str, str]:
    now = ManualClock().now()
    facts = facts_of(found, TABLE.sha256)
    said = decode(
        encode(Seen(report=Report(kind=IncidentKind.PROCESS_FOUND, start=now, end=now, source="", facts=facts)))
    )
    assert isinstance(said, Seen)
    return dict(said.report.facts)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_program_is_found_and_told_whatever_its_folder_is_called(tmp_path: Path, start: Start, folder: bytes) -> None:
    path = _place(tmp_path, folder, "anydesk")
    program = _look(start(path))
    assert program.path == str(path)
    found = _match(program)
    assert found is not None
    assert (found.rule, found.by) == ("remote-desktop", "name")
    said = _told(found)
    assert said["path"] == str(path).encode("utf-8", "backslashreplace").decode()
    assert said["sha256"] == TABLE.sha256(program)


def test_a_rule_over_paths_matches_whatever_the_folder_is_called(tmp_path: Path, start: Start) -> None:
    found = _match(_look(start(_place(tmp_path, b"fairlock-odd/\xff", "fairlock-notes"))))
    assert found is not None
    assert found.by == "path"


def test_a_copy_is_known_whatever_its_folder_is_called(tmp_path: Path, start: Start) -> None:
    original = unique(tmp_path / "bin" / "anydesk")
    copies = InstalledCopies(installed.find(RULES, [original.parent]))
    found = _match(_look(start(_place(tmp_path, b"\xff", "fairlock-notes", original))), copies)
    assert found is not None
    assert (found.by, found.copy_of) == ("copy", "anydesk")


def test_a_program_whose_path_is_longer_than_a_path_can_be_is_found_by_its_files_name(tmp_path: Path) -> None:
    with deep_program(tmp_path, "anydesk", called="notes") as (process, path):
        assert len(path) > os.pathconf("/", "PC_PATH_MAX")
        wait_for(lambda: _look(process).path, "the mapping of its file")  # which comes a moment after the new name
        program = _look(process)
        assert program.name == "notes"
        assert program.path == path
        found = _match(program)
        assert found is not None
        assert (found.rule, found.by) == ("remote-desktop", "name")
        assert _told(found)["pid"] == str(process.pid)
