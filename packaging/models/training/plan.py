"""Decides which classes are trained: those that can be tested on other people than they were learnt from.

Classes keep the numbers that they have in the model we start from; new ones come after them. A class whose boxes come
from one group only is left out, since nothing could say afterwards what was learnt: the object, or that person's room.
Pure; runs where models are made, never in the product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.groups import Member, Split
from training.refusals import BadData

OTHER = "wallet_or_other_held_object"
TRAINABLE = ("cell phone", "headphones", OTHER)
"""What is learnt unless told otherwise; everything else stays as the model has it."""

_MODEL_NAMES = {
    "phone": "cell phone",
    "smartphone": "cell phone",
    "mobile phone": "cell phone",
    "headphones_or_earbuds": "headphones",
    "headphone": "headphones",
    "wallet": OTHER,
    "airpods": OTHER,
    "case": OTHER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``names`` of all classes, the numbers of those ``trained``, why others are ``left_out``, which are ``added``."""

    names: tuple[str, ...]
    trained: tuple[int, ...]
    left_out: Mapping[str, str]
    added: tuple[str, ...] = ()

    def number(self, label: str) -> int | None:
        """Return the number of a class of the data if it is trained."""
        name = model_name(label)
        number = self.names.index(name) if name in self.names else -1
        return number if number in self.trained else None

    def judged(self, member: Member) -> tuple[bool, ...]:
        """Return for each class of ``names`` whether an empty place in this picture teaches that it is not there."""
        known = None if member.labelled is None else {model_name(label) for label in member.labelled}
        return tuple(
            number in self.trained and (known is None or name in known) for number, name in enumerate(self.names)
        )


def model_name(label: str) -> str:
    """Return what the model calls a class of the data; wallets, cases and the like are one class."""
    return _MODEL_NAMES.get(label.strip().lower(), label.strip().lower())


def make_plan(model_names: Sequence[str], parts: Split, *, wanted: Sequence[str] = TRAINABLE) -> Plan:
    """Return the plan for a model that knows ``model_names``. Raises ``BadData`` if nothing can be learnt."""
    learnt, tested = _groups_by_class(parts.train), _groups_by_class(parts.test)
    names, trained, left_out = list(model_names), [], {}
    for name in dict.fromkeys(model_name(label) for label in wanted):
        if name not in learnt or name not in tested:
            left_out[name] = _reason(name in learnt, name in tested)
            continue
        if name not in names:
            names.append(name)
        trained.append(names.index(name))
    if not trained:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise BadData(f"No class can be learnt and tested ({reasons}). Add pictures of other people, with boxes.")
    return Plan(
        names=tuple(names), trained=tuple(sorted(trained)), left_out=left_out, added=tuple(names[len(model_names) :])
    )


def _groups_by_class(members: Sequence[Member]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for member in members:
        for box in member.picture.boxes:
            found.setdefault(model_name(box.label), set()).add(member.group)
    return found


def _reason(learnt: bool, tested: bool) -> str:
    if learnt:
        return "only groups that are trained on show it"
    return "only groups that are tested on show it" if tested else "no picture has a box of it"
