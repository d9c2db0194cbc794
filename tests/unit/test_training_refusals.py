"""The scripts that make models refuse what is wrong before they read a picture, in a sentence and without a traceback.

None of it needs torch: what is wrong is said before anything is loaded.
"""

import json
import runpy
import shutil
import subprocess
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest

from tests.unit.locked_folder import locked
from tests.unit.training_parts import SCRIPTS, data_folder, part, picture_of

Refused = Callable[[str, str], str]
PHONE = ["1 .5 .5 .2 .2"]
GROUPS = "a_*\tann\tall\ttrain\nb_*\tbob\tall\ttest\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with all that the scripts want: ``data``, weights that are none, and 32 ``pictures``."""
    place = tmp_path_factory.mktemp("training")
    names = {f"{side}_{number}": PHONE for side in "ab" for number in range(2)}
    data_folder(place / "data", names, groups=GROUPS)
    (place / "some.pt").write_bytes(b"no weights")
    for folder in ("pictures", "few", "broken"):
        (place / folder).mkdir()
    for number in range(32):
        cv2.imwrite(str(place / "pictures" / f"{number}.jpg"), picture_of(number, height=12, width=16))
        (place / "broken" / f"{number}.jpg").write_bytes((place / "pictures" / f"{number}.jpg").read_bytes())
    (place / "broken" / "7.jpg").write_bytes(b"\xff\xd8\xff cut off")
    return place


@pytest.fixture
def refused(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Refused]:
    """Return a function that runs a script as its command does, and gives what it says when it refuses."""
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(str(SCRIPTS))
    for variable in ("YOLO_AUTOINSTALL", "YOLO_CONFIG_DIR"):  # the scripts set them; here they are to be undone
        monkeypatch.setenv(variable, str(place))
    path = list(sys.path)

    def run(script: str, options: str) -> str:
        monkeypatch.setattr(sys, "argv", [script, *options.split()])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(SCRIPTS / script), run_name="__main__")
        assert ended.value.code == 2
        return capsys.readouterr().err

    yield run
    sys.path[:] = path


TRAIN = "data --weights some.pt --trust"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (f"{TRAIN} --size 480", "Write it like 480x640"),
        (f"{TRAIN} --closer-size 320", "Write it like 480x640"),
        (f"{TRAIN} --train-size 300x400", "Give multiples of 32"),
        (f"{TRAIN} --size 320x416", "--closer-size must not be --size"),
        (f"{TRAIN} --share 2", "A fifth of the pictures is 0.2"),
        (f"{TRAIN} --device gpu", "Give cpu, or the number of a GPU"),
        (f"{TRAIN} --groups data", "There is no file data"),
        (f"{TRAIN} --pictures nowhere", "There is no folder nowhere"),
        (f"{TRAIN} --pictures few", "at least 32 are needed"),
        (f"{TRAIN} --pictures broken", "7.jpg is no picture that can be read"),
        (f"{TRAIN} --epochs 0", "whole number from 1 on"),
        (f"{TRAIN} --rate fast", "no learning rate"),
        (f"{TRAIN} --name a/b", "no name for files"),
        (f"{TRAIN} --out some.pt", "no folder that can be written"),
        ("nowhere --weights some.pt", "There is no folder nowhere"),
        ("data --weights none.pt", "Name the .pt to start from"),
        ("data --weights some.pt", "say --trust to load it"),
    ],
)
def test_a_training_is_refused_before_it_begins(place: Path, refused: Refused, options: str, said: str) -> None:
    assert said in refused("train.py", f"{options}{'' if '--out' in options else ' --out made'}")
    assert not (place / "made").exists()


def test_where_torch_is_not_the_training_says_how_to_get_it(refused: Refused) -> None:
    """All that is given is right, so the next thing wanted is ultralytics; where that is, the weights are refused."""
    text = refused("train.py", f"{TRAIN} --pictures pictures --out made")
    assert "Run this by make models or make train" in text or "can not be loaded as a model" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("some.pt --trust --pictures pictures --size 480", "Write it like 480x640"),
        ("none.pt --pictures pictures", "Name the .pt to start from"),
        ("some.pt --pictures pictures", "delete it, for it may have been cut off"),
        ("some.pt --trust --pictures few", "at least 32 are needed"),
        ("some.pt --trust --pictures pictures --out some.pt/below", "no folder that can be written"),
    ],
)
def test_an_export_is_refused_before_it_begins(place: Path, refused: Refused, options: str, said: str) -> None:
    assert said in refused("export.py", options)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("train.sh", "make train DATA=folder"),
        ("train.sh nowhere", "There is no folder nowhere"),
        ("train.sh packaging none.pt", "There is no file none.pt"),
        ("make.sh none.pt", "There is no file none.pt"),
    ],
)
def test_no_environment_is_installed_for_what_is_not_there(tmp_path: Path, command: str, said: str) -> None:
    """The scripts go to the checkout that they lie in, and would put gigabytes there."""
    scripts = tmp_path / "packaging" / "models"
    scripts.mkdir(parents=True)
    for script in SCRIPTS.glob("*.sh"):
        shutil.copy(script, scripts)
    name, *given = command.split()
    ran = subprocess.run(["sh", f"{scripts / name}", *given], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert not (tmp_path / "build").exists()


def test_a_folder_with_a_space_in_its_name_stays_one_word() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not here")
    command = ["make", "-n", "train", "DATA=my pictures", "WEIGHTS=my weights.pt", "GROUPS=who is who.tsv"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=SCRIPTS.parents[1])
    assert 'train.sh "my pictures" "my weights.pt"' in ran.stdout
    assert '--groups "who is who.tsv"' in ran.stdout
    assert '--data "my pictures"' in ran.stdout


def test_a_missing_or_damaged_run_is_not_assessed(refused: Refused, place: Path, tmp_path: Path) -> None:
    data, made = place / "data", tmp_path / "made"
    made.mkdir()
    assert "split.tsv is missing or damaged" in refused("assess.py", f"{made} --data {data}")
    (made / "split.tsv").write_text("side\tgroup\tfile\ntrain\tann\n", "utf-8")
    assert "split.tsv is missing or damaged" in refused("assess.py", f"{made} --data {data}")
    (made / "split.tsv").write_text("side\tgroup\tfile\ntest\tbob\timages/b_0.jpg\n", "utf-8")
    assert "training.json is missing or damaged" in refused("assess.py", f"{made} --data {data}")
    (made / "training.json").write_text('{"names": ["phone"], "trained": [0], "left_out": {}}', "utf-8")
    assert "training.json is missing or damaged" in refused("assess.py", f"{made} --data {data}")
    assert "Write it like 480x640" in refused("assess.py", f"{made} --data {data} --test {data}@480")


def test_a_list_of_models_that_is_none_is_not_assessed(refused: Refused, place: Path, tmp_path: Path) -> None:
    (tmp_path / "split.tsv").write_text("side\tgroup\tfile\ntest\tbob\timages/b_0.jpg\n", "utf-8")
    settings = dict.fromkeys(("epochs", "batch", "rate", "size", "seed", "device", "start_sha256", "losses"), 1)
    facts = {"names": [], "trained": [], "left_out": {}, **settings}
    (tmp_path / "training.json").write_text(json.dumps(facts), "utf-8")
    (tmp_path / "start").mkdir()
    for folder in (tmp_path, tmp_path / "start"):
        (folder / "models.toml").write_text("", "utf-8")
    assert "the same models before and after" in refused("assess.py", f"{tmp_path} --data data")
    (tmp_path / "models.toml").write_text("[[model]]\nname = 1\n", "utf-8")
    assert "The list of models is broken" in refused("assess.py", f"{tmp_path} --data data")


def test_what_the_system_refuses_is_said_with_what_to_do() -> None:
    said = part("refusals").said
    assert said(PermissionError(13, "Permission denied", "a.pt")).startswith("a.pt: Permission denied. Check that")
    assert "smaller --batch" in said(RuntimeError("out of memory"))


def test_the_folder_may_be_named_otherwise_than_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained on ``data``, assessed on its whole path, or moved: the held-out pictures are the same."""
    names = {f"{side}_{number}": PHONE for side in "ab" for number in range(2)}
    folder = data_folder(tmp_path / "data", names, groups=GROUPS)
    reading, groups, split_file = part("folder"), part("groups"), part("split_file")
    monkeypatch.chdir(tmp_path)
    pictures = reading.read_folder(Path("data"))
    rules = groups.read_rules(Path("data", "groups.tsv"), pictures)
    parts = groups.split(groups.members(pictures, rules), seed=1)
    split_file.write_split(tmp_path, parts, Path("data"))
    assert "test\tbob\timages/b_1.jpg\n" in (tmp_path / "split.tsv").read_text("utf-8")
    for named in (Path("data"), folder, Path("..", tmp_path.name, "data")):
        kept = split_file.held_out(tmp_path, named, reading.read_folder(named))
        assert [picture.path.name for picture in kept] == ["b_0.jpg", "b_1.jpg"]
    moved = folder.rename(tmp_path / "moved")
    assert len(split_file.held_out(tmp_path, moved, reading.read_folder(moved))) == 2
    (moved / "images" / "b_1.jpg").unlink()
    with pytest.raises(part("refusals").BadData, match="1 of 2 pictures that were held out"):
        split_file.held_out(tmp_path, moved, reading.read_folder(moved))


def test_a_share_that_leaves_nothing_is_not_called_one_group() -> None:
    groups = part("groups")

    def member(group: str, role: str = "") -> object:
        picture = part("folder").Picture(path=Path(f"{group}.jpg"), boxes=())
        return groups.Member(picture=picture, group=group, labelled=None, role=role)

    with pytest.raises(part("refusals").BadData, match="nothing would be trained on"):
        groups.split([member("a"), member("b")], seed=1, share=0.9)
    with pytest.raises(part("refusals").BadData, match="nothing would be tested on"):
        groups.split([member("a", "train"), member("b", "train")], seed=1)


@pytest.mark.parametrize("kind", ["file", "folder", "target"])
def test_what_lies_where_nobody_may_look_is_refused(tmp_path: Path, kind: str) -> None:
    read = getattr(part("options"), kind)
    closed = tmp_path / "closed"
    closed.mkdir()
    with locked(closed), pytest.raises(ArgumentTypeError, match="Name"):
        read(str(closed / "inside"))
