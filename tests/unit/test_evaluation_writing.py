"""A finished measurement is never lost: places are tried first, and one that fails costs nothing else."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.evaluation import cli
from app.evaluation.writing import show, try_places
from detectors.build import Detectors
from tests.unit.drawn_recordings import BLUE, RED, colours_and_loudness, media, picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Drawn recordings, of which tests play the quick ones."""
    return media(tmp_path / "media")


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Detectors]:
    """Detectors that see colours in the place of the product's."""
    built = colours_and_loudness(tmp_path)
    monkeypatch.setattr(cli, "_product", lambda *_: built)
    return built


@pytest.mark.parametrize("option", ["--json", "--report", "--write-docs"])
def test_a_place_that_can_not_be_written_is_told_before_anything_is_played(
    folder: Path, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "evaluate", lambda *_, **__: pytest.fail("played"))
    place = folder / "hands/wallet.png/below"
    assert cli.main([str(folder), option, str(place)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{place}" in told.err
    assert "can't be written" in told.err
    assert "Name another place. [E-EVALUATE]" in told.err


def test_trying_a_place_leaves_it_as_it_was(tmp_path: Path) -> None:
    there, new = tmp_path / "old.json", tmp_path / "out/new.json"
    there.write_text("kept")
    try_places([there, new])
    assert there.read_text() == "kept"
    assert not new.exists()


def test_what_can_no_longer_be_written_costs_neither_the_text_nor_the_other_files(
    folder: Path,
    tmp_path: Path,
    fresh: Callable[[], Detectors],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Somebody puts a folder in the place while recordings are played."""
    place, document = tmp_path / "out.json", tmp_path / "accuracy.md"

    def meanwhile() -> Detectors:
        place.mkdir(exist_ok=True)
        return fresh()

    monkeypatch.setattr(cli, "_product", lambda *_: meanwhile)
    arguments = [str(folder), "--only", "call_1", "--json", str(place), "--write-docs", str(document)]
    assert cli.main(arguments) == 1
    told = capsys.readouterr()
    assert "hand at ear" in told.out
    assert f"{place} can't be written: Is a directory. Name another place. [E-EVALUATE]" in told.err
    assert document.read_text("utf-8").startswith("# Accuracy")


@pytest.mark.usefixtures("fresh")
def test_names_that_are_no_text_stand_in_every_report(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(folder / "hands/x.png", BLUE)
    try:
        (folder / "hands/x.png").rename(folder / os.fsdecode(b"hands/wallet.\xff.png"))
        folder = folder.rename(tmp_path / os.fsdecode(b"m\xffdia"))
    except OSError:
        pytest.skip("this file system has names in UTF-8 alone")
    (folder / "hands/broken.png").write_bytes(b"")
    report, document = tmp_path / "report", tmp_path / "accuracy.md"
    assert cli.main([str(folder), "--report", str(report), "--write-docs", str(document)]) == 1
    assert "hands/broken.png" in capsys.readouterr().out
    told = json.loads((report / "report.json").read_text("utf-8"))
    assert told["folder"] == r"m\udcffdia"
    assert r"hands/wallet.\udcff.png" in [one["name"] for one in told["recordings"]]
    assert "udcff" in (report / "report.html").read_text("utf-8")
    assert r"fairlock evaluate 'm\udcffdia'" in document.read_text("utf-8")
    assert cli.main([str(folder), "--only", os.fsdecode(b"\xff")]) == 0


def test_signs_that_a_terminal_lacks_are_written_as_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(told, encoding="ascii"))
    show("0.1–0.9 ≥ 3\n")
    assert told.getvalue() == b"0.1\\u20130.9 \\u2265 3\n"


@pytest.mark.usefixtures("fresh")
def test_who_closes_the_pipe_still_gets_the_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    picture(folder / "one/a.png", RED)
    monkeypatch.setattr(sys, "stdout", Closed())
    assert cli.main([str(folder), "--only", "one/", "--json", str(tmp_path / "out.json")]) == 0
    assert len(json.loads((tmp_path / "out.json").read_text("utf-8"))["recordings"]) == 1
