"""Opens the modules of ``packaging/models/training``, a folder of scripts and no package, and makes data for them.

``Any``, because their types are checked where they are (``make check``), and nothing here can import them by name.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SCRIPTS = Path(__file__).parents[2] / "packaging" / "models"
HEAD = "files\tgroup\tlabelled\trole\n"


def part(name: str) -> Any:
    """Return ``training.<name>``."""
    if str(SCRIPTS) not in sys.path:
        sys.path.append(str(SCRIPTS))
    return import_module(f"training.{name}")


def picture_of(number: int, *, height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    """Return a picture of soft blots that is like no other number's (H×W×3)."""
    blots = np.random.default_rng(number).integers(0, 255, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def data_folder(
    folder: Path, labels: Mapping[str, Sequence[str]], *, classes: str = "person\nphone\nwallet\n", groups: str = ""
) -> Path:
    """Write a folder in YOLO's layout: a picture for each name in ``labels``, whose lines say what is in it."""
    for sub in ("images", "labels"):
        (folder / sub).mkdir(parents=True)
    (folder / "classes.txt").write_text(classes, "utf-8")
    for number, (name, lines) in enumerate(labels.items()):
        cv2.imwrite(str(folder / "images" / f"{name}.jpg"), picture_of(number))
        (folder / "labels" / f"{name}.txt").write_text("\n".join(lines), "utf-8")
    if groups:
        (folder / "groups.tsv").write_text(HEAD + groups, "utf-8")
    return folder


def members_of(folder: Path) -> Any:
    """Return the pictures of a folder with their groups."""
    groups = part("groups")
    pictures = part("folder").read_folder(folder)
    return groups.members(pictures, groups.read_rules(folder / "groups.tsv", pictures))
