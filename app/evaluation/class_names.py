"""What the classes of a labelled folder are called: ``classes.txt`` or a ``data.yaml``, wherever exporters put them.

Pure apart from reading files. Of YAML it reads ``names:`` alone, in the spellings that are in use.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from app.evaluation.truth_formats import read_text

_PLAIN = ("classes.txt", "obj.names")
_YAML = ("data.yaml", "data.yml", "dataset.yaml")
_ABOVE = 3
"""Folders above the evaluated one that are asked, too: one may evaluate `valid` alone, or `valid/images`."""


def class_names(labels: Path, root: Path) -> tuple[str, ...]:
    """Return the names of the classes of the label files in ``labels``, in the order of their numbers; or none.

    The nearest file wins: in the folder of labels itself, then upwards to ``root`` and a little further.
    Raises ``UserFacing`` (E-TRUTH) for a file that is no text.
    """
    for folder in _upwards(labels.resolve(), root.resolve()):
        for name in (*_PLAIN, *_YAML):
            path = folder / name
            if path.is_file():
                text = read_text(path)
                names = _lines(text) if name in _PLAIN else names_in_yaml(text)
                if names:
                    return names
    return ()


def names_in_yaml(text: str) -> tuple[str, ...]:
    """Return ``names`` of a data.yaml: ``[a, b]``, ``{0: a, 1: b}``, a list, or numbers with names; or none."""
    flow = re.search(r"^names:\s*([\[{])(.*?)[\]}]", text, re.MULTILINE | re.DOTALL)
    if flow:
        parts = [part for part in flow[2].split(",") if part.strip()]
        return _numbered(parts) if flow[1] == "{" else tuple(_bare(part) for part in parts)
    block = re.search(r"^names:[^\n]*\n((?:[ \t]*(?:(?:-|\d+[ \t]*:).*|#.*)?\n?)+)", text, re.MULTILINE)
    lines = [line.strip() for line in block[1].splitlines()] if block else []
    lines = [line for line in lines if line and not line.startswith("#")]
    if lines and lines[0].startswith("-"):
        return tuple(_bare(line[1:]) for line in lines if line.startswith("-"))
    return _numbered(lines)


def _numbered(rows: list[str]) -> tuple[str, ...]:
    """Return the names of rows ``number: name`` in the order of their numbers; numbers left out have no name."""
    named = {
        int(number): _bare(name)
        for number, _, name in (row.partition(":") for row in rows)
        if re.fullmatch(r"[0-9]{1,4}", number.strip())
    }
    return tuple(named.get(number, "") for number in range(max(named, default=-1) + 1))


def _bare(text: str) -> str:
    return text.partition(" #")[0].strip().strip("'\"")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _upwards(folder: Path, root: Path) -> Iterator[Path]:
    yield folder
    inside = len(folder.parts) - len(root.parts) if folder.is_relative_to(root) else 0
    yield from list(folder.parents)[: inside + _ABOVE]
