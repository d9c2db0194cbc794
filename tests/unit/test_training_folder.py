"""Labelled pictures are read in YOLO's layout, and what is wrong in them is named by file and line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.training_parts import SCRIPTS, data_folder, part

reading = part("folder")


def test_boxes_are_read_by_name_and_place(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "d", {"a": ["1 0.5 0.25 0.2 0.1", "", "0 0.5 0.5 1 1"], "b": []})
    first, second = reading.read_folder(folder)
    assert [box.label for box in first.boxes] == ["phone", "person"]
    assert first.boxes[0].corners == pytest.approx((0.4, 0.2, 0.6, 0.3))
    assert second.boxes == ()


@pytest.mark.parametrize(
    "text",
    [
        "names: {1: wallet, 0: phone}\n",
        "names:\n  1: wallet\n  0: phone\n",
        "names: [\n  phone,\n  wallet\n]\n",
        "\ufeffnames: [phone, wallet]\n",
        "train: images\nnames: ['phone', \"wallet\"]\nnc: 2\n",
        "names:\n  - phone\n  - wallet\ntrain: images\n",
        "nc: 2\nnames:\n  0: phone  # held\n  1: 'wallet'\n",
    ],
)
def test_each_spelling_of_data_yaml_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text, "utf-8")
    assert reading.read_classes(tmp_path) == ("phone", "wallet")


def test_a_number_without_a_name_is_no_class(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "d", {"a": ["0 .5 .5 .1 .1", "1 .5 .5 .1 .1"]})
    (folder / "classes.txt").unlink()
    (folder / "data.yaml").write_text("names: {0: phone, 2: wallet}", "utf-8")
    with pytest.raises(reading.BadData, match=r"a\.txt:2: class 1 has no name"):
        reading.read_folder(folder)


def test_the_mark_that_editors_put_before_a_text_is_no_part_of_it(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "d", {"a": ["0 .5 .5 .1 .1"]}, classes="\ufeffphone\n")
    (folder / "labels" / "a.txt").write_text("\ufeff0 .5 .5 .1 .1", "utf-8")
    assert reading.read_folder(folder)[0].boxes[0].label == "phone"
    (folder / "classes.txt").write_bytes("téléphone".encode("latin-1"))
    with pytest.raises(reading.BadData, match="no text in UTF-8"):
        reading.read_folder(folder)


def test_the_reader_that_training_shares_with_the_product_needs_no_package() -> None:
    """Where models are trained, nothing of the product is installed."""
    script = f"import sys; sys.path += [{str(SCRIPTS)!r}, {str(SCRIPTS.parents[1])!r}]; import training.folder"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_pictures_below_several_folders_are_found(tmp_path: Path) -> None:
    """As Roboflow exports them: train/images, valid/images."""
    for side in ("train", "valid"):
        data_folder(tmp_path / side, {side: ["1 .5 .5 .1 .1"]})
    (tmp_path / "data.yaml").write_text("names: [person, phone]", "utf-8")
    assert [len(picture.boxes) for picture in reading.read_folder(tmp_path)] == [1, 1]


@pytest.mark.parametrize(
    "line",
    [
        "1 .5 .5 .1",
        "9 .5 .5 .1 .1",
        "-1 .5 .5 .1 .1",
        "1 .99 .5 .2 .1",
        "1 .5 .5 0 .1",
        "phone .5 .5 .1 .1",
        "1 nan .5 .1 .1",
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    folder = data_folder(tmp_path / "d", {"a": ["1 .5 .5 .1 .1", line]})
    with pytest.raises(reading.BadData, match=r"a\.txt:2"):
        reading.read_folder(folder)


def test_a_picture_nobody_labelled_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "d", {"a": []})
    (folder / "labels" / "a.txt").unlink()
    with pytest.raises(reading.BadData, match="needs an empty file"):
        reading.read_folder(folder)


def test_a_folder_without_classes_or_pictures_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(reading.BadData, match=r"Write classes\.txt"):
        reading.read_folder(tmp_path)
    with pytest.raises(reading.BadData, match="YOLO's layout"):
        reading.read_folder(tmp_path, ["phone"])
    (tmp_path / "classes.txt").write_text("phone\nphone\n", "utf-8")
    with pytest.raises(reading.BadData, match="each one once"):
        reading.read_folder(tmp_path)
