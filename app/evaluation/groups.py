"""Recall and false alarms by group, so that nobody is found less, or flagged more, than others. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.evaluation.bounds import poisson, wilson
from app.evaluation.cells import Rows, bounds, share
from app.evaluation.result import Result
from app.evaluation.scoring import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Of one thing what happened where ``column`` is ``value``.

    Events have the groups of their own row and of their recording; false alarms and ``seconds`` (in which one would
    have been false) only the recording's, since a row says nothing of the time outside it.
    """

    column: str
    value: str
    events: int
    found: int
    false: int
    seconds: float


def by_group(one: Score) -> Iterator[Group]:
    """Yield what is known for each group, in the order of the alphabet."""
    events: dict[tuple[str, str], list[bool]] = {}
    for judged in one.events:
        for group in judged.groups.items():
            events.setdefault(group, []).append(judged.found is not None)
    for column, value in sorted({*events, *one.group_s}):
        found = events.get((column, value), [])
        yield Group(
            column=column,
            value=value,
            events=len(found),
            found=sum(found),
            false=sum(alarm.recording.truth.groups.get(column) == value for alarm in one.false),
            seconds=one.group_s.get((column, value), 0.0),
        )


def groups_table(result: Result) -> Rows:
    """Return a row for each thing and group; false alarms an hour for videos and sound alone."""
    rows: Rows = [
        ("thing", "column", "group", "events", "found", "recall", "95 %", "false", "hours", "false/h", "95 %")
    ]
    for scores in (result.events, result.stills):
        for one in scores.values():
            for group in by_group(one):
                hours = group.seconds / 3600 if scores is result.events else 0.0
                rows.append(
                    (
                        one.thing,
                        group.column,
                        group.value,
                        str(group.events),
                        str(group.found),
                        share(group.found, group.events),
                        bounds(wilson(group.found, group.events)),
                        str(group.false) if group.seconds else "",
                        f"{hours:.3f}" if hours else "",
                        f"{group.false / hours:.1f}" if hours else "",
                        bounds(poisson(group.false, hours)),
                    )
                )
    return rows
