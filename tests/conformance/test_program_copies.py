"""Renamed copies of installed programs are known by what they are; programs that share an executable are not copies.

Real executables and real processes; nothing but these is looked at.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.policy import Lockdown
from lockdown import select
from lockdown.processes import Program
from lockdown.rule_lists import builtin_rules, with_policy
from lockdown.watch import ProcessScanner
from tests.unit.programs_on_disk import SLEEP, copy, electron, unique

if select.system() != "linux":
    pytest.skip("copies are found by their executable on Linux", allow_module_level=True)

from lockdown.linux_programs import elf, installed
from lockdown.linux_programs.copies import InstalledCopies
from lockdown.linux_programs.origin import Origins
from lockdown.linux_programs.table import ProcfsTable

RULES = builtin_rules("linux")
TABLE = ProcfsTable(Origins(RULES))
Start = Callable[..., Program]
NOBODY = 1 << 30


@pytest.fixture
def start() -> Iterator[Start]:
    """Runs programs and returns what the table sees of them."""
    running: list[subprocess.Popen[bytes]] = []

    def run(path: Path, *arguments: str) -> Program:
        running.append(subprocess.Popen([path, *(arguments or ("60",))]))
        program = TABLE.look(running[-1].pid)
        assert program is not None
        return program

    yield run
    for process in running:
        process.kill()
        process.wait()


def _copies(*folders: Path, policy: Lockdown | None = None) -> InstalledCopies:
    rules = with_policy(RULES, policy or Lockdown())
    return InstalledCopies(installed.find(rules, folders))


def test_a_renamed_copy_of_an_installed_program_is_found_and_what_is_unlike_it_is_not(
    tmp_path: Path, start: Start
) -> None:
    anydesk = unique(tmp_path / "bin/anydesk")
    copies = _copies(tmp_path / "bin")
    renamed = start(copy(anydesk, tmp_path / "home/notes"))
    innocent = start(unique(tmp_path / "home/other"))
    assert copies.copy_of(renamed) == "anydesk"
    assert copies.copy_of(innocent) == ""
    assert copies.copy_of(start(anydesk)) == ""  # its name says it
    scanner = ProcessScanner(TABLE, RULES, ManualClock(), own_root=NOBODY, copies=copies)
    (found,) = [match for match in scanner.find_all() if match.program.pid in (renamed.pid, innocent.pid)]
    assert (found.program.pid, found.by, found.copy_of, found.rule) == (
        renamed.pid,
        "copy",
        "anydesk",
        "remote-desktop",
    )


def test_appending_stripping_and_linking_do_not_hide_a_copy(tmp_path: Path, start: Start) -> None:
    anydesk = unique(tmp_path / "bin/anydesk")
    copies = _copies(tmp_path / "bin")
    longer = copy(anydesk, tmp_path / "longer")
    with longer.open("ab") as file:
        file.write(b"padding" * 1000)
    linked = tmp_path / "linked"
    linked.hardlink_to(anydesk)
    assert [copies.copy_of(start(path)) for path in (longer, linked)] == ["anydesk", "anydesk"]


def test_a_copy_that_was_deleted_after_its_start_is_found(tmp_path: Path, start: Start) -> None:
    anydesk = unique(tmp_path / "bin/anydesk")
    program = start(copy(anydesk, tmp_path / "gone"))
    (tmp_path / "gone").unlink()
    again = TABLE.look(program.pid)
    assert again is not None
    assert _copies(tmp_path / "bin").copy_of(again) == "anydesk"


def test_a_program_without_a_build_id_is_found_by_its_hash(tmp_path: Path, start: Start) -> None:
    """As compilers of Go and some of Rust make them; here the note is renamed, so that nobody finds the id."""
    obs = unique(tmp_path / "bin/obs")
    obs.write_bytes(obs.read_bytes().replace(b"GNU\0", b"XXX\0"))
    copies = _copies(tmp_path / "bin")
    renamed = start(copy(obs, tmp_path / "notes"))
    same_size = tmp_path / "same-size"
    same_size.write_bytes(obs.read_bytes()[:-1] + b"?")
    same_size.chmod(0o755)
    assert copies.copy_of(renamed) == "obs"
    assert copies.copy_of(start(same_size)) == ""


def test_programs_made_with_electron_are_told_apart_by_their_package(tmp_path: Path, start: Start) -> None:
    electron(tmp_path / "discord", "Discord", b"chat" * 100)
    copies = _copies(tmp_path / "discord")
    copied = tmp_path / "notes"
    shutil.copytree(tmp_path / "discord", copied)
    (copied / "Discord").rename(copied / "notes")
    innocent = electron(tmp_path / "editor", "editor", b"text" * 100)
    assert copies.copy_of(start(copied / "notes")) == "discord"
    assert copies.copy_of(start(innocent)) == ""
    assert copies.copy_of(start(SLEEP)) == "", "what carries no package is no Electron program"


def test_an_interpreter_under_a_prohibited_name_accuses_no_script(tmp_path: Path, start: Start) -> None:
    python = Path(sys.executable).resolve()
    system_python = Path(shutil.which("python3", path="/usr/bin:/bin") or python).resolve()
    copy(system_python, tmp_path / "bin/anydesk")
    copy(Path("/bin/bash"), tmp_path / "bin/obs")
    copies = _copies(tmp_path / "bin")
    script = start(system_python, "-c", "import time; time.sleep(60)")
    shell = start(Path("/bin/bash"), "-c", "sleep 60; true")
    assert [copies.copy_of(script), copies.copy_of(shell)] == ["", ""]


def test_a_prohibited_interpreter_accuses_no_copy_of_itself(tmp_path: Path, start: Start) -> None:
    """Environments for Python copy it: what counts is the script, which no executable tells."""
    runtime = unique(tmp_path / "bin/python3.11")
    unique(tmp_path / "bin/node")
    policy = Lockdown(prohibit=("python3.11", "node"))
    assert installed.find(with_policy(RULES, policy), [tmp_path / "bin"]) == {}
    assert _copies(tmp_path / "bin", policy=policy).copy_of(start(copy(runtime, tmp_path / "orca"))) == ""


def test_one_file_with_many_names_accuses_nobody(tmp_path: Path, start: Start) -> None:
    """A program of the system that is the same file byte for byte, as with busybox, clears it."""
    copy(SLEEP, tmp_path / "bin/vncviewer")
    assert installed.find(RULES, [tmp_path / "bin"]) == {}


def test_a_loader_with_an_appended_program_is_compared_as_a_whole(tmp_path: Path, start: Start) -> None:
    loader = unique(tmp_path / "loader")
    payload = b"program" * 20_000
    cursor, other = tmp_path / "bin/cursor", tmp_path / "other"
    for path, content in ((cursor, payload), (other, payload[::-1])):
        copy(loader, path)
        with path.open("ab") as file:
            file.write(content)
    copies = _copies(tmp_path / "bin")
    assert copies.copy_of(start(other)) == ""
    assert copies.copy_of(start(copy(cursor, tmp_path / "renamed"))) == "cursor"


def test_behind_a_link_and_a_starting_script_the_program_is_found(tmp_path: Path) -> None:
    brave = unique(tmp_path / "opt/brave/brave")
    script = tmp_path / "opt/brave/brave-browser"
    script.write_text("#!/bin/sh\nexec /opt/brave/brave\n")
    script.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/brave-browser").symlink_to(script)
    assert installed.find(RULES, [tmp_path / "bin"]) == {brave: "brave"}


def test_what_the_policy_permits_is_not_looked_for(tmp_path: Path) -> None:
    anydesk = unique(tmp_path / "bin/anydesk")
    permitted = with_policy(RULES, Lockdown(permit=("AnyDesk",)))
    assert installed.find(permitted, [tmp_path / "bin"]) == {}
    assert installed.find(RULES, [tmp_path / "bin", tmp_path / "missing"]) == {anydesk: "anydesk"}


def test_the_whole_system_is_searched_in_bounded_time() -> None:
    everything = with_policy(RULES, Lockdown(permit=tuple(RULES.names)))
    assert installed.copies(everything).copy_of(_myself()) == ""
    assert installed.copies(RULES).copy_of(_myself()) == ""


def _myself() -> Program:
    program = TABLE.look(os.getpid())
    assert program is not None
    return program


def test_no_file_that_a_candidate_prepares_stops_the_search(tmp_path: Path, start: Start) -> None:
    """A pipe that nobody writes to, where the package would be, or the program itself."""
    anydesk = unique(tmp_path / "bin/anydesk")
    (tmp_path / "home/resources").mkdir(parents=True)
    os.mkfifo(tmp_path / "home/resources/app.asar")
    os.mkfifo(tmp_path / "bin/obs")
    copies = _copies(tmp_path / "bin")
    assert copies.copy_of(start(copy(anydesk, tmp_path / "home/notes"))) == "anydesk"


def test_a_program_that_took_the_place_of_its_file_does_not_stop_the_hashing(tmp_path: Path, start: Start) -> None:
    program = start(unique(tmp_path / "tool"))
    (tmp_path / "tool").unlink()
    os.mkfifo(tmp_path / "tool")
    os.kill(program.pid, signal.SIGKILL)
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    assert TABLE.sha256(program) is None


def test_a_strange_package_beside_a_copy_does_not_hide_it(tmp_path: Path, start: Start) -> None:
    anydesk = unique(tmp_path / "bin/anydesk")
    copies = _copies(tmp_path / "bin")
    assert copies.copy_of(start(electron(tmp_path / "home", "notes", b"anything"))) == ""
    renamed = copy(anydesk, tmp_path / "home/other")
    assert copies.copy_of(start(renamed)) == "anydesk"


def test_a_file_with_the_same_build_id_but_more_to_load_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full of holes it costs no room on the disk, and hours to read."""
    anydesk = unique(tmp_path / "bin/anydesk")
    copies = _copies(tmp_path / "bin")
    huge = copy(anydesk, tmp_path / "huge")
    real_read = elf.read

    def read(path: Path) -> elf.Elf | None:
        found = real_read(path)
        return replace(found, segments=((0, 1 << 40),)) if found is not None and path == huge else found

    monkeypatch.setattr(elf, "read", read)
    monkeypatch.setattr(elf, "loaded_digest", lambda path, _elf: pytest.fail(f"{path} was read"))
    assert copies.name_of(huge, huge.parent) == ""


def test_an_installed_program_started_by_a_link_with_a_protected_name_is_found(tmp_path: Path, start: Start) -> None:
    anydesk = unique(tmp_path / "bin/anydesk")
    (tmp_path / "orca").symlink_to(anydesk)
    program = start(tmp_path / "orca")
    scanner = ProcessScanner(TABLE, RULES, ManualClock(), own_root=NOBODY, copies=_copies(tmp_path / "bin"))
    (found,) = [match for match in scanner.find_all() if match.program.pid == program.pid]
    assert (found.program.name, found.by) == ("orca", "name")


def test_a_users_copy_of_the_systems_program_does_not_make_that_one_prohibited(tmp_path: Path, start: Start) -> None:
    """Somebody laid a copy of a part of the desktop under a prohibited name into a home."""
    trap = _as_users(copy(SLEEP, tmp_path / "bin/anydesk"))
    copies = InstalledCopies({trap: "anydesk"})
    assert copies.copy_of(start(SLEEP)) == ""
    assert copies.copy_of(start(_as_users(copy(trap, tmp_path / "notes")))) == "anydesk"


def _as_users(path: Path) -> Path:
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    return path
