"""``split.tsv``: which picture, of which group, stood on which side; written by ``train.py``, read by ``assess.py``.

Files are named from the folder of the data on, so that it does not matter from where, or how, the folder is named.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.folder import Picture
from training.groups import Split
from training.refusals import BadData

NAME = "split.tsv"
_HEAD = "side\tgroup\tfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One picture: its ``side`` (train or test), its group, and its file."""

    side: str
    group: str
    file: str


def write_split(out: Path, parts: Split, folder: Path) -> None:
    """Write the file into ``out`` for pictures below ``folder``."""
    rows = [("train", member) for member in parts.train] + [("test", member) for member in parts.test]
    lines = [f"{side}\t{member.group}\t{_named(member.picture.path, folder)}" for side, member in rows]
    (out / NAME).write_text("\n".join([_HEAD, *lines, ""]), "utf-8")


def read_split(made: Path) -> tuple[Row, ...]:
    """Read the file that lies in ``made``. Raises ``BadData``."""
    try:
        head, *lines = (made / NAME).read_text("utf-8").splitlines()
        rows = [line.split("\t") for line in lines]
        if head != _HEAD:
            raise ValueError(head)
        return tuple(Row(side=side, group=group, file=file) for side, group, file in rows)
    except (OSError, ValueError) as error:
        raise BadData(
            f"{made / NAME} is missing or damaged. Give the folder that train.py wrote, or train again."
        ) from error


def held_out(made: Path, folder: Path, everything: Sequence[Picture]) -> tuple[Picture, ...]:
    """Return those pictures of ``folder`` that were put on the test side. Raises ``BadData`` where one is gone."""
    wanted = {row.file for row in read_split(made) if row.side == "test"}
    kept = tuple(picture for picture in everything if _named(picture.path, folder) in wanted)
    if len(kept) != len(wanted):
        raise BadData(
            f"{len(wanted) - len(kept)} of {len(wanted)} pictures that were held out are not in {folder}. Give --data "
            "the folder that was trained on, or train again on the folder as it is."
        )
    return kept


def _named(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
