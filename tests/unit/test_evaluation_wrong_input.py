"""Whatever is wrong with a folder, its truth or the options is told before anything is played, with what to do."""

import os
from pathlib import Path

import pytest

from app.contract.errors import UserFacing
from app.evaluation import cli
from app.evaluation.class_names import names_in_yaml
from app.evaluation.layout import lonely, recordings
from app.evaluation.truth_formats import read_events
from app.evaluation.truth_rules import read_rules


def _file(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


_MATCH = '[[truth]]\nmatch = "*"\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[truth]\nmatch = '*'\n", "two brackets"),
        ("truth = 5\n", "two brackets"),
        ('truth = ["a"]\n', "two brackets"),
        ("a = " + "[" * 9000, "not TOML"),
        ("a = " + "9" * 9000, "not TOML"),
        (f"{_MATCH}size = [[1], 2]\n", "size is [width, height]"),
        (f"{_MATCH}size = [0, 480]\n", "size is [width, height]"),
        (f"{_MATCH}size = [640]\n", "size is [width, height]"),
        (f"{_MATCH}size = [640.5, 480]\n", "size is [width, height]"),
        (f"{_MATCH}size = [9000000, 9000000]\n", "size is [width, height]"),
        (f'{_MATCH}events = [["phone", [1], 2]]\n', "[1] is no number"),
        (f'{_MATCH}events = [["phone", 1, true]]\n', "True is no number"),
        (f'{_MATCH}events = [["phone", 1, nan]]\n', "an event from 1 to nan s"),
        (f'{_MATCH}events = [["phone", 1, 1{"0" * 400}]]\n', "number 1"),
        (f"{_MATCH}events = [[[1]]]\n", "[1] is not known"),
        (f"{_MATCH}complete = [[1]]\n", "[1] is not known"),
        (f"{_MATCH}classes = [1]\n", "put each in quotes"),
        (f"{_MATCH}held = [1]\n", "put each in quotes"),
        (f"{_MATCH}groups = {{ light = [1] }}\n", "the group light"),
        (f"{_MATCH}tolerance_s = -1\n", "tolerance_s is"),
        (f"{_MATCH}tolerance_s = nan\n", "tolerance_s is"),
        (f"{_MATCH}tolerance_s = true\n", "no number"),
        ('[[truth]]\nshows = "a{99999999999999999999}"\n', "number 1"),
    ],
)
def test_a_wrong_value_in_a_rule_is_named_with_its_file(tmp_path: Path, text: str, why: str) -> None:
    path = _file(tmp_path, "truth.toml", text)
    with pytest.raises(UserFacing) as refused:
        read_rules(path, "")
    assert str(refused.value).startswith(str(path))
    assert why in str(refused.value)
    assert refused.value.advice.endswith(".")


@pytest.mark.parametrize("words", ["from one to 5", "from 5 to 2", "from 5,5 to 7", "from  to 3"])
def test_words_of_a_list_that_are_no_times_are_named_with_their_rule(tmp_path: Path, words: str) -> None:
    _file(tmp_path, "a.mp4")
    _file(tmp_path, "MANIFEST.tsv", f"file\tshows\na.mp4\tphone {words} seconds\n")
    rule = "[[truth]]\nshows = '(from (?P<start>\\S+)?) to (?P<end>\\S+)'\ntimed = 'phone'\n"
    path = _file(tmp_path, "truth.toml", rule)
    with pytest.raises(UserFacing, match="are no times in seconds") as refused:
        recordings(tmp_path)
    assert f"{path}: [[truth]] number 1" in str(refused.value)
    assert words in str(refused.value)


def test_a_cell_larger_than_any_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.events.csv", "kind,start_s,end_s,light\nphone,1,2," + "x" * 200_000 + "\n")
    with pytest.raises(UserFacing, match="not a table"):
        read_events(path)


def test_numbers_of_classes_are_bounded() -> None:
    assert names_in_yaml("names:\n  0: wallet\n  ²: cup\n  99999999999: phone\n") == ("wallet",)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--hold", "nan"), ("--hold", "inf"), ("--hold", "-1"), ("--hold", "0"), ("--hold", "long")]
    + [("--limit", "0"), ("--limit", "-1"), ("--limit", "few")],
)
def test_numbers_that_mean_nothing_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([str(tmp_path), f"{option}={value}"])
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert f"argument {option}: {value!r} is no" in told
    assert "Write" in told


def test_a_policy_of_brackets_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = _file(tmp_path, "policy.json", "[" * 200_000)
    assert cli.main([str(tmp_path), "--policy", str(policy)]) == 1
    assert "docs/policy.md" in capsys.readouterr().err


def test_a_name_too_long_for_a_folder_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([str(tmp_path / ("a" * 300))]) == 1
    assert "is not a folder. Name a folder of recordings. [E-EVALUATE]" in capsys.readouterr().err


def test_a_name_that_leaves_no_room_for_an_event_list_has_none(tmp_path: Path) -> None:
    name = "a" * 250 + ".mp4"
    _file(tmp_path, name)
    assert [one.name for one in recordings(tmp_path)] == [name]


@pytest.mark.parametrize("searched", ["scandir", "access"])
def test_a_folder_that_may_not_be_searched_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, searched: str
) -> None:
    """The system refuses to list it, or to open what lies in it; whoever may do anything sees neither."""
    _file(tmp_path, "a.mp4")
    _file(tmp_path, "closed/b.mp4")
    closed, scandir = tmp_path / "closed", os.scandir

    def refuses(path: str) -> object:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, searched, refuses if searched == "scandir" else lambda path, _mode: Path(path) != closed)
    with pytest.raises(UserFacing) as refused:
        recordings(tmp_path)
    assert str(refused.value).startswith(f"{closed} can't be searched: ")
    assert refused.value.code == "E-EVALUATE"


def test_labels_that_may_not_be_read_do_not_mean_that_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = _file(tmp_path, "images/a.jpg")
    _file(tmp_path, "labels/a.txt", "0 0.5 0.5 0.1 0.1\n")
    _file(tmp_path, "classes.txt", "phone\n")
    is_file = Path.is_file

    def refuses(path: Path) -> bool:
        if path.parent.name == "labels":
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refuses)
    with pytest.raises(UserFacing, match="Permission denied") as refused:
        recordings(picture.parent)
    assert refused.value.code == "E-TRUTH"


def test_event_lists_in_hidden_folders_are_not_lonely(tmp_path: Path) -> None:
    for name in ("a.mp4", ".old/a.events.csv", "b/.git/c.events.csv", "b/d.events.csv"):
        _file(tmp_path, name)
    assert lonely(tmp_path) == ("b/d.events.csv",)


def test_names_that_are_no_text_can_be_told(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff.mp4")
    try:
        _file(tmp_path, name)
    except OSError:
        pytest.skip("this file system has names in UTF-8 alone")
    (one,) = recordings(tmp_path)
    assert one.name == r"a\udcff.mp4"
    assert one.path.name == name
