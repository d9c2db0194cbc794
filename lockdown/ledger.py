"""The restore file's format: a head, then a line for each change in the order in which they were made. Pure.

Each line stands for itself, so that of a file that was torn or overwritten in part every whole line is still undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contract import schema
from app.contract.errors import IntegrityError
from lockdown.capabilities import Undo

VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first line. ``holder`` names who made the last change, ``changes`` counts the lines that follow."""

    version: int
    holder: str
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What could be read. ``damage`` says what could not, empty if the file is whole."""

    undos: tuple[Undo, ...] = ()
    holder: str = ""
    damage: str = ""


EMPTY = Ledger()
"""No file at all."""


def write(undos: Sequence[Undo], holder: str) -> bytes:
    """Return the content of the file."""
    head = Head(version=VERSION, holder=holder, changes=len(undos))
    return b"".join(schema.dumps(line) + b"\n" for line in (head, *undos))


def parse(data: bytes) -> Ledger:
    """Read a file; never raises: what can't be read is ``damage``, the rest is there."""
    first, *rest = data.split(b"\n")
    try:
        head = schema.loads(Head, first)
        damage = "" if head.version == VERSION else f"version {head.version} is not known"
    except IntegrityError as error:
        head, damage = Head(version=0, holder="", changes=0), str(error)
        rest = [first, *rest]  # a file without its head still has changes
    undos = []
    for line in rest:
        try:
            undos.append(schema.loads(Undo, line))
        except IntegrityError as error:
            damage = damage or (str(error) if line else "")
    if not damage and len(undos) != head.changes:
        damage = f"{len(undos)} of {head.changes} changes can be read"
    return Ledger(undos=tuple(undos), holder=head.holder, damage=damage)
