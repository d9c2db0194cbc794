"""The sets of pictures that a trained model is measured on, and what a detector sees in them.

Runs in the product's environment, with whatever detector it is given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from training import options
from training.folder import PICTURES, Picture, read_folder
from training.measure import Floats, Looked
from training.plan import model_name
from training.refusals import BadData
from training.samples import read_image
from training.webcam import Image

LEAST = 0.01
"""Least score that average precision takes into account."""
NOTHING = Looked(boxes=np.zeros((0, 4)), scores=np.zeros(0), truth=np.zeros((0, 4)))


class Found(Protocol):
    """What a detector found: boxes [N, 4] as corners in pixels, scores [N], numbers of classes [N]."""

    @property
    def boxes(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]: ...
    @property
    def scores(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]: ...
    @property
    def classes(self) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]: ...


Find = Callable[[Image, float], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Pictures with a title; ``shape`` (height, width) is their true shape, where they are stored distorted."""

    title: str
    pictures: tuple[Picture, ...]
    shape: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One picture: what was labelled in it, as the data calls it, and what a look gave for each class of the model."""

    labels: frozenset[str]
    by_class: Mapping[str, Looked]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderScene:
    """A folder to be measured on, not read yet; ``classes`` are given where it does not name them."""

    folder: Path
    classes: tuple[str, ...] = ()
    shape: tuple[int, int] | None = None

    @classmethod
    def asked(cls, text: str) -> "FolderScene":
        """Read ``FOLDER``, ``FOLDER:classes,by,comma``, or either with ``@480x640``; a ``type`` of ``argparse``."""
        plain, at, sides = text.rpartition("@") if "@" in text else (text, "", "")
        place, colon, classes = plain.partition(":")
        return cls(
            folder=options.folder(place),
            classes=options.class_names(classes) if colon else (),
            shape=options.shape(sides) if at else None,
        )

    def read(self) -> Scene:
        """Return the scene. Raises ``BadData``."""
        return Scene(title=self.folder.name, pictures=read_folder(self.folder, self.classes), shape=self.shape)


def empty_scene(folder: Path) -> Scene:
    """Return a folder of pictures that show none of the trained classes. Raises ``BadData``."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURES]
    if not paths:
        raise BadData(f"{folder} holds no pictures. Give a folder with JPEG or PNG files.")
    return Scene(title=folder.name, pictures=tuple(Picture(path=path, boxes=()) for path in paths))


def look(scene: Scene, find: Find, names: Sequence[str]) -> list[Seen]:
    """Return what ``find`` sees in each picture, for each of the model's ``names`` that has a box or a truth."""
    return [_look(picture, scene.shape, find, names) for picture in scene.pictures]


def _look(picture: Picture, shape: tuple[int, int] | None, find: Find, names: Sequence[str]) -> Seen:
    image = read_image(picture)
    if shape is not None:
        image = np.asarray(cv2.resize(image, (shape[1], shape[0])), np.uint8)
    found = find(image, LEAST)
    truth = [(model_name(box.label), box.corners) for box in picture.boxes]
    size = np.array([image.shape[1], image.shape[0]] * 2, np.float64)
    by_class = {}
    for number in _numbers(found.classes, (label for label, _ in truth), names):
        mine = found.classes == number
        by_class[names[number]] = Looked(
            boxes=np.asarray(found.boxes[mine], np.float64).reshape(-1, 4),
            scores=np.asarray(found.scores[mine], np.float64),
            truth=_rows([corners for label, corners in truth if label == names[number]]) * size,
        )
    return Seen(labels=frozenset(box.label for box in picture.boxes), by_class=by_class)


def _numbers(found: Iterable[int], labels: Iterable[str], names: Sequence[str]) -> list[int]:
    known = {names.index(label) for label in labels if label in names}
    return sorted(known | {int(number) for number in found})


def _rows(corners: Sequence[tuple[float, float, float, float]]) -> Floats:
    return np.array(corners, np.float64).reshape(-1, 4)


def of_class(pictures: Sequence[Seen], name: str) -> list[Looked]:
    """Return one class's part of each picture."""
    return [seen.by_class.get(name, NOTHING) for seen in pictures]
