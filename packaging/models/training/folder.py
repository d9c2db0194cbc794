"""Reads a folder of labelled pictures in YOLO's layout, and refuses what is wrong in it by file and line.

``classes.txt`` (a name a line) or ``data.yaml`` (``names:``, as ``app.evaluation`` reads it), pictures below a folder
``images`` and beside it ``labels`` with one text file a picture: a line ``class x y width height`` a box, as shares of
the picture, x and y of its middle. A picture without a box needs an empty file: "nothing is there" and "nobody has
looked" are not the same. Pure apart from reading files; runs where models are made, never in the product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.refusals import BadData

from app.evaluation.class_names import names_in_yaml

PICTURES = {".jpg", ".jpeg", ".png"}
_TOLERANCE = 0.002  # of the picture: labels are rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One labelled object: its class by name, the middle and the size as shares of the picture."""

    label: str
    x: float
    y: float
    width: float
    height: float

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom as shares of the picture."""
        return (
            self.x - self.width / 2,
            self.y - self.height / 2,
            self.x + self.width / 2,
            self.y + self.height / 2,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture and what was labelled in it."""

    path: Path
    boxes: tuple[Box, ...]


def read_folder(folder: Path, classes: Sequence[str] = ()) -> tuple[Picture, ...]:
    """Return the pictures below ``folder``, in the order of their paths.

    ``classes`` stand in for a missing ``classes.txt``. Raises ``BadData``.
    """
    names = tuple(classes) or read_classes(folder)
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURES and _below_images(path)]
    if not found:
        raise BadData(f"{folder} holds no picture below a folder named images. Give a folder in YOLO's layout.")
    return tuple(Picture(path=path, boxes=_boxes(_label_file(path), names)) for path in found)


def read_classes(folder: Path) -> tuple[str, ...]:
    """Return the names of the classes, in the order of their numbers. Raises ``BadData``."""
    plain, described = folder / "classes.txt", folder / "data.yaml"
    if plain.exists():
        names = tuple(line.strip() for line in read_text(plain).splitlines() if line.strip())
    elif described.exists():
        names = names_in_yaml(read_text(described))
        if not names:
            raise BadData(f"{described} names no classes. Add a line: names: [phone, headphones]")
    else:
        raise BadData(f"{folder} has neither classes.txt nor data.yaml. Write classes.txt: one name a line.")
    known = [name for name in names if name]
    if not known or len(set(known)) != len(known):
        raise BadData(f"The classes in {folder} must be there, and each one once.")
    return names


def read_text(path: Path) -> str:
    """Return what is written in a file, without the mark that some editors put before it. Raises ``BadData``."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(f"{path} is no text in UTF-8. Save it as that.") from error


def _below_images(path: Path) -> bool:
    return "images" in path.parts[:-1]


def _label_file(path: Path) -> Path:
    """Return the file with a picture's boxes: the last folder ``images`` on its way becomes ``labels``."""
    parts = list(path.parts)
    parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return Path(*parts).with_suffix(".txt")


def _boxes(file: Path, names: Sequence[str]) -> tuple[Box, ...]:
    try:
        lines = read_text(file).splitlines()
    except OSError as error:
        raise BadData(f"{file} can not be read. A picture that shows no class needs an empty file.") from error
    return tuple(_box(line, names, f"{file}:{number}") for number, line in enumerate(lines, 1) if line.strip())


def _box(line: str, names: Sequence[str], where: str) -> Box:
    try:
        number, *shares = line.split()
        x, y, width, height = (float(share) for share in shares)
        if int(number) < 0:
            raise IndexError(number)
        label = names[int(number)]
    except (ValueError, IndexError) as error:
        raise BadData(f"{where}: a box is `class x y width height` with a class from 0 to {len(names) - 1}.") from error
    if not label:
        raise BadData(f"{where}: class {number} has no name. Name it in classes.txt or data.yaml, or delete the line.")
    box = Box(label=label, x=x, y=y, width=width, height=height)
    inside = all(-_TOLERANCE <= side <= 1 + _TOLERANCE for side in box.corners)
    if not inside or not (width > 0 and height > 0):
        raise BadData(f"{where}: the box lies outside the picture or is empty. Correct or delete the line.")
    return box
