"""Readers of truth that stands in files of its own: event CSV, RTTM with UEM, YOLO boxes. Pure apart from reading.

``docs/recording-kit.md`` describes them. RTTM and UEM are as NIST's Rich Transcription (2009) defines them. Every fault
names file and line and says what to write instead.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.evaluation.truth import HEARD, SEEN, THINGS, Event, Held, truth_error

Span = tuple[float, float]

_ROUNDED = 0.01
"""Labels are rounded, and some are drawn a hair over the picture's edge."""
UTTERANCE_PAUSE_S = 0.5
"""Two stretches of speech closer than this are one utterance."""


def read_text(path: Path) -> str:
    """Return a truth file's text; raises ``UserFacing`` (E-TRUTH)."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise truth_error(path, None, f"can't be read ({error})", "Save it as plain text in UTF-8.") from error


def read_events(path: Path) -> tuple[tuple[Event, ...], frozenset[str]]:
    """Return the events of ``NAME.events.csv`` and what it is the whole truth of.

    Columns ``kind,start_s,end_s`` and any further ones, which are groups. A first line ``# complete: phone, book``
    limits what the file is the whole truth of; by default that is everything that can be seen and heard.
    """
    complete = SEEN | HEARD
    lines = read_text(path).splitlines()
    if lines and lines[0].startswith("#"):
        head, _, names = lines[0].lstrip("# ").partition(":")
        if head.strip() == "complete":
            complete = frozenset(_thing(path, 1, name.strip()) for name in names.split(",") if name.strip())
        lines[0] = ""
    rows = read_rows(path, lines)
    start = next((index for index, row in enumerate(rows) if row), None)
    columns = [name.strip() for name in rows[start]] if start is not None else []
    if start is None or columns[:3] != ["kind", "start_s", "end_s"]:
        raise truth_error(path, 1, "the columns are not kind,start_s,end_s", "Write them as the first line.")
    events = [_event(path, line, columns, row) for line, row in enumerate(rows[start + 1 :], start + 2) if any(row)]
    return tuple(events), complete


def read_rows(path: Path, lines: Sequence[str], *, delimiter: str = ",", quoted: bool = True) -> list[list[str]]:
    """Return the cells of ``lines``, which stand in ``path``; ``quoted``: quotes may hold a delimiter."""
    try:
        return list(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE))
    except csv.Error as error:
        raise truth_error(path, None, f"not a table: {error}", "Save it as a table of plain text (CSV).") from error


def _event(path: Path, line: int, columns: Sequence[str], row: Sequence[str]) -> Event:
    if len(row) != len(columns):
        raise truth_error(path, line, f"{len(row)} values for {len(columns)} columns", "Give each column one value.")
    start_s, end_s = (_seconds(path, line, value) for value in row[1:3])
    if end_s <= start_s:
        raise truth_error(path, line, "the end is not after the start", "Swap the times or delete the line.")
    groups = {column: value.strip() for column, value in zip(columns[3:], row[3:], strict=True) if value.strip()}
    return Event(thing=_thing(path, line, row[0].strip()), start_s=start_s, end_s=end_s, groups=groups)


def _thing(path: Path, line: int, name: str) -> str:
    if name not in THINGS:
        raise truth_error(path, line, f"{name!r} is not known", f"Write one of {', '.join(THINGS)}.")
    return name


def _seconds(path: Path, line: int, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise truth_error(path, line, f"{value!r} is not a time in seconds", "Write seconds, for example 12.5.")
    return seconds


def read_rttm(path: Path) -> Mapping[str, tuple[Span, ...]]:
    """Return the stretches of speech by recording: those of all speakers, overlaps merged."""
    spans: dict[str, list[Span]] = {}
    for line, text in enumerate(read_text(path).splitlines(), 1):
        fields = text.split()
        if not fields or fields[0] != "SPEAKER":
            continue  # RTTM has other rows, which say nothing about speech
        if len(fields) < 5:
            raise truth_error(
                path, line, "a SPEAKER row has at least five fields", "Write file, channel, start, length."
            )
        start_s, length_s = _seconds(path, line, fields[3]), _seconds(path, line, fields[4])
        spans.setdefault(fields[1], []).append((start_s, start_s + length_s))
    return {name: merged(found, 0.0) for name, found in spans.items()}


def read_uem(path: Path) -> Mapping[str, tuple[Span, ...]]:
    """Return the annotated regions by recording: rows of (file, channel, start, end)."""
    regions: dict[str, list[Span]] = {}
    for line, text in enumerate(read_text(path).splitlines(), 1):
        fields = text.split()
        if not fields or fields[0].startswith(";"):
            continue
        if len(fields) != 4:
            raise truth_error(path, line, f"{len(fields)} fields, not four", "Write file, channel, start, end.")
        regions.setdefault(fields[0], []).append((_seconds(path, line, fields[2]), _seconds(path, line, fields[3])))
    return {name: merged(found, 0.0) for name, found in regions.items()}


def merged(spans: Sequence[Span], pause_s: float) -> tuple[Span, ...]:
    """Return ``spans`` in order, those that overlap or lie at most ``pause_s`` apart as one."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1] + pause_s:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return tuple(whole)


def read_boxes(path: Path, classes: Sequence[str]) -> tuple[Held, ...]:
    """Return the boxes of one YOLO label file: class, centre x, centre y, width, height (shares of the side).

    A row with three or more points (class x y x y x y …), for segments and turned boxes, becomes the box around them.
    """
    boxes: list[Held] = []
    for line, text in enumerate(read_text(path).splitlines(), 1):
        fields = text.split()
        if not fields:
            continue
        try:
            index, box = int(fields[0]), _corners([float(field) for field in fields[1:]])
        except ValueError:
            raise truth_error(path, line, "not a class and four numbers", "Write class x y width height.") from None
        if not 0 <= index < len(classes):
            raise truth_error(path, line, f"class {index} has no name", "Name each class in classes.txt, one a line.")
        if not all(-_ROUNDED <= side <= 1 + _ROUNDED for side in box) or box[0] >= box[2] or box[1] >= box[3]:
            raise truth_error(path, line, "a box outside the picture", "Write shares of the picture's side, 0 to 1.")
        boxes.append(Held(name=classes[index], box=box))
    return tuple(boxes)


def _corners(shares: Sequence[float]) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of a middle with a size, or around points. Raises ``ValueError``."""
    if len(shares) == 4:
        x, y, width, height = shares
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if len(shares) < 6 or len(shares) % 2:
        raise ValueError("neither a box nor points")
    across, down = shares[::2], shares[1::2]
    return min(across), min(down), max(across), max(down)
