"""The figures of a trained model: worked by hand, readable by the product, and such that nobody is misled."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import Grade, load_catalogue
from tests.unit.training_parts import data_folder, part

measure, verdicts, cards, scenes = (part(name) for name in ("measure", "verdict", "model_card", "scenes"))
HERE, ELSEWHERE = [0.0, 0.0, 10.0, 10.0], [50.0, 50.0, 60.0, 60.0]
ENTRY = """[[model]]
name = "seen-int8"
task = "objects"
file = "seen.onnx"
sha256 = "{digest}"
licence = "AGPL-3.0-or-later"
form = "yolo-dense"
input = [480, 640]
classes = ["person", "cell phone", "wallet_or_other_held_object"]
grade = "release"
rank = 10
source = "here"
[model.thresholds]
person = 0.40
phone = 0.20
""".format(digest="0" * 64)


def _looked(boxes: list[list[float]], scores: list[float], truth: list[list[float]]) -> Any:
    rows = [np.array(some, np.float64).reshape(-1, 4) for some in (boxes, truth)]
    return measure.Looked(boxes=rows[0], scores=np.array(scores, np.float64), truth=rows[1])


def test_average_precision_is_worked_as_coco_does() -> None:
    right, wrong, missed = (
        _looked([HERE], [0.9], [HERE]),
        _looked([ELSEWHERE], [0.95], [HERE]),
        _looked([], [], [HERE]),
    )
    assert measure.average_precision([right]) == 1
    assert measure.average_precision([wrong]) == 0
    assert measure.average_precision([right, missed]) == pytest.approx(51 / 101)
    assert measure.average_precision([wrong, right]) == pytest.approx(0.5 * 51 / 101)
    assert math.isnan(measure.average_precision([_looked([HERE], [0.5], [])]))


def test_a_second_box_on_the_same_object_is_wrong() -> None:
    double = _looked([HERE, [0, 0, 10, 9], ELSEWHERE], [0.5, 0.9, 0.7], [HERE])
    assert measure.matched(double, 0.5).tolist() == [False, True, False]
    recall, precision = measure.recall_and_precision([double], 0.6)
    assert (recall.hits, recall.all, precision.hits, precision.all) == (1, 1, 1, 2)


def test_mean_average_precision_leaves_out_classes_without_truth() -> None:
    nearly = _looked([[0, 0, 10, 8]], [0.5], [HERE])  # overlaps by 0.8: right at 7 of the 10 overlaps
    assert measure.mean_average_precision([[nearly], [_looked([HERE], [0.9], [])]]) == pytest.approx(0.7)


def test_shares_have_bounds() -> None:
    """Wilson's interval for 8 of 10 is 0.490 to 0.943."""
    assert measure.Share(hits=8, all=10).bounds == pytest.approx((0.490, 0.943), abs=0.001)
    assert str(measure.Share(hits=8, all=10)) == "0.80 (0.49–0.94; 8 of 10)"
    assert str(measure.Share(hits=0, all=0)) == "–"


def _figures(before: bool, scores: dict[str, list[float]], scene: str = "web") -> Any:
    """Return what a model saw in pictures: by label, the score of the phone box in each (0: none)."""
    pictures = [
        scenes.Seen(
            labels=frozenset({label} if label else ()),
            by_class={
                "cell phone": _looked([HERE] if score else [], [score] if score else [], [HERE] * (label == "phone"))
            },
        )
        for label, some in scores.items()
        for score in some
    ]
    return verdicts.Figures(
        model="m", form="INT8", before=before, scene=scene, names=("person", "cell phone"), pictures=tuple(pictures)
    )


def test_wallets_called_phones_more_often_are_a_point_against() -> None:
    before = _figures(True, {"phone": [0.3, 0, 0], "wallet": [0.3, 0]})
    better = _figures(False, {"phone": [0.5, 0.5, 0.5], "wallet": [0.3, 0]})
    worse = _figures(False, {"phone": [0.5, 0.5, 0.5], "wallet": [0.5, 0.5]})
    leasts = ({"cell phone": 0.2}, {"cell phone": 0.4})
    assert all(point.holds for point in verdicts.compare(before, better, ["cell phone"], leasts))
    broken = [point.text for point in verdicts.compare(before, worse, ["cell phone"], leasts) if not point.holds]
    assert len(broken) == 1
    assert "wallet" in broken[0]


def test_forgetting_other_classes_is_a_point_against() -> None:
    before = _figures(True, {"phone": [0.9, 0.9]}, verdicts.COCO)
    after = _figures(False, {"phone": [0.9, 0]}, verdicts.COCO)
    (point,) = verdicts.compare(before, after, ["cell phone"], ({}, {}))
    assert not point.holds
    (point,) = verdicts.compare(before, before, ["cell phone"], ({}, {}))
    assert point.holds


def test_the_least_score_is_the_lowest_that_is_mostly_right() -> None:
    one = _figures(False, {"phone": [0.8] * 9, "wallet": [0.33, 0.12, 0.12]})
    assert verdicts.least_score(one, "cell phone") == 0.15  # 9 of 10 are right there
    assert verdicts.least_score(_figures(False, {"phone": [0], "wallet": [0.9]}), "cell phone") == 0.8


def test_a_word_needs_a_score_that_wallets_do_not_reach() -> None:
    held_out = _figures(False, {"phone": [0.2] * 20}, verdicts.HELD_OUT)
    clear = _figures(False, {"phone": [0.9] * 12 + [0.2], "wallet": [0.6, 0.6] + [0] * 8})
    assert verdicts.word_score([held_out, clear], "cell phone") == 0.65
    mixed = _figures(False, {"phone": [0.9] * 12, "wallet": [0.9, 0.9] + [0] * 8})
    assert verdicts.word_score([held_out, mixed], "cell phone") is None
    few = _figures(False, {"phone": [0.9] * 5, "wallet": [0] * 10})
    assert verdicts.word_score([held_out, few], "cell phone") is None, "too few phones"


@pytest.mark.parametrize("others", [{}, {"": [0] * 40}, {"person": [0] * 40}, {"wallet": [0] * 9}])
def test_a_word_is_not_taken_where_nothing_could_be_mistaken_for_it(others: dict[str, list[float]]) -> None:
    """A folder of phones alone makes every answer right; so do rooms and people with empty hands."""
    some = _figures(False, {"phone": [0.3] * 12, **others})
    assert verdicts.word_score([some], "cell phone") is None
    enough = [some, _figures(False, {"wallet": [0] * 6, "airpods": [0] * 4}, "hands")]
    assert verdicts.word_score(enough, "cell phone") == 0.1


def test_a_word_asks_for_what_the_model_was_judged_on_not_what_it_was_tuned_on() -> None:
    tuned = [_figures(False, {"wallet": [0] * 20}, scene) for scene in (verdicts.HELD_OUT, verdicts.COCO)]
    assert verdicts.word_score([*tuned, _figures(False, {"phone": [0.3] * 12})], "cell phone") is None


def test_a_class_that_was_not_known_before_is_no_point_against() -> None:
    """So that a model which learns a class can be released; what it then gets wrong still counts."""
    after = _figures(False, {"phone": [0.9] * 3, "wallet": [0] * 3})
    seen = tuple(scenes.Seen(labels=picture.labels, by_class={}) for picture in after.pictures)
    before = dataclasses.replace(after, before=True, names=("person",), pictures=seen)
    leasts = ({"cell phone": 0.25}, {"cell phone": 0.4})
    points = verdicts.compare(before, after, ["cell phone"], leasts)
    assert [point.text for point in points if "AP50" in point.text] == ["web: AP50 of cell phone not known → 1.000"]
    assert all(point.holds for point in points)
    wrong = _figures(False, {"phone": [0.9] * 3, "wallet": [0.9, 0, 0]})
    assert not all(point.holds for point in verdicts.compare(before, wrong, ["cell phone"], leasts))


@pytest.mark.parametrize(("score", "holds"), [(0.9, True), (0.0, False)])
def test_what_stays_equal_is_not_worse(score: float, holds: bool) -> None:
    before, after = (_figures(was, {"phone": [0.9, score if not was else 0.9]}) for was in (True, False))
    leasts = ({"cell phone": 0.4}, {"cell phone": 0.4})
    assert all(point.holds for point in verdicts.compare(before, after, ["cell phone"], leasts)) is holds


@pytest.mark.parametrize(("better", "grade"), [(True, Grade.RELEASE), (False, Grade.DEMONSTRATION)])
def test_the_entry_is_one_that_the_product_reads(tmp_path: Path, better: bool, grade: Grade) -> None:
    text = cards.entry(
        ENTRY, {"cell phone": 0.35, "wallet_or_other_held_object": 0.4}, {"cell phone": 0.7}, better=better
    )
    (tmp_path / "models.toml").write_text(text, "utf-8")
    (card,) = load_catalogue(tmp_path / "models.toml")
    assert card.grade is grade
    assert dict(card.thresholds) == {"person": 0.4, "phone": 0.35, "in_hand": 0.4}
    assert dict(card.words) == {"phone": 0.7}
    assert (card.rank < 10) is better, "what is no better does not take the place of what is there"


def test_the_card_says_what_was_done_and_what_is_not_known(tmp_path: Path) -> None:
    facts = {
        "names": ["person", "cell phone"],
        "trained": [1],
        "left_out": {"headphones": "no picture has a box of it"},
    }
    made = {"epochs": 2, "batch": 8, "rate": 0.001, "size": [480, 640], "seed": 1, "device": "cpu"}
    (tmp_path / "training.json").write_text(
        json.dumps({**facts, **made, "start_sha256": "ab", "losses": [2.0, 1.0]}), "utf-8"
    )
    (tmp_path / "split.tsv").write_text("side\tgroup\tfile\ntrain\ta\t1\ntrain\ta\t2\ntest\tb\t3\n", "utf-8")
    run = cards.Run.read(tmp_path)
    assert (run.trained, run.pictures["train"], run.groups["train"]) == (("cell phone",), 2, 1)
    figures = [_figures(True, {"phone": [0.3]}), _figures(False, {"phone": [0.9]})]
    points = [
        verdicts.Point(text="web: AP50 of cell phone 0.1 → 0.2", holds=True),
        verdicts.Point(text="wallets", holds=False),
    ]
    page = cards.page(run, figures, {"INT8": points})
    for said in (
        "AGPL-3.0",
        "2 pictures of 1 groups, held out 1 of 1",
        "- **worse**: wallets",
        "headphones: not trained (no picture has a box of it)",
        "no pictures of COCO were given",
        "| m | web | cell phone | 0.4 |",
    ):
        assert said in page


def test_scenes_are_looked_at_with_their_own_names_and_shape(tmp_path: Path) -> None:
    labels = {"a": ["0 .5 .5 .5 .5"], "b": []}
    folder = data_folder(tmp_path / "d", labels, classes="wallet\n")
    scene = scenes.FolderScene.asked(f"{folder}@60x90").read()
    shapes = []

    def find(image: np.ndarray[Any, Any], least: float) -> Any:
        shapes.append(image.shape)
        boxes = np.array([HERE], np.float32)
        return type("Found", (), {"boxes": boxes, "scores": np.array([0.5]), "classes": np.array([1])})

    first, second = scenes.look(scene, find, ("person", "cell phone", "wallet_or_other_held_object"))
    assert shapes == [(60, 90, 3)] * 2
    assert (first.labels, second.labels) == ({"wallet"}, frozenset())
    assert first.by_class["wallet_or_other_held_object"].truth.tolist() == [[22.5, 15, 67.5, 45]]
    assert second.by_class["cell phone"].scores.tolist() == [0.5]
    assert len(scenes.empty_scene(folder).pictures) == 2
    assert scenes.FolderScene.asked(f"{folder}:case").read().pictures[0].boxes[0].label == "case"
