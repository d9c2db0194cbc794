"""One at a time: whoever changes or undoes something waits for the other, and for what a killed one had begun."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.contract.errors import UserFacing
from lockdown.claim import Claim
from lockdown.fake import FakeDesktop, FakeMeasure
from lockdown.restore import RestoreFile
from tests.xserver import wait_for

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from lockdown.claim import Claim
claim = Claim(Path(sys.argv[1]))
with claim.held():
    print("held", flush=True)
    claim.run(["sh", "-c", 'echo $$ > "$0"; exec sleep 60', sys.argv[2]], timeout_s=60)
"""


@contextmanager
def _holder(path: Path, program: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a process that holds the claim and runs a program, whose process id it leaves in ``program``."""
    command = [sys.executable, "-c", HOLDER, str(path), str(program)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            wait_for(lambda: program.exists() and program.read_text().strip(), "the program of the holder")
            yield process
        finally:
            process.kill()


def _is_free(claim: Claim) -> bool:
    try:
        with claim.held(patience_s=0.02):
            return True
    except UserFacing:
        return False


def test_two_in_one_process_take_turns(tmp_path: Path) -> None:
    one, other = Claim(tmp_path / "lock"), Claim(tmp_path / "lock")
    with one.held():
        with pytest.raises(UserFacing) as refused, other.held(patience_s=0.02):
            pass
        assert refused.value.code == "E-RESTORE-BUSY"
        assert not _is_free(one)
    assert _is_free(other)
    assert _is_free(one)


def test_what_a_killed_holder_had_begun_is_waited_for(tmp_path: Path) -> None:
    program = tmp_path / "program"
    claim = Claim(tmp_path / "lock")
    with _holder(tmp_path / "lock", program) as holder:
        assert not _is_free(claim)
        holder.kill()
        holder.wait()
        assert not _is_free(claim), "its program may still change the machine"
        subprocess.run(["kill", program.read_text().strip()], check=True)
        wait_for(lambda: _is_free(claim), "the claim")


def test_undoing_says_so_when_it_is_not_its_turn(tmp_path: Path) -> None:
    desktop = FakeDesktop()
    file = RestoreFile(tmp_path / "restore.json", patience_s=0.05)
    file.engage(FakeMeasure(desktop, "keys"))
    with Claim(tmp_path / "restore.lock").held():
        done = file.replay({"fake-keys": desktop.replay})
    assert "is changing this computer's settings" in done.failed[0]
    assert file.pending()
    assert file.replay({"fake-keys": desktop.replay}).failed == ()


def test_without_room_for_a_lock_nothing_is_changed_and_all_is_undone(tmp_path: Path) -> None:
    desktop = FakeDesktop()
    file = RestoreFile(tmp_path / "restore.json")
    file.engage(FakeMeasure(desktop, "keys"))
    lock = tmp_path / "restore.lock"
    lock.unlink()
    lock.symlink_to(tmp_path / "nowhere" / "restore.lock")
    with pytest.raises(OSError, match="No such file"):
        file.engage(FakeMeasure(desktop, "saver"))
    assert desktop.settings["saver"] == "free"
    assert file.replay({"fake-keys": desktop.replay}).undone == ("keys set back",)


def test_an_undo_of_another_holder_is_left_to_it(tmp_path: Path) -> None:
    """The last hand of a guard that was killed may come late: a new guard holds the machine by then."""
    desktop = FakeDesktop()
    path = tmp_path / "restore.json"
    RestoreFile(path, holder="first").engage(FakeMeasure(desktop, "keys"))
    replayers = {"fake-keys": desktop.replay}
    assert RestoreFile(path).replay(replayers).undone
    RestoreFile(path, holder="second").engage(FakeMeasure(desktop, "keys"))
    assert RestoreFile(path).replay(replayers, only_of="first").undone == ()
    assert desktop.settings["keys"] == "held"
    assert RestoreFile(path).replay(replayers, only_of="second").undone
    assert desktop.settings["keys"] == "free"


def test_what_is_not_wanted_any_more_when_its_turn_comes_is_not_done(tmp_path: Path) -> None:
    """A watch that puts a measure back while the exam ends."""
    desktop = FakeDesktop()
    file = RestoreFile(tmp_path / "restore.json")
    order: list[str] = []

    def is_wanted() -> bool:
        order.append("asked")
        assert not _is_free(Claim(tmp_path / "restore.lock"))
        return False

    file.engage(FakeMeasure(desktop, "keys"), wanted=is_wanted)
    assert order == ["asked"]
    assert desktop.settings["keys"] == "free"
    assert not file.path.exists()


def test_a_new_holder_takes_over_what_is_on_file(tmp_path: Path) -> None:
    desktop = FakeDesktop()
    path = tmp_path / "restore.json"
    for holder, setting in (("first", "keys"), ("second", "saver")):
        RestoreFile(path, holder=holder).engage(FakeMeasure(desktop, setting))
    order: list[str] = []

    def replay(arguments: Mapping[str, str]) -> None:
        order.append(arguments["setting"])

    file = RestoreFile(path)
    assert file.replay({"fake-keys": replay, "fake-saver": replay}, only_of="first").undone == ()
    file.replay({"fake-keys": replay, "fake-saver": replay}, only_of="second")
    assert order == ["saver", "keys"]
