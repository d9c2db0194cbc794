"""Which build records is in the journal; it is computed as documented, and nobody waits for it."""

import re
import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from app.contract.journal import EntryType
from app.recorder import self_hash_note
from app.self_hash import hash_of_sources, self_hash
from capture.fake import FakeVideo
from tests.unit.test_recorder_recording import DEADLINE_S, Bench


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    self_hash.cache_clear()
    yield
    self_hash.cache_clear()


def test_it_is_what_the_documented_shell_line_gives(tmp_path: Path) -> None:
    files = {"app/version.py": "VERSION = 1\n", "app/a-b.py": "x", "app/recorder/__init__.py": "", "capture/Z.py": "y"}
    beside = {"app/text.txt": "no code", "server/s.py": "not the candidate's"}
    for name, text in (files | beside).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert hash_of_sources(tmp_path) == "634fd5b30c618a4cd21c738daf99bef70e7123853ec1f3192a69917fa6889929"
    (tmp_path / "capture/Z.py").write_text("z")
    assert hash_of_sources(tmp_path) != "634fd5b30c618a4cd21c738daf99bef70e7123853ec1f3192a69917fa6889929"


def test_of_a_frozen_program_it_is_the_executables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fairlock").write_bytes(b"a program")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "fairlock"))
    assert self_hash() == sha256(b"a program").hexdigest()


def _noted(bench: Bench) -> list[object]:
    return [body["self_hash"] for body in bench.journal(EntryType.NOTE) if "self_hash" in body]


def test_the_journal_holds_it_once_and_the_recording_does_not_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()

    def slow() -> str:
        assert may_go_on.wait(DEADLINE_S)
        return self_hash()

    monkeypatch.setattr(self_hash_note, "self_hash", slow)
    bench = Bench(tmp_path)
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    recording.wait_for_first_fragments()
    may_go_on.set()
    recording.stop()
    recording.close()
    assert _noted(bench) == [self_hash()]
    assert re.fullmatch("[0-9a-f]{64}", self_hash())


def test_files_that_cant_be_read_are_said_and_harm_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    bench = Bench(tmp_path)
    recording = bench.recording(FakeVideo(bench.clock))
    recording.start()
    recording.wait_for_first_fragments()
    recording.stop()
    recording.close()
    (said,) = _noted(bench)
    assert str(said).startswith("unknown: the program's files can't be read")
