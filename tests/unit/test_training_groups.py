"""Nobody is on both sides of a split, and nothing is trained while nobody knows who is in the pictures."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.training_parts import SCRIPTS, data_folder, members_of, part, picture_of

groups = part("groups")
BadData = part("folder").BadData
PHONE = ["1 .5 .5 .2 .2"]


def _member(group: str, number: int, role: str = "") -> object:
    picture = part("folder").Picture(path=Path(f"{group}_{number}.jpg"), boxes=())
    return groups.Member(picture=picture, group=group, labelled=None, role=role)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=12), seed=st.integers(0, 2**31), share=st.floats(0.05, 0.5)
)
def test_no_group_is_on_both_sides(sizes: list[int], seed: int, share: float) -> None:
    everyone = [_member(f"g{group}", number) for group, size in enumerate(sizes) for number in range(size)]
    try:
        parts = groups.split(everyone, seed=seed, share=share)
    except BadData:
        return  # one group is nearly all there is
    assert not {member.group for member in parts.train} & {member.group for member in parts.test}
    assert sorted(map(id, parts.train + parts.test)) == sorted(map(id, everyone))
    assert len(parts.test) >= share * len(everyone)
    again = groups.split(everyone[::-1], seed=seed, share=share)
    assert {member.group for member in again.test} == {member.group for member in parts.test}


def test_the_seed_decides_which_groups_are_held_out() -> None:
    everyone = [_member(f"g{number}", 0) for number in range(20)]
    drawn = {frozenset(member.group for member in groups.split(everyone, seed=seed).test) for seed in range(10)}
    assert len(drawn) > 5


def test_groups_with_a_role_stay_where_they_are_put() -> None:
    everyone = [_member("a", n, "test") for n in range(5)] + [_member("b", n, "train") for n in range(5)]
    parts = groups.split(everyone, seed=1)
    assert {member.group for member in parts.test} == {"a"}
    with pytest.raises(BadData, match="one side only"):
        groups.split([*everyone, _member("b", 9, "test")], seed=1)


def test_pictures_of_one_group_can_not_be_split() -> None:
    with pytest.raises(BadData, match="Add pictures of other people"):
        groups.split([_member("a", number) for number in range(9)], seed=1)


def test_lines_give_group_labelled_classes_and_role(tmp_path: Path) -> None:
    names = {"web_1": PHONE, "web_2": PHONE, "man_1": PHONE}
    folder = data_folder(tmp_path / "d", names, groups="# note\nweb_*\t*\tphone, wallet\t\nman_*\tman\tall\ttest\n")
    man, first, second = members_of(folder)
    assert (man.group, man.labelled, man.role) == ("man", None, "test")
    assert first.labelled == {"phone", "wallet"}
    assert first.group != second.group


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("other_*\tman\tall\t\n", "No line of groups.tsv speaks of"),
        ("*\tman\tall\tvalid\n", "line 2"),
        ("*\t\tall\t\n", "line 2"),
        ("*\tman\n", "line 2"),
    ],
)
def test_a_wrong_groups_file_says_where(tmp_path: Path, text: str, said: str) -> None:
    folder = data_folder(tmp_path / "d", {"web_1": PHONE}, groups=text)
    with pytest.raises(BadData, match=said):
        members_of(folder)


def test_the_head_is_required(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "d", {"web_1": PHONE})
    (folder / "groups.tsv").write_text("web_*\tman\tall\t\n", "utf-8")
    with pytest.raises(BadData, match="must begin with"):
        members_of(folder)


def _train(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "some.pt").write_bytes(b"no weights")
    command = [
        sys.executable,
        f"{SCRIPTS / 'train.py'}",
        f"{folder}",
        "--weights",
        f"{folder / 'some.pt'}",
        "--trust",
        "--out",
        f"{folder / 'out'}",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_random_split_is_refused_and_the_file_explained(tmp_path: Path) -> None:
    """Needs no torch: what is wrong with the data is said before anything is loaded."""
    ran = _train(data_folder(tmp_path / "d", {"web_1": PHONE, "web_2": PHONE}))
    assert ran.returncode == 2
    assert "files\tgroup\tlabelled\trole" in ran.stderr
    assert "web_*" in ran.stderr
    assert not (tmp_path / "d" / "out").exists()


def test_groups_that_pictures_contradict_are_refused(tmp_path: Path) -> None:
    """One recording under two names shows itself by pictures that are nearly the same."""
    folder = data_folder(
        tmp_path / "d",
        {f"{side}_{number}": PHONE for side in ("left", "right") for number in range(3)},
        groups="left_*\tleft\tall\ttrain\nright_*\tright\tall\ttest\n",
    )
    assert "look like a test picture" not in _train(folder).stderr, "these groups are fine"
    shutil.copy(folder / "images" / "left_1.jpg", folder / "images" / "right_2.jpg")
    ran = _train(folder)
    assert ran.returncode == 2
    assert f"left_1.jpg and {folder / 'images' / 'right_2.jpg'}" in ran.stderr


def test_the_example_speaks_of_every_picture_it_is_for() -> None:
    folder = SCRIPTS.parents[2] / "shared" / "train"
    if not folder.exists():
        pytest.skip("../shared/train is not here")
    pictures = part("folder").read_folder(folder)
    everyone = groups.members(pictures, groups.read_rules(SCRIPTS / "example.groups.tsv", pictures))
    parts = groups.split(everyone, seed=1)
    assert {member.group for member in parts.test} == {"man-at-a-webcam"}


def test_near_duplicates_are_found_across_light_size_and_quality() -> None:
    likeness, webcam = part("likeness"), part("webcam")
    prints = {str(number): likeness.fingerprint(picture_of(number)) for number in range(40)}
    changed = webcam.compressed(webcam.exposed(picture_of(7, height=240, width=320), 0.7, 1.1), 40)
    assert likeness.twins({"changed": likeness.fingerprint(changed)}, prints) == {"changed": "7"}
    assert likeness.twins({"other": likeness.fingerprint(picture_of(99))}, prints) == {}
    assert likeness.twins({}, prints) == likeness.twins(prints, {}) == {}
