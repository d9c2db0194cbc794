"""The catalogue of models and the loading of one: what is refused, and with which words."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from app.contract.errors import Fatal, UserFacing
from app.contract.policy import Detection
from detectors.build import build, wanted
from detectors.catalogue import Catalogue, Form, Task, load_catalogue
from detectors.coco import COCO80
from detectors.model import kept_models, load
from detectors.thresholds import floors, thresholds
from tests.unit.detector_models import channel_means, constant, listener, write

DENSE = constant(np.zeros((1, 7, 1), np.float32), (1, 3, 64, 64))
ENTRY = """
[[model]]
name = "one"
task = "objects"
file = "one.onnx"
sha256 = "{sha}"
licence = "CC0-1.0"
form = "yolo-dense"
input = [480, 640]
classes = "coco80"
grade = "release"
rank = 3
source = "https://example.org/one"
mirrors = ["https://example.net/one"]
[model.thresholds]
person = 0.4
"""
GOOD = ENTRY.format(sha="ab" * 32)


def test_a_card_holds_what_the_table_says(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(GOOD)
    (card,) = load_catalogue(tmp_path / "models.toml")
    assert (card.name, card.task, card.form, card.input, card.rank) == (
        "one",
        Task.OBJECTS,
        Form.YOLO_DENSE,
        (480, 640),
        3,
    )
    assert card.classes == COCO80
    assert card.thresholds == {"person": 0.4}
    assert card.title == "one (release)"
    assert card.measured == ""
    (tmp_path / "models.toml").write_text(GOOD.replace("rank = 3", 'rank = 3\nmeasured = "9 of 10"'))
    assert load_catalogue(tmp_path / "models.toml").named("one").measured == "9 of 10"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('sha256 = "', 'sha265 = "'),
        ("ab" * 32, "AB" * 32),
        ("ab" * 32, "ab" * 31),
        ("yolo-dense", "yolo-best"),
        ("yolo-dense", "silero"),
        ("[480, 640]", "[480]"),
        ("[480, 640]", "[0, 640]"),
        ('"coco80"', "[]"),
        ("rank = 3", "rank = true"),
        ("person = 0.4", "person = 4.0"),
        ("person = 0.4", 'person = "0.4"'),
        ('"release"', '"great"'),
        ("[[model]]", 'version = "1"\n[[model]]'),
        ("rank = 3", "rank = 3\nrank = 4"),
        ("rank = 3", "rank = 3\nmeasured = 0.9"),
    ],
)
def test_a_faulty_list_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in GOOD
    (tmp_path / "models.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(Fatal, match="list of models is broken") as refusal:
        load_catalogue(tmp_path / "models.toml")
    assert refusal.value.code == "E-MODEL-LIST"


def test_names_are_unique_and_rank_orders(tmp_path: Path) -> None:
    (tmp_path / "twice.toml").write_text(GOOD + GOOD)
    with pytest.raises(Fatal, match="same name"):
        load_catalogue(tmp_path / "twice.toml")
    better = GOOD.replace('name = "one"', 'name = "two"').replace("rank = 3", "rank = 2")
    (tmp_path / "ranked.toml").write_text(GOOD + better)
    assert [card.name for card in load_catalogue(tmp_path / "ranked.toml").for_task(Task.OBJECTS)] == ["two", "one"]


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path, card = write(tmp_path, DENSE, Form.YOLO_DENSE, (64, 64))
    path.write_bytes(DENSE + b"\0")
    with pytest.raises(UserFacing, match="not the one Fairlock knows") as refusal:
        load(path, card)
    assert refusal.value.code == "E-MODEL-HASH"
    assert refusal.value.advice


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path, card = write(tmp_path, DENSE, Form.YOLO_DENSE, (64, 64))
    path.unlink()
    with pytest.raises(UserFacing) as refusal:
        load(path, card)
    assert refusal.value.code == "E-MODEL-MISSING"


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path, card = write(tmp_path, b"not a model", Form.YOLO_DENSE, (64, 64))
    with pytest.raises(UserFacing) as refusal:
        load(path, card)
    assert refusal.value.code == "E-MODEL-BROKEN"


def test_a_model_is_run_once_before_it_is_needed(tmp_path: Path) -> None:
    """A model whose input has another size than its card says fails at start, not at the first picture."""
    path, card = write(tmp_path, channel_means((0, 0, 1, 1), (1, 3, 32, 32)), Form.YOLO_DENSE, (64, 64))
    with pytest.raises(UserFacing) as refusal:
        load(path, card)
    assert refusal.value.code == "E-MODEL-BROKEN"


def test_inputs_tell_what_may_vary(tmp_path: Path) -> None:
    path, card = write(tmp_path, channel_means((0, 0, 1, 1), (1, 3, "height", "width")), Form.YOLO_DENSE, (64, 96))
    model = load(path, card)
    assert model.inputs == {"images": (1, 3, None, None)}
    (output,) = model.run({"images": np.ones((1, 3, 32, 32), np.float32)})
    assert output.ravel().tolist() == [0, 0, 1, 1, 1, 1, 1]


def test_build_takes_the_preferred_model_at_hand_and_says_what_is_refused(tmp_path: Path) -> None:
    path, card = write(tmp_path, DENSE, Form.YOLO_DENSE, (64, 64), name="plain", rank=5)
    better = dataclasses.replace(card, name="better", rank=1)
    best = dataclasses.replace(card, name="elsewhere", rank=0)
    voice_path, voice = write(tmp_path, listener(watch="window"), Form.SILERO, (1, 512))
    voice_path.write_bytes(b"altered")
    catalogue = Catalogue((best, better, card, voice))
    built = build(Detection(), {"plain": path, "better": path, voice.name: voice_path}, catalogue)
    assert built.names == {"objects": "better (demonstration accuracy)"}
    assert {task: refusal.code for task, refusal in built.refused.items()} == {
        "faces": "E-MODEL-MISSING",
        "landmarks": "E-MODEL-MISSING",
        "speech": "E-MODEL-HASH",
    }


def test_what_the_policy_does_not_ask_for_is_not_loaded() -> None:
    off = Detection(objects=False, faces=False, speech=False)
    assert wanted(off) == ()
    built = build(off, {}, Catalogue(()))
    assert (built.pictures, built.sounds, built.refused) == ((), (), {})


def test_a_policy_moves_a_models_own_threshold(tmp_path: Path) -> None:
    _, card = write(tmp_path, DENSE, Form.YOLO_DENSE, (64, 64), thresholds={"phone": 0.2})
    default, stricter = Detection(), Detection(object_permille=500)
    assert thresholds(default, Task.OBJECTS, card) == pytest.approx(
        {"person": 0.4, "phone": 0.2, "book": 0.25, "laptop": 0.25}
    )
    assert thresholds(stricter, Task.OBJECTS, card)["phone"] == pytest.approx(0.4)
    assert floors(default, Task.OBJECTS, card)["phone"] == pytest.approx(0.12)


def test_models_that_are_kept_are_loaded_once(tmp_path: Path) -> None:
    path, card = write(tmp_path, DENSE, Form.YOLO_DENSE, (64, 64))
    with kept_models():
        kept = load(path, card)
        assert load(path, card) is kept
    assert load(path, card) is not kept
