"""Hashes of executables from file systems that answer oddly: a candidate may have made one (FUSE)."""

import hashlib
from pathlib import Path
from typing import BinaryIO

import pytest

from lockdown import hashing
from lockdown.hashing import MOST_HELD, HashCache
from lockdown.plain_files import open_plain

CONTENT = b"a program"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class _Grudging:
    """A file whose file system answers its closing (FLUSH) with an error, as ``close(2)`` then does: it is closed."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    @property
    def closed(self) -> bool:
        return self.file.closed

    def fileno(self) -> int:
        return self.file.fileno()

    def read(self, size: int) -> bytes:
        return self.file.read(size)

    def close(self) -> None:
        self.file.close()
        raise OSError("input/output error")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "anydesk"
    path.write_bytes(CONTENT)
    monkeypatch.setattr(hashing, "open_plain", lambda path: _Grudging(open_plain(path)))
    return path


def test_an_error_of_closing_costs_neither_the_hash_nor_the_watch(program: Path) -> None:
    assert HashCache().sha256(program) == DIGEST


def test_an_error_of_closing_gives_the_place_back_once(program: Path) -> None:
    cache = HashCache()
    for _ in range(MOST_HELD + 1):
        held = cache.hold(program)
        assert held is not None
        assert held.sha256() == DIGEST
        held.close()
        held.close()
    kept = [cache.hold(program) for _ in range(MOST_HELD + 1)]
    assert kept[-1] is None
    assert None not in kept[:-1]
    for one in filter(None, kept):
        one.close()
