"""What the server has answered survives a power cut in the same moment: receipts, and whatever was set up before."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from server.settings import DATABASE
from tests.faults.power import Call, Disk, python, traced

ROOT = Path(__file__).parents[2]
SAID = 21
"""Lines of ``server_power_child``: each one is a promise."""


class _Unlucky(random.Random):
    """Of what was not synced, nothing is left."""

    def randint(self, a: int, b: int) -> int:
        """Return the least."""
        return a

    def random(self) -> float:
        """Return the most."""
        return 1.0


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Call]]:
    folder = tmp_path_factory.mktemp("traced")
    command = python("tests.e2e.server_power_child", str(folder / "data"))
    return folder / "data", traced(command, folder / "log", cwd=ROOT)


def _answers(root: Path, calls: list[Call]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield each line that was said, and the least that the disk could hold at that moment."""
    disk = Disk(root)
    for call in calls:
        if call.name == "write" and call.data.startswith((b"row ", b"file ")):
            left = disk.after_cut(_Unlucky())
            yield call.data.decode().strip(), {str(Path(name).relative_to(root)): data for name, data in left.items()}
        else:
            disk.do(call)


def _has_row(left: dict[str, bytes], where: str, folder: Path) -> bool:
    for name in (DATABASE, f"{DATABASE}-wal"):
        (folder / name).unlink(missing_ok=True)
        if name in left:
            (folder / name).write_bytes(left[name])
    (folder / f"{DATABASE}-shm").unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        return database.execute(f"SELECT 1 FROM {where}").fetchone() is not None  # noqa: S608  (our own child's words)


def test_what_was_answered_survives_a_power_cut_at_once(calls: tuple[Path, list[Call]], tmp_path: Path) -> None:
    root, done = calls
    lost, said = [], 0
    for line, left in _answers(root, done):
        said += 1
        kind, _, rest = line.partition(" ")
        if kind == "row":
            kept = _has_row(left, rest, tmp_path)
        else:
            name, digest = rest.split()
            kept = sha256(left.get(name, b"")).hexdigest() == digest
        if not kept:
            lost.append(line)
    assert said == SAID
    assert lost == []


def test_a_sessions_new_folder_is_synced_too(calls: tuple[Path, list[Call]]) -> None:
    """The model knows files alone: the name of the folder itself is asked for here."""
    root, done = calls
    synced = [call.path for call in done if call.name == "sync"]
    assert str(root / "sessions") in synced
    assert str(root) in synced
