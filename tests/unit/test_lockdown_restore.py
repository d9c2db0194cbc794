"""The write-ahead file: on disk before the change, replayed once, and harmless when replayed twice."""

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from app import paths
from app.contract.errors import IntegrityError
from app.guard import restore_cli
from lockdown.capabilities import Undo, unsupported
from lockdown.fake import FakeDesktop, FakeMeasure
from lockdown.restore import RestoreFile


class Witness(FakeMeasure):
    """A measure that notes what was on disk when it was engaged."""

    def __init__(self, desktop: FakeDesktop, setting: str, file: RestoreFile) -> None:
        super().__init__(desktop, setting)
        self._file = file
        self.on_disk: Sequence[Undo] = ()

    def engage(self) -> None:
        self.on_disk = self._file.pending()
        super().engage()


@pytest.fixture
def file(tmp_path: Path) -> RestoreFile:
    return RestoreFile(tmp_path / "restore.json")


def _undo(kind: str) -> Undo:
    return Undo(kind=kind, arguments={}, says=f"{kind} undone")


def test_the_undo_is_on_disk_before_the_change(file: RestoreFile) -> None:
    desktop = FakeDesktop()
    measure = Witness(desktop, "keys", file)
    planned = tuple(measure.plan())
    file.engage(measure)
    assert measure.on_disk == planned
    assert desktop.settings["keys"] == "held"


def test_the_file_is_flushed_and_the_folder_too(file: RestoreFile, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    file.engage(FakeMeasure(FakeDesktop(), "keys"))
    assert synced == ["file", "folder"]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_no_change_when_the_undo_can_not_be_written(tmp_path: Path) -> None:
    desktop = FakeDesktop()
    with pytest.raises(OSError, match="No such file"):
        RestoreFile(tmp_path / "nowhere" / "restore.json").engage(FakeMeasure(desktop, "keys"))
    assert desktop.settings["keys"] == "free"


def test_a_change_that_fails_can_still_be_undone(file: RestoreFile) -> None:
    desktop = FakeDesktop()
    measure = FakeMeasure(desktop, "keys")
    measure.fails = unsupported("No keyboard.")
    with pytest.raises(type(measure.fails)):
        file.engage(measure)
    assert file.replay({"fake-keys": desktop.replay}).undone == ("keys set back",)


def test_replay_undoes_the_last_change_first_and_removes_the_file(file: RestoreFile) -> None:
    desktop = FakeDesktop()
    for setting in ("keys", "saver"):
        file.engage(FakeMeasure(desktop, setting))
    order: list[str] = []

    def replay(arguments: Mapping[str, str]) -> None:
        order.append(arguments["setting"])
        desktop.replay(arguments)

    done = file.replay({"fake-keys": replay, "fake-saver": replay})
    assert order == ["saver", "keys"]
    assert (done.undone, done.failed) == (("saver set back", "keys set back"), ())
    assert desktop.settings == {"keys": "free", "saver": "free"}
    assert not file.path.exists()
    assert file.replay({}) == type(done)()


def test_engaging_again_after_a_crash_keeps_the_first_undo(file: RestoreFile) -> None:
    desktop = FakeDesktop()
    file.engage(FakeMeasure(desktop, "keys"))
    # Somebody crashed; a second run sees "held" as the state of before.
    file.engage(FakeMeasure(desktop, "keys"))
    assert [undo.arguments["value"] for undo in file.pending()] == ["free"]
    file.replay({"fake-keys": desktop.replay})
    assert desktop.settings["keys"] == "free"


def test_what_fails_stays_on_file_for_the_next_time(file: RestoreFile) -> None:
    desktop = FakeDesktop()
    for setting in ("keys", "saver", "sound"):
        file.engage(FakeMeasure(desktop, setting))

    def fail(_arguments: Mapping[str, str]) -> None:
        raise RuntimeError("busy")

    done = file.replay({"fake-keys": desktop.replay, "fake-saver": fail})
    assert done.undone == ("keys set back",)
    assert done.failed == (
        "sound set back: this desktop does not know how to undo fake-sound",
        "saver set back: RuntimeError: busy",
    )
    assert [undo.kind for undo in file.pending()] == ["fake-saver", "fake-sound"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"undos":[],"version":2}', b'{"undos":[{"kind":"x"}],"version":1}'])
def test_a_damaged_file_is_kept_aside_and_reported(content: bytes, file: RestoreFile) -> None:
    file.path.write_bytes(content)
    with pytest.raises(IntegrityError):
        file.pending()
    done = file.replay({})
    assert "damaged" in done.failed[0]
    assert file.path.with_suffix(".damaged").read_bytes() == content
    assert not file.path.exists()


@pytest.mark.parametrize("engaged", [False, True])
def test_what_a_killed_writer_left_goes_with_the_next_undoing(engaged: bool, file: RestoreFile) -> None:
    desktop = FakeDesktop()
    if engaged:
        file.engage(FakeMeasure(desktop, "keys"))
    (file.path.parent / "restore.draft").write_bytes(b"half a li")
    assert not file.replay({"fake-keys": desktop.replay}).failed
    assert [path.name for path in file.path.parent.iterdir()] == ["restore.lock"]


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert restore_cli.main([]) == 0
    assert capsys.readouterr().out == "There is nothing to undo.\n"
    file = RestoreFile(paths.restore_file())
    file.engage(FakeMeasure(FakeDesktop(), "keys"))
    assert restore_cli.main([]) == 1
    assert "Not undone: keys set back" in capsys.readouterr().err
