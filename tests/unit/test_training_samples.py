"""What a training step sees: repeatable, with boxes where the objects are, and silent about what nobody labelled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.training_parts import data_folder, members_of, part, picture_of

samples, plans, groups, webcam, composites = (
    part(name) for name in ("samples", "plan", "groups", "webcam", "composites")
)
PHONE = ["1 .5 .5 .3 .3"]
MODEL = ("person", "cell phone", "book")
GROUPS = "web_*\tweb\tphone\ttrain\near_*\tear\twallet\ttrain\nman_*\tman\tall\ttest\n"


@pytest.fixture
def parts(tmp_path: Path) -> Any:
    labels = {"web_1": PHONE, "web_2": PHONE, "ear_1": ["2 .5 .5 .3 .3"], "ear_2": [], "man_1": PHONE, "man_2": PHONE}
    return groups.split(members_of(data_folder(tmp_path / "d", labels, groups=GROUPS)), seed=1)


def _sampler(parts: Any, plan: Any, **given: Any) -> Any:
    people = {str(one.picture.path): [(20, 10, 140, 118)] for one in parts.train if one.picture.path.stem == "ear_2"}
    return samples.Sampler(parts.train, plan, **{"size": (96, 128), "seed": 3, "people": people, **given})


def test_a_class_that_cannot_be_tested_on_others_is_left_out(parts: Any) -> None:
    plan = plans.make_plan(MODEL, parts)
    assert plan.names == MODEL
    assert plan.trained == (1,)
    assert plan.left_out["wallet_or_other_held_object"] == "only groups that are trained on show it"
    assert plan.left_out["headphones"] == "no picture has a box of it"
    assert plan.number("phone") == 1
    assert plan.number("wallet") is None


def test_a_new_class_comes_after_those_the_model_has(parts: Any) -> None:
    folder, member = part("folder"), parts.test[0]
    wallet = folder.Box(label="wallet", x=0.5, y=0.5, width=0.1, height=0.1)
    shown = folder.Picture(path=member.picture.path, boxes=(wallet,))
    held_out = groups.Member(picture=shown, group="man", labelled=None, role="test")
    plan = plans.make_plan(MODEL, groups.Split(train=parts.train, test=(held_out,)))
    assert plan.names == (*MODEL, "wallet_or_other_held_object")
    assert plan.trained == (3,)
    assert plan.added == ("wallet_or_other_held_object",)


def test_nothing_to_learn_is_refused(parts: Any) -> None:
    with pytest.raises(part("folder").BadData, match="No class can be learnt"):
        plans.make_plan(MODEL, parts, wanted=["headphones"])


def test_an_unlabelled_class_is_no_negative(parts: Any) -> None:
    """A picture in which nobody looked for phones says nothing about phones."""
    plan = plans.make_plan(MODEL, parts)
    judged = {member.picture.path.stem: plan.judged(member) for member in (*parts.train, *parts.test)}
    assert judged["web_1"] == (False, True, False)
    assert judged["ear_2"] == (False, False, False)
    assert judged["man_1"] == (False, True, False), "all classes are labelled, but only phones are learnt"


def test_the_same_seed_makes_the_same_sample(parts: Any) -> None:
    plan = plans.make_plan(MODEL, parts)
    one, two, other = _sampler(parts, plan), _sampler(parts, plan), _sampler(parts, plan, seed=4)
    for index in (3, 0, 2):  # in whatever order
        first, again = one.sample(5, index), two.sample(5, index)
        assert np.array_equal(first.image, again.image)
        assert np.array_equal(first.boxes, again.boxes)
    assert not np.array_equal(one.sample(5, 0).image, one.sample(6, 0).image)
    assert not np.array_equal(one.sample(5, 0).image, other.sample(5, 0).image)


def test_phones_are_hidden_and_pasted_in_some_samples(parts: Any) -> None:
    sampler = _sampler(parts, plans.make_plan(MODEL, parts))
    counts = {
        member.picture.path.stem: [len(sampler.sample(epoch, index).boxes) for epoch in range(60)]
        for index, member in enumerate(parts.train)
    }
    assert 5 < counts["web_1"].count(0) < 35, "the phone behind another thing is no phone"
    assert counts["ear_2"].count(1) > 5, "a phone is pasted beside a person"
    assert not any(counts["ear_1"]), "no person, no paste; wallets are not learnt here"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), left=st.integers(10, 90), top=st.integers(10, 60))
def test_boxes_stay_on_their_objects(seed: int, left: int, top: int) -> None:
    image = np.full((120, 160, 3), 40, np.uint8)
    image[top : top + 40, left : left + 50] = (0, 0, 250)
    boxes = np.array([[1, left, top, left + 50, top + 40]], np.float32)
    framed, placed = samples.framed(image, boxes, (192, 256), np.random.default_rng(seed))
    red = np.argwhere(framed[:, :, 2].astype(int) - framed[:, :, 0] > 120)
    if not len(placed):
        assert len(red) < 0.5 * 50 * 40 * 1.6**2 * 1.3  # mostly outside
        return
    _, x, y, width, height = placed[0] * np.array([1, 256, 192, 256, 192])
    (low_y, low_x), (high_y, high_x) = red.min(axis=0), red.max(axis=0) + 1
    seen = [low_x, low_y, high_x, high_y]
    assert seen == pytest.approx([x - width / 2, y - height / 2, x + width / 2, y + height / 2], abs=2.5)


def test_a_pasted_object_lies_in_the_box_that_is_returned() -> None:
    image, source = np.zeros((100, 200, 3), np.uint8), np.zeros((60, 60, 3), np.uint8)
    source[20:40, 20:40] = 255
    cutout = composites.cut_out(source, (20, 20, 40, 40), "phone", margin=0.5)
    box = composites.paste(image, cutout, (120.0, 50.0), 40.0)
    assert box == (100, 30, 140, 70)
    bright = np.argwhere(image[:, :, 0] > 127)
    assert [*bright.min(axis=0), *(bright.max(axis=0) + 1)] == pytest.approx([30, 100, 70, 140], abs=2)
    assert composites.paste(image, cutout, (195.0, 50.0), 40.0) is None, "no room"
    assert composites.paste(image, cutout, (120.0, 50.0), 5.0) is None, "too small to be learnt"


def test_what_fills_the_picture_or_is_tiny_is_not_cut_out() -> None:
    image = picture_of(1)
    assert composites.cut_out(image, (0, 0, 160, 110), "phone") is None
    assert composites.cut_out(image, (5, 5, 12, 40), "phone") is None


def test_a_cover_hides_the_object_and_nothing_else() -> None:
    image = picture_of(2)
    image[40:80, 50:80] = (0, 255, 0)
    before = image.copy()
    composites.cover(image, (50, 40, 80, 80), np.random.default_rng(1))
    assert (image[60, 65] != (0, 255, 0)).any()
    assert (image[40, 50] == (0, 255, 0)).all(), "its corners are round"
    before[40:80, 50:80] = image[40:80, 50:80]
    assert np.array_equal(before, image)


@pytest.mark.parametrize("box", [(0, 0, 160, 120), (0, 0, 12, 12), (150, 100, 160, 120)])
def test_covers_fit_at_any_edge(box: tuple[int, int, int, int]) -> None:
    composites.cover(picture_of(3), box, np.random.default_rng(2))


def test_a_webcam_is_darker_noisier_discoloured_blurred_and_compressed() -> None:
    grey, rng = np.full((64, 64, 3), 100, np.uint8), np.random.default_rng(1)
    assert webcam.exposed(grey, 0.5, 1.0).mean() == pytest.approx(50, abs=1)
    assert webcam.exposed(grey, 1.0, 2.0).mean() == pytest.approx(39, abs=1)
    assert webcam.white_balance(grey, 0.2, -0.1)[0, 0].tolist() == [80, 90, 120]
    assert webcam.noisy(grey, 5, rng).std() == pytest.approx(5 * (2 - 100 / 255), rel=0.1)
    assert webcam.noisy(grey // 10, 5, rng).std() < webcam.noisy(grey * 2, 5, rng).std() * 2
    line = np.zeros((65, 65, 3), np.uint8)
    line[:, 32] = 250
    across, along = webcam.moved(line, 9, 0), webcam.moved(line, 9, 90)
    assert across.max() < 60
    assert along[32].max() > 200
    sharp = picture_of(5)
    fine, coarse = (np.abs(webcam.compressed(sharp, q).astype(int) - sharp).mean() for q in (95, 5))
    assert 0 < fine < coarse


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(part("folder").BadData, match=r"a\.jpg is no picture"):
        samples.read_image(part("folder").Picture(path=tmp_path / "a.jpg", boxes=()))
