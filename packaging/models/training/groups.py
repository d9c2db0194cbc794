"""Who is in which picture, so that nobody is on both sides of a split; and which classes were labelled there.

``groups.tsv``, a line for each kind of file, the first that matches counts::

    files          group   labelled              role
    oiphone_*.jpg  *       phone
    selfphone_*    man-1   phone                 test
    earmuff_*      man-2   headphones

``group`` names the person or the recording; ``*`` says that each file shows other people (photographs by many authors).
``labelled`` names the classes whose every instance has a box there, ``all`` for all; the others count as unknown, not
as absent. ``role`` is empty, ``train`` or ``test``. Pure; runs where models are made, never in the product.
"""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from training.folder import Picture, read_text
from training.refusals import BadData

HEAD = ["files", "group", "labelled", "role"]
EACH = "*"
ROLES = ("", "train", "test")
REFUSAL = """There is no {path}, so nobody knows who is in which picture. Pictures drawn at random would put the same
person, phone and room on both sides, and the figures would promise what no other room keeps. Write the file, with tabs:

files\tgroup\tlabelled\trole
{example}\tname of the person or recording\tall\t

A group "*" says that each file shows other people. Or name the file: GROUPS=file"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the file; ``labelled`` is ``None`` where all classes are."""

    files: str
    group: str
    labelled: frozenset[str] | None
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A picture with the group that it belongs to and the classes that were labelled in it (``None``: all)."""

    picture: Picture
    group: str
    labelled: frozenset[str] | None
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Two sets of pictures that share no group."""

    train: tuple[Member, ...]
    test: tuple[Member, ...]


def read_rules(path: Path, pictures: Sequence[Picture]) -> tuple[Rule, ...]:
    """Read ``groups.tsv``. Raises ``BadData``, which explains the file when it is missing."""
    if not path.is_file():
        example = f"{pictures[0].path.stem.split('_')[0]}_*" if pictures else "*"
        raise BadData(REFUSAL.format(path=path, example=example))
    lines = read_text(path).splitlines()
    rows = [row for row in csv.reader(lines, delimiter="\t") if row and not row[0].startswith("#")]
    if not rows or rows[0] != HEAD:
        raise BadData(f"{path} must begin with the line (with tabs): {' '.join(HEAD)}")
    return tuple(_rule(row, f"{path}, line {number}") for number, row in enumerate(rows[1:], 2))


def _rule(row: list[str], where: str) -> Rule:
    files, group, labelled, role = (*[cell.strip() for cell in row], "")[:4] if len(row) in {3, 4} else ("",) * 4
    if not files or not group or not labelled or role not in ROLES:
        raise BadData(f"{where}: files, group and labelled must be filled, and role be empty, train or test.")
    known = None if labelled == "all" else frozenset(name.strip() for name in labelled.split(","))
    return Rule(files=files, group=group, labelled=known, role=role)


def members(pictures: Iterable[Picture], rules: Sequence[Rule]) -> tuple[Member, ...]:
    """Give each picture its group. Raises ``BadData`` where no rule speaks of it, or its labels contradict the rule."""
    return tuple(_member(picture, rules) for picture in pictures)


def _member(picture: Picture, rules: Sequence[Rule]) -> Member:
    name = picture.path.name
    rule = next((rule for rule in rules if fnmatch(name, rule.files)), None)
    if rule is None:
        raise BadData(f"No line of groups.tsv speaks of {name}. Add one that says who is in it.")
    group = f"{EACH}{picture.path.stem}" if rule.group == EACH else rule.group
    return Member(picture=picture, group=group, labelled=rule.labelled, role=rule.role)


def split(everyone: Sequence[Member], *, seed: int, share: float = 0.2) -> Split:
    """Draw whole groups until the test side has ``share`` of the pictures; groups with a role stay where they are put.

    The same groups and seed give the same split on every machine. Raises ``BadData`` where one side would stay empty.
    """
    roles = {member.group: member.role for member in everyone}
    torn = {member.group for member in everyone if member.role != roles[member.group]}
    if torn:
        raise BadData(f"A group is on one side only; give one role to all files of: {', '.join(sorted(torn))}.")
    sizes: dict[str, int] = {}
    for member in everyone:
        sizes[member.group] = sizes.get(member.group, 0) + 1
    testing = {group for group, role in roles.items() if role == "test"}
    free = sorted((group for group, role in roles.items() if not role), key=lambda group: _lot(seed, group))
    for group in free:
        if sum(sizes[name] for name in testing) >= share * len(everyone):
            break
        testing.add(group)
    train = tuple(member for member in everyone if member.group not in testing)
    test = tuple(member for member in everyone if member.group in testing)
    if not train or not test:
        raise BadData(_one_sided(len(roles), nothing="trained on" if not train else "tested on"))
    return Split(train=train, test=test)


def _one_sided(groups: int, *, nothing: str) -> str:
    if groups == 1:
        return "All pictures are of one group. Add pictures of other people, or there is nothing to test on."
    return (
        f"With these {groups} groups nothing would be {nothing}. Change roles in groups.tsv or the share that is held "
        "out (--share), or add pictures of other people."
    )


def _lot(seed: int, group: str) -> str:
    return hashlib.sha256(f"{seed}:{group}".encode()).hexdigest()
