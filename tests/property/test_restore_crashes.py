"""Power cuts at every operation on the restore file, and files that were torn: the next start puts everything back.

The disk is modelled: what was not synced may be there, in part, or not at all. Settings of the desktop survive, as they
do when only our processes die; a real power cut resets most of them too.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockdown import ledger
from lockdown.capabilities import Undo
from lockdown.fake import FakeDesktop, FakeMeasure
from lockdown.restore import RestoreFile

SETTINGS = ("keys", "saver", "sound", "light")


class PowerCutError(BaseException):
    """Everything stops here."""


class Disk:
    """What of one file is on disk for sure (``kept``), and what else may be (``maybe``); ``None`` is no file.

    The power fails at the ``cut``-th operation, before it or after it has been done.
    """

    def __init__(self, path: Path, cut: int, *, after: bool) -> None:
        self.path = path
        self.kept: bytes | None = None
        self.maybe: list[bytes | None] = []
        self._left = cut
        self._after = after
        self._synced: set[bytes] = set()

    def survivors(self) -> list[bytes | None]:
        """Return every content that the file may have after the cut."""
        return [self.kept, *self.maybe]

    def step(self, operation: Callable[[], Any]) -> Any:
        """Do one operation, unless the power fails."""
        self._left -= 1
        if self._left == 0 and not self._after:
            raise PowerCutError
        done = operation()
        if self._left == 0:
            raise PowerCutError
        return done

    def sync(self, descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            self.kept, self.maybe = self._now(), []
        else:
            self._synced.add(self.path.with_suffix(".draft").read_bytes())

    def renamed(self) -> None:
        content = self._now()
        self.maybe.append(content)
        if content is not None and content not in self._synced:
            self.maybe += [content[: len(content) // 2], b""]

    def _now(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None


@contextmanager
def _modelled(disk: Disk) -> Iterator[None]:
    """Let the operations on the restore file go through ``disk``."""
    fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

    def do_replace(self: Path, target: Path) -> Path:
        def operation() -> Path:
            done = replace(self, target)
            disk.renamed()
            return done

        moved: Path = disk.step(operation)
        return moved

    def do_unlink(self: Path, missing_ok: bool = False) -> None:
        def operation() -> None:
            unlink(self, missing_ok=missing_ok)
            if self == disk.path:
                disk.renamed()

        disk.step(operation)

    def do_sync(descriptor: int) -> None:
        def operation() -> None:
            fsync(descriptor)
            disk.sync(descriptor)

        disk.step(operation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", do_sync)
        patch.setattr(Path, "replace", do_replace)
        patch.setattr(Path, "unlink", do_unlink)
        yield


class Change(FakeMeasure):
    """A change of a setting, at which the power may fail as well."""

    def __init__(self, desktop: FakeDesktop, setting: str, disk: Disk) -> None:
        super().__init__(desktop, setting)
        self._disk = disk

    def engage(self) -> None:
        self._disk.step(super().engage)


def _replayers(desktop: FakeDesktop, disk: Disk | None = None) -> dict[str, Callable[[Any], None]]:
    def replay(arguments: Any) -> None:
        if disk is None:
            desktop.replay(arguments)
        else:
            disk.step(lambda: desktop.replay(arguments))

    return {f"fake-{setting}": replay for setting in SETTINGS}


@given(
    order=st.permutations(SETTINGS),
    rounds=st.integers(1, 2),
    cut=st.integers(1, 60),
    after=st.booleans(),
    choice=st.integers(0, 3),
)
def test_a_power_cut_at_any_operation_leaves_nothing_changed(
    order: Sequence[str], rounds: int, cut: int, after: bool, choice: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "restore.json"
        disk = Disk(path, cut, after=after)
        desktop = FakeDesktop()
        desktop.settings = {setting: f"{setting} of before" for setting in SETTINGS}
        before = dict(desktop.settings)
        with suppress(PowerCutError), _modelled(disk):
            file = RestoreFile(path, holder="guard")
            for _ in range(rounds):
                for setting in order:
                    file.engage(Change(desktop, setting, disk))
                file.replay(_replayers(desktop, disk))
        survivors = disk.survivors()
        left = survivors[choice % len(survivors)]
        path.unlink(missing_ok=True)
        if left is not None:
            path.write_bytes(left)
        done = RestoreFile(path).replay(_replayers(desktop))
        assert done.failed == ()
        assert desktop.settings == before
        assert not path.exists()


def _undos(count: int) -> list[Undo]:
    return [
        Undo(kind=f"fake-{setting}", arguments={"setting": setting, "value": f'"{setting}"\n'}, says=f"{setting} back")
        for setting in SETTINGS[:count]
    ]


@given(count=st.integers(1, 4), share=st.floats(0, 1, exclude_max=True))
def test_every_whole_line_of_a_torn_file_is_undone(count: int, share: float) -> None:
    whole = ledger.write(_undos(count), "guard")
    torn = whole[: int(len(whole) * share)]
    found = ledger.parse(torn)
    lines = torn.count(b"\n")
    assert found.undos[: lines - 1] == tuple(_undos(count))[: max(0, lines - 1)]
    assert len(found.undos) in (max(0, lines - 1), max(0, lines))
    assert found.damage or found.undos == tuple(_undos(count))


@given(count=st.integers(1, 4), data=st.data())
def test_a_file_with_rubbish_inside_gives_every_other_line_its_turn(count: int, data: st.DataObject) -> None:
    lines = ledger.write(_undos(count), "guard").split(b"\n")[:-1]
    hit = data.draw(st.integers(0, count))
    lines[hit] = data.draw(st.binary(max_size=40).filter(lambda rubbish: b"\n" not in rubbish))
    found = ledger.parse(b"\n".join(lines))
    assert found.damage
    assert found.undos == tuple(undo for index, undo in enumerate(_undos(count), 1) if index != hit)


@given(count=st.integers(1, 4), data=st.data())
def test_lines_that_are_there_twice_end_in_the_state_of_before(count: int, data: st.DataObject) -> None:
    """The earlier entry of a kind knows the state of before; the later one saw the changed state."""
    late = [Undo(kind=u.kind, arguments={**u.arguments, "value": "held"}, says=u.says) for u in _undos(count)]
    repeated = data.draw(st.lists(st.sampled_from(late), max_size=6))
    with tempfile.TemporaryDirectory() as folder:
        file = RestoreFile(Path(folder) / "restore.json")
        file.path.write_bytes(ledger.write([*_undos(count), *repeated], "guard"))
        desktop = FakeDesktop()
        assert file.replay(_replayers(desktop)).failed == ()
        assert desktop.settings == {setting: f'"{setting}"\n' for setting in SETTINGS[:count]}


@given(data=st.binary(max_size=300))
def test_no_content_keeps_the_next_start_from_going_on(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = RestoreFile(Path(folder) / "restore.json")
        file.path.write_bytes(data)
        assert file.replay({}).failed
        assert not file.path.exists()
        assert file.path.with_suffix(".damaged").read_bytes() == data
