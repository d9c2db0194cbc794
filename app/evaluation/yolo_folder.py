"""Pictures in the layout of YOLO: ``images`` and ``labels`` beside each other, classes with names. Only reads."""

from collections.abc import Sequence
from pathlib import Path

from app.evaluation.class_names import class_names
from app.evaluation.truth import THINGS, Event, Truth, truth_error
from app.evaluation.truth_formats import read_boxes
from app.evaluation.truth_rules import Rule

SAME = {
    **dict.fromkeys(("cell phone", "cellphone", "mobile", "mobile phone", "smartphone", "smart phone"), "phone"),
    **dict.fromkeys(("headphone", "headset", "earphones", "earphone"), "headphones"),
    **dict.fromkeys(("tv", "monitor", "tvmonitor"), "screen"),
}
"""What other people's labels call our things."""


def boxes_beside(path: Path, rules: Sequence[Rule], root: Path) -> Truth | None:
    """Return what boxes say about a picture in the layout of YOLO; one without a label file holds none of them.

    ``root`` is the folder that is evaluated. Raises ``UserFacing`` (E-TRUTH).
    """
    label = _label_file(path.absolute())
    if label is None or not label.parent.is_dir():
        return None
    classes = class_names(label.parent, root) or next((rule.classes for rule in rules if rule.classes), ())
    if not classes:
        raise truth_error(
            label.parent, None, "the classes have no names", "Write classes.txt beside it, one name a line."
        )
    boxes = read_boxes(label, classes) if label.is_file() else ()
    held = frozenset[str]().union(*(rule.held for rule in rules))
    things = {_thing(box.name, held) for box in boxes} - {None}
    return Truth(
        events=tuple(Event(thing=thing) for thing in sorted(filter(None, things))),
        complete=frozenset(filter(None, (_thing(name, frozenset()) for name in classes))),
        held=boxes,
        name=", ".join(dict.fromkeys(box.name for box in boxes)),
    )


def _label_file(path: Path) -> Path | None:
    """Return the file with a picture's boxes: the last folder ``images`` on its way becomes ``labels``."""
    parts = list(path.parts[:-1])
    if "images" not in parts:
        return None
    parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return Path(*parts, f"{path.stem}.txt")


def _thing(name: str, held: frozenset[str]) -> str | None:
    """Return which of our things a class is; ``None`` for what we do not look for."""
    plain = name.lower().replace("-", " ").replace("_", " ")
    thing = SAME.get(plain, plain.replace(" ", "_"))
    if thing in THINGS:
        return thing
    return "object_in_hand" if name in held else None
