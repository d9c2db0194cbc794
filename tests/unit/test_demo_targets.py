"""Where the demonstration's results can't be left is said before it runs, with what to do about it."""

from pathlib import Path

import pytest

from app.contract.errors import UserFacing
from app.demo import cli, rehearsal, targets
from tests.unit.locked_folder import locked


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("mine")
    return path


@pytest.mark.parametrize(
    "options",
    [
        ("--keep", "file"),
        ("--export", "file"),
        ("--export", "file/below"),
        ("--screenshots", "file"),
        ("--report", "folder"),
        ("--report", "file/report.json"),
        ("--keep", "earlier"),
    ],
)
def test_a_wrong_target_ends_the_demonstration_before_it_begins(
    tmp_path: Path,
    file: Path,
    options: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "earlier" / "server").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rehearsal, "obtain", lambda **_given: pytest.fail("it began"))
    monkeypatch.setattr(cli, "unwind_when_told_to_end", lambda: None)
    assert cli.main(list(options)) == 1
    said = capsys.readouterr().err
    assert "Name an empty folder." in said or f"name another place with {options[0]}" in said
    assert file.read_text() == "mine"


def test_what_can_be_written_is_left_as_it_is(tmp_path: Path, file: Path) -> None:
    folders = {"--keep": tmp_path / "a" / "b", "--export": None, "--screenshots": tmp_path}
    targets.check(folders, file)
    targets.check(folders, tmp_path / "new.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "file"]
    assert list((tmp_path / "a" / "b").iterdir()) == []
    assert file.read_text() == "mine"


@pytest.mark.parametrize("option", ["--keep", "--export", "--report"])
def test_a_folder_that_is_closed_to_us_is_said(tmp_path: Path, option: str) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    inside = closed / "inside"
    folders = {"--keep": None, "--export": None, **({} if option == "--report" else {option: inside})}
    with locked(closed), pytest.raises(UserFacing, match=f"can't be written.*{option}") as refused:
        targets.check(folders, inside if option == "--report" else None)
    assert refused.value.code == "E-DEMO-TARGET"


def test_a_disk_that_fills_up_at_the_end_is_said() -> None:
    with pytest.raises(UserFacing, match=r"No space left.*--report"), targets.writing(Path("r.json"), "--report"):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("option", "value"), [("--size", "1280"), ("--size", "0x0"), ("--extra-time", "-5")])
def test_a_number_that_makes_no_sense_is_refused(
    option: str, value: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "rehearse", lambda _options: pytest.fail("it began"))
    with pytest.raises(SystemExit):
        cli.main([f"{option}={value}"])
    assert f"{option} must" in capsys.readouterr().err
