"""Reads the scripts' options, so that a wrong one is refused before a picture is read, and not after hours of training.

Each function is a ``type`` of ``argparse``: it takes the text that was given and raises ``ArgumentTypeError``, whose
message says what to write instead. Pure apart from asking the disk what is there.
"""

import math
import os
import re
from argparse import ArgumentTypeError
from pathlib import Path

STEP = 32
"""The models halve a picture five times, so both its sides are multiples of this."""


def shape(text: str) -> tuple[int, int]:
    """Return (height, width) of ``480x640``."""
    found = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text)
    height, width = (int(found[1]), int(found[2])) if found else (0, 0)
    if not height or not width:
        raise ArgumentTypeError(f"“{text}” is not height x width. Write it like 480x640.")
    return height, width


def model_size(text: str) -> tuple[int, int]:
    """Return (height, width) of a model's input."""
    height, width = shape(text)
    if height % STEP or width % STEP:
        raise ArgumentTypeError(f"“{text}” does not fit the model. Give multiples of {STEP}, like 480x640.")
    return height, width


def count(text: str) -> int:
    """Return a whole number from 1 on."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"“{text}” is not a whole number from 1 on.")
    return int(text)


def count_or_none(text: str) -> int:
    """Return a whole number from 0 on."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"“{text}” is not a whole number from 0 on.")
    return int(text)


def share(text: str) -> float:
    """Return a number between 0 and 1, and neither of them."""
    number = _number(text)
    if not 0 < number < 1:
        raise ArgumentTypeError(f"“{text}” is not between 0 and 1. A fifth of the pictures is 0.2.")
    return number


def rate(text: str) -> float:
    """Return a learning rate."""
    number = _number(text)
    if not 0 < number <= 1:
        raise ArgumentTypeError(f"“{text}” is no learning rate. Give a number up to 1, like 0.001.")
    return number


def device(text: str) -> str:
    """Return ``cpu`` or the number of a GPU; whether that GPU is there, only torch knows."""
    if text != "cpu" and not text.isdecimal():
        raise ArgumentTypeError(f"“{text}” is no device. Give cpu, or the number of a GPU: 0 is the first.")
    return text


def name(text: str) -> str:
    """Return a name of which files are made."""
    if not re.fullmatch(r"\w[\w.-]*", text, re.ASCII):
        raise ArgumentTypeError(f"“{text}” is no name for files. Use letters, digits, dots, hyphens and underscores.")
    return text


def class_names(text: str) -> tuple[str, ...]:
    """Return names by comma."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise ArgumentTypeError("There is no class to be learnt. Give names by comma.")
    return names


def file(text: str) -> Path:
    """Return the path of a file that is there."""
    if not os.path.isfile(text):  # noqa: PTH113  (a Path raises where one may not look)
        raise ArgumentTypeError(f"There is no file {text}. Name one that is there.")
    return Path(text)


def folder(text: str) -> Path:
    """Return the path of a folder that is there."""
    if not os.path.isdir(text):  # noqa: PTH112  (a Path raises where one may not look)
        raise ArgumentTypeError(f"There is no folder {text}. Name one that is there.")
    return Path(text)


def target(text: str) -> Path:
    """Return the path of a folder that can be made and written, without making it yet."""
    path = Path(text)
    # Not what Path offers: it raises where one may not look.
    nearest = next(place for place in (path, *path.absolute().parents) if os.path.exists(place))  # noqa: PTH110
    if not os.path.isdir(nearest) or not _may_write(nearest):  # noqa: PTH112
        raise ArgumentTypeError(f"{nearest} is no folder that can be written. Name another one.")
    return path


def _may_write(folder: Path) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=effective)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
