"""The catalogue of models: reads ``resources/models.toml`` into frozen cards.

Owns the schema of that file; an unknown or missing key is an error, so that a misspelt hash never means "no hash".
Pure apart from reading one file: it never looks for model files, never downloads, never loads a model.

A model is one ``[[model]]`` table::

    name = "yolo11n-int8"            # unique
    task = "objects"                 # objects | closer | faces | landmarks | speech
    file = "yolo11n_int8.onnx"       # file name in the folder of models
    sha256 = "…"                     # of that file, 64 hex digits
    licence = "AGPL-3.0-or-later"
    form = "yolo-dense"              # how outputs are to be read, see ``Form``
    input = [480, 640]               # height, width in pixels; [1, 512] samples for speech
    classes = "coco80"               # or a list of names in the order of the model's outputs
    grade = "release"                # release | demonstration
    rank = 10                        # lower is preferred within a task
    source = "https://…"             # where the official file comes from
    official_sha256 = "…"            # optional: of the official file this one was made from
    measured = "…"                   # optional: how good it is, on what, how many; figures as in docs/models.md
    mirrors = ["…"]                  # optional: where else to look; read by whoever fetches
    [model.thresholds]               # least score by label: person, phone, book, laptop, face, speech
    person = 0.4
    [model.words]                    # optional: from which score on a word holds: phone
    phone = 0.95
    [model.acquire]                  # optional: flat texts for whoever fetches and converts
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from app.contract.errors import Fatal
from detectors.coco import COCO80

E = TypeVar("E", bound=StrEnum)


class Task(StrEnum):
    """What a model is for; ``CLOSER`` is the second look at a small part of the picture."""

    OBJECTS = "objects"
    CLOSER = "closer"
    FACES = "faces"
    LANDMARKS = "landmarks"
    SPEECH = "speech"


class Grade(StrEnum):
    """How good it is: ``DEMONSTRATION`` shows that the line works and is not meant for a real exam."""

    RELEASE = "release"
    DEMONSTRATION = "demonstration"


class Form(StrEnum):
    """How a model's input is prepared and its outputs are read; ``detectors.decoders`` has the shapes."""

    YOLO_DENSE = "yolo-dense"
    YOLO_END_TO_END = "yolo-end-to-end"
    YOLOX_GRID = "yolox-grid"
    DARKNET_HEADS = "darknet-heads"
    YUNET = "yunet"
    BLAZEFACE = "blazeface"
    FACE_MESH = "face-mesh"
    SILERO = "silero"


_TASK_OF = {
    Form.YUNET: Task.FACES,
    Form.BLAZEFACE: Task.FACES,
    Form.FACE_MESH: Task.LANDMARKS,
    Form.SILERO: Task.SPEECH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One model. ``input`` is (height, width); ``thresholds`` are least scores from 0 to 1 by label.

    ``words`` says from which score on a thing may be called by a word (``detectors.naming``). ``measured`` tells a
    person how good it is, on what, how many; empty where nobody measured.
    """

    name: str
    task: Task
    file: str
    sha256: str
    licence: str
    form: Form
    input: tuple[int, int]
    classes: tuple[str, ...]
    grade: Grade
    rank: int
    source: str
    thresholds: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, float] = field(default_factory=dict)
    official_sha256: str | None = None
    measured: str = ""
    mirrors: tuple[str, ...] = ()
    acquire: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name and grade, as the check screen, the report and the incidents show them."""
        grade = "release" if self.grade is Grade.RELEASE else "demonstration accuracy"
        return f"{self.name} ({grade})"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models the product knows, best first within a task."""

    cards: tuple[ModelCard, ...]

    def __iter__(self) -> Iterator[ModelCard]:
        return iter(self.cards)

    def for_task(self, task: Task) -> tuple[ModelCard, ...]:
        """Return the models for ``task``, preferred first."""
        return tuple(card for card in self.cards if card.task is task)

    def named(self, name: str) -> ModelCard:
        """Return the card called ``name``; raises ``KeyError``."""
        for card in self.cards:
            if card.name == name:
                return card
        raise KeyError(name)


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Read ``path``, or the list that ships with the product. Raises ``Fatal`` (E-MODEL-LIST) on any fault in it."""
    text = (
        path.read_text("utf-8") if path is not None else files("resources").joinpath("models.toml").read_text("utf-8")
    )
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _fault(f"not TOML: {error}") from error
    if set(tables) - {"model"}:
        raise _fault(f"unknown keys {sorted(set(tables) - {'model'})}")
    cards = [_card(table) for table in tables.get("model", [])]
    names = [card.name for card in cards]
    if len(set(names)) != len(names):
        raise _fault("two models have the same name")
    return Catalogue(tuple(sorted(cards, key=lambda card: (card.task, card.rank, card.name))))


def _card(table: dict[str, object]) -> ModelCard:
    """Check one ``[[model]]`` table and build its card. ``table`` is emptied; what is left was not known."""
    name = _text(table, "name", "?")
    try:
        form = _member(Form, _text(table, "form", name))
        card = ModelCard(
            name=name,
            task=_member(Task, _text(table, "task", name)),
            file=_text(table, "file", name),
            sha256=_digest(_text(table, "sha256", name)),
            licence=_text(table, "licence", name),
            form=form,
            input=_size(table.pop("input", None)),
            classes=_classes(table.pop("classes", [])),
            grade=_member(Grade, _text(table, "grade", name)),
            rank=_rank(table.pop("rank", None)),
            source=_text(table, "source", name),
            thresholds=_thresholds(table.pop("thresholds", {})),
            words=_thresholds(table.pop("words", {})),
            official_sha256=_digest(_text(table, "official_sha256", name)) if "official_sha256" in table else None,
            measured=_text(table, "measured", name) if "measured" in table else "",
            mirrors=_texts(table.pop("mirrors", [])),
            acquire=_facts(table.pop("acquire", {})),
        )
        if card.task not in ((_TASK_OF[form],) if form in _TASK_OF else (Task.OBJECTS, Task.CLOSER)):
            raise ValueError(f"form {form} does not serve task {card.task}")
        if card.task in (Task.OBJECTS, Task.CLOSER) and not card.classes:
            raise ValueError("classes are missing")
    except ValueError as error:
        raise _fault(f"{name}: {error}") from error
    if table:
        raise _fault(f"{name}: unknown keys {sorted(table)}")
    return card


def _fault(message: str) -> Fatal:
    return Fatal(f"The list of models is broken: {message}.", code="E-MODEL-LIST")


def _text(table: dict[str, object], key: str, name: str) -> str:
    value = table.pop(key, None)
    if not isinstance(value, str) or not value:
        raise _fault(f"{name}: {key} must be a text")
    return value


def _member(kind: type[E], value: str) -> E:
    return kind(value)  # its ValueError names the value


def _digest(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError("a sha256 has 64 hexadecimal digits in lower case")
    return value


def _size(value: object) -> tuple[int, int]:
    match value:
        case [int(height), int(width)] if height > 0 and width > 0:
            return height, width
    raise ValueError("input must be [height, width]")


def _classes(value: object) -> tuple[str, ...]:
    return COCO80 if value == "coco80" else _texts(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of texts was expected")
    return tuple(value)


def _rank(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("rank must be a whole number")  # noqa: TRY004  (one kind of error per broken list)
    return value


def _thresholds(value: object) -> Mapping[str, float]:
    if not isinstance(value, dict) or not all(isinstance(score, float) and 0 < score < 1 for score in value.values()):
        raise ValueError("thresholds must be scores between 0 and 1 by label")
    return dict(value)


def _facts(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError("acquire must be a flat table of texts")
    return dict(value)
