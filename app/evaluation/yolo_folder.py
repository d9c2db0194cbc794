"""Pictures in the layout of YOLO: ``images`` and ``labels`` beside each other, classes with names. Only reads."""

import re
from collections.abc import Sequence
from pathlib import Path

from app.evaluation.truth import THINGS, Event, Truth, truth_error
from app.evaluation.truth_formats import read_boxes, read_text
from app.evaluation.truth_rules import Rule

SAME = {"cell phone": "phone", "mobile phone": "phone", "smartphone": "phone"}
"""What other people's labels call our things."""


def boxes_beside(path: Path, rules: Sequence[Rule]) -> Truth | None:
    """Return what boxes say about a picture in the layout of YOLO; one without a label file holds none of them."""
    labels = path.parent.parent / "labels"
    if path.parent.name != "images" or not labels.is_dir():
        return None
    classes = _classes(path.parent.parent) or next((rule.classes for rule in rules if rule.classes), ())
    if not classes:
        raise truth_error(labels, None, "the classes have no names", "Write classes.txt beside it, one name a line.")
    label = labels / f"{path.stem}.txt"
    boxes = read_boxes(label, classes) if label.is_file() else ()
    held = frozenset[str]().union(*(rule.held for rule in rules))
    things = {_thing(box.name, held) for box in boxes} - {None}
    return Truth(
        events=tuple(Event(thing=thing) for thing in sorted(filter(None, things))),
        complete=frozenset(filter(None, (_thing(name, frozenset()) for name in classes))),
        held=boxes,
        name=", ".join(dict.fromkeys(box.name for box in boxes)),
    )


def _thing(name: str, held: frozenset[str]) -> str | None:
    """Return which of our things a class is; ``None`` for what we do not look for."""
    thing = SAME.get(name, name)
    if thing in THINGS:
        return thing
    return "object_in_hand" if name in held else None


def _classes(folder: Path) -> tuple[str, ...]:
    """Return the names in ``classes.txt`` (one a line) or ``data.yaml`` (``names:``, as a list of either form)."""
    plain, yaml = folder / "classes.txt", folder / "data.yaml"
    if plain.is_file():
        return tuple(line.strip() for line in read_text(plain).splitlines() if line.strip())
    if not yaml.is_file():
        return ()
    text = read_text(yaml)
    flow = re.search(r"^names:\s*\[([^\]]*)\]", text, re.MULTILINE)
    if flow:
        return tuple(name.strip(" '\"") for name in flow[1].split(","))
    block = re.search(r"^names:\s*\n((?:[ \t]*(?:-|\d+:).*\n?)+)", text, re.MULTILINE)
    lines = block[1].splitlines() if block else []
    return tuple(re.sub(r"^\s*(?:-|\d+:)\s*", "", line).strip(" '\"") for line in lines)
