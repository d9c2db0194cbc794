"""``server.toml`` as ``init`` keeps it: there as a whole or not at all, and left alone when it says the same."""

import os
import stat
from pathlib import Path

import pytest

from server import settings

SAID = '[database]\nurl = "postgresql://fairlock@db.example.org/fairlock"\n'


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    path = tmp_path / "wanted.toml"
    path.write_text(SAID)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def test_what_says_the_same_is_not_written_again(wanted: Path, data: Path) -> None:
    settings.keep(wanted, data)
    kept = data / settings.NAME
    os.utime(kept, ns=(1, 1))
    before = kept.stat()
    settings.keep(wanted, data)
    after = kept.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_whoever_breaks_off_leaves_no_half_of_it(wanted: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file would be read as: SQLite, here."""

    def refuse(_descriptor: int) -> None:
        raise OSError("the power is gone")

    with monkeypatch.context() as during:
        during.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="power"):
            settings.keep(wanted, data)
    assert not (data / settings.NAME).exists()
    settings.keep(wanted, data)
    assert (data / settings.NAME).read_text() == SAID
    assert stat.S_IMODE((data / settings.NAME).stat().st_mode) == 0o600
    assert [path.name for path in data.iterdir()] == [settings.NAME]
