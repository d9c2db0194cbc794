"""What is counted: scores from the product's own thresholds on, pictures that show a thing or do not, what is asked."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.contract.policy import Detection
from app.evaluation import cli
from app.evaluation.goals import measuring_policy
from app.evaluation.needs import looked_for
from app.evaluation.result import Result
from app.evaluation.text_report import held_table
from app.evaluation.truth import OBJECTS
from app.evaluation.unmeasured import unmeasured
from capture.frames import Frame
from detectors.base import Observation
from detectors.build import Detectors
from detectors.catalogue import Form, ModelCard
from detectors.coco import COCO80
from detectors.naming import IN_HAND, SURE, least_scores
from tests.unit.drawn_recordings import BLUE, RED, card, picture


class _Says:
    """Says of blue pictures ``scores`` and of others nothing."""

    name = "objects"

    def __init__(self, model: ModelCard, scores: Mapping[str, float]) -> None:
        self.card = model
        self._scores = scores

    def detect(self, frame: Frame) -> list[Observation]:
        if frame.image[0, 0, 0] < 150:
            return []
        return [
            Observation(detector=self.name, at=frame.at, label=label, score=score, box=(0, 0, 9, 9))
            for label, score in self._scores.items()
        ]


def _evaluated(root: Path, model: ModelCard, policy: Detection, **scores: float) -> Result:
    return cli.evaluate(root, policy=policy, fresh=lambda: Detectors(pictures=(_Says(model, scores),)), hold_s=2.5)


# (label, as the report calls it, least score of the policy's default where a card has none)
@pytest.mark.parametrize(
    ("label", "thing", "least"),
    [
        ("in_hand", "object_in_hand", IN_HAND),
        ("cup", "cup", SURE),
        ("food", "food", SURE),
        ("tablet", "tablet", 0.25),
        ("phone", "phone", 0.25),
    ],
)
@pytest.mark.parametrize("strictness", [1.0, 1.2])
def test_one_look_says_a_thing_from_the_products_threshold_on(
    tmp_path: Path, label: str, thing: str, least: float, strictness: float
) -> None:
    """Detectors also tell what only holds an incident that is open, from 0.6 of the threshold on."""
    model = card(tmp_path, Form.YOLO_DENSE)
    policy = replace(measuring_policy(), object_permille=round(250 * strictness))
    picture(tmp_path / "media/a.png", BLUE)
    assert least_scores(policy, model)[label] == pytest.approx(least * strictness)
    for score, said in ((least * strictness + 0.01, {thing: 1}), (least * strictness - 0.01, {})):
        (named,) = _evaluated(tmp_path / "media", model, policy, **{label: score}).named
        assert dict(named.said) == said


def test_what_the_policy_never_raises_is_not_said_at_one_look(tmp_path: Path) -> None:
    model = card(tmp_path, Form.YOLO_DENSE)
    picture(tmp_path / "media/a.png", BLUE)
    (named,) = _evaluated(tmp_path / "media", model, Detection(headphones=False), headphones=0.9).named
    assert dict(named.said) == {}


def test_pictures_that_make_an_incident_right_are_not_among_those_that_could_be_false(tmp_path: Path) -> None:
    """A phone in a hand is an object in a hand: of six pictures one shows one, three show phones, two neither."""
    model, root = card(tmp_path, Form.YOLO_DENSE), tmp_path / "media"
    pictures = {"held": RED, "phone1": RED, "phone2": RED, "phone3": BLUE, "none1": BLUE, "none2": RED}
    for name, colour in pictures.items():
        picture(root / f"{name}.png", colour)
    rules = '[[truth]]\nmatch = "*"\ncomplete = ["phone", "object_in_hand"]\n'
    rules += '[[truth]]\nmatch = "phone*"\nevents = [["phone"]]\n'
    rules += '[[truth]]\nmatch = "held*"\nevents = [["object_in_hand"]]\n'
    (root / "truth.toml").write_text(rules)
    stills = _evaluated(root, model, measuring_policy(), in_hand=0.9).stills
    names, *rows = held_table(list(stills.values()))
    told = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    assert [told["object_in_hand"][name] for name in ("show it", "do not", "false", "share")] == ["1", "2", "1", "0.50"]
    assert [told["phone"][name] for name in ("show it", "do not", "false", "share")] == ["3", "3", "0", "0.00"]


_SEEN = {*OBJECTS, "object_in_hand", "absent"} - {"book", "tablet"}  # COCO has no tablets


@pytest.mark.parametrize(
    ("policy", "refused", "things"),
    [
        (Detection(), (), {*_SEEN, "second_person", "no_face", "looking_away", "speech"}),
        (Detection(phones=True, faces=False), (), {*_SEEN, "phone", "second_person", "speech"}),
        (Detection(books=True, faces=False), (), {*_SEEN, "book", "second_person", "speech"}),
        (Detection(objects=False, phones=True, books=True), (), {"second_person", "looking_away", "speech"}),
        (Detection(faces=False), (), {*_SEEN, "second_person", "speech"}),
        (Detection(objects=False, faces=False), (), {"speech"}),
        (Detection(second_look=False, speech=False), (), {*_SEEN, "second_person", "no_face", "looking_away"}),
        (
            Detection(looking_away=False, gaze=True),
            (),
            {*_SEEN, "second_person", "no_face", "looking_away", "speech"},
        ),
        (Detection(looking_away=False), (), {*_SEEN, "second_person", "no_face", "speech"}),
        (
            Detection(headphones=True, loud_noise=True),
            (),
            {*_SEEN, "second_person", "no_face", "looking_away", "speech", "loud_noise", "headphones"},
        ),
        (Detection(headphones=True), ("objects",), {"second_person", "looking_away", "speech"}),
        (Detection(headphones=True), ("headphones", "faces"), {*_SEEN, "second_person", "speech"}),
        (Detection(loud_noise=True), ("speech", "landmarks"), {*_SEEN, "second_person", "no_face"}),
        (Detection(), ("closer",), {*_SEEN, "second_person", "no_face", "looking_away", "speech"}),
        (Detection(), ("objects", "faces"), {"speech"}),
    ],
)
def test_only_what_somebody_looks_for_is_judged(
    tmp_path: Path, policy: Detection, refused: tuple[str, ...], things: set[str]
) -> None:
    assert looked_for(policy, {"objects": replace(card(tmp_path, Form.YOLO_DENSE), classes=COCO80)}, refused) == things


def test_what_no_class_of_the_model_stands_for_is_not_judged(tmp_path: Path) -> None:
    """The drawn model knows persons and phones alone."""
    model = card(tmp_path, Form.YOLO_DENSE)
    picture(tmp_path / "media/a.png", BLUE)
    (tmp_path / "media/a.events.csv").write_text("# complete: phone, tablet, book\nkind,start_s,end_s\ntablet,0,3\n")
    result = _evaluated(tmp_path / "media", model, measuring_policy())
    assert set(result.stills) == {"phone"}
    told = "No model here knows: book, laptop, screen, tablet, bottle, cup, food. Nothing looks for them"
    assert any(told in line for line in unmeasured(result))
