"""The report as text for a terminal. Pure; the document and the page with pictures show the same otherwise."""

from collections.abc import Sequence

from app.evaluation.bounds import poisson, wilson
from app.evaluation.cells import Rows, bounds, share
from app.evaluation.groups import groups_table
from app.evaluation.result import Result
from app.evaluation.scoring import Score

_EVENT_COLUMNS = (
    "thing", "least s", "events", "found", "recall", "95 %", "noticed", "brief",
    "false", "hours", "false/h", "95 %", "honest false", "honest h", "outside s", "delay s, median", "longest",
)  # fmt: skip


def text_report(result: Result) -> str:
    """Return all tables."""
    parts = [
        _head(result),
        "Events in videos and sound",
        table(events_table(list(result.events.values()))),
        f"Still pictures, each held for {result.hold_s:g} s",
        table(held_table(list(result.stills.values()))),
        "Still pictures at one look",
        table(looks_table(result)),
        "Still pictures by what they show (pictures called so at one look; incidents when held)",
        table(stills_table(result)),
        "Recall and false alarms by group",
        table(groups_table(result)),
        "CPU time",
        table(costs_table(result)),
    ]
    if result.chosen.unplayed:
        parts += ["Not played", table(unplayed_table(result))]
    return "\n\n".join(parts) + "\n"


def _head(result: Result) -> str:
    models = "\n".join(f"  {task}: {model.title} {model.sha256[:12]}…" for task, model in result.models.items())
    refused = "".join(f"\n  {task}: not run: {why}" for task, why in result.refused.items())
    policy = ", ".join(result.differences) or "the default"
    stopped = f", {result.chosen.left_out} more were not played" if result.chosen.left_out else ""
    filtered = f"\n{result.chosen}" if str(result.chosen) else ""
    played = f"{result.folder}: {len(result.replays)} recordings{stopped}{filtered}"
    return f"{played}\nmodels:\n{models}{refused}\npolicy: {policy}"


def events_table(scores: Sequence[Score]) -> Rows:
    """Return a row for each thing, below a row of names."""
    rows: Rows = [_EVENT_COLUMNS]
    for one in scores:
        hours, honest = one.seconds / 3600, one.honest_s / 3600
        delays = one.delays
        rows.append(
            (
                one.thing,
                f"{one.least_s:g}",
                str(len(one.events)),
                str(one.found),
                share(one.found, len(one.events)),
                bounds(wilson(one.found, len(one.events))),
                str(one.noticed),
                str(one.brief),
                str(len(one.false)),
                f"{hours:.3f}",
                f"{len(one.false) / hours:.1f}" if hours else "",
                bounds(poisson(len(one.false), hours)),
                str(one.honest_false),
                f"{honest:.3f}",
                f"{one.outside_s:.1f}",
                f"{delays[len(delays) // 2]:.1f}" if delays else "",
                f"{delays[-1]:.1f}" if delays else "",
            )
        )
    return rows


def held_table(scores: Sequence[Score]) -> Rows:
    """Return a row for each thing: of pictures that show it those that raise it, and of those that do not.

    Pictures of what the incident is also right for (a phone in a hand is an object in a hand) are neither.
    """
    rows: Rows = [("thing", "show it", "found", "recall", "95 %", "noticed", "do not", "false", "share", "95 %")]
    for one in scores:
        total, without = len(one.events), one.without
        wrong = len({false.recording.name for false in one.false})
        rows.append(
            (
                one.thing,
                str(total),
                str(one.found),
                share(one.found, total),
                bounds(wilson(one.found, total)),
                str(one.noticed),
                str(without),
                str(wrong),
                share(wrong, without),
                bounds(wilson(wrong, without)),
            )
        )
    return rows


def looks_table(result: Result) -> Rows:
    """Return a row for each thing that one look at a still picture may say."""
    rows: Rows = [
        ("thing", "show it", "called so", "recall", "95 %", "in place", "do not", "called so", "precision", "95 %")
    ]
    for one in result.looks:
        called = one.right + one.wrong
        rows.append(
            (
                one.thing,
                str(one.there),
                str(one.right),
                share(one.right, one.there),
                bounds(wilson(one.right, one.there)),
                str(one.placed),
                str(one.absent),
                str(one.wrong),
                share(one.right, called),
                bounds(wilson(one.right, called)),
            )
        )
    return rows


def stills_table(result: Result) -> Rows:
    """Return a row for each name of still pictures: how many were called what."""
    labels = sorted({label for row in result.named for label in row.said})
    raised = sorted({thing for row in result.named for thing in row.raised})
    rows = [("shows", "pictures", *labels, *(f"{thing} raised" for thing in raised))]
    rows += [
        (
            row.name,
            str(row.pictures),
            *(str(row.said.get(label, 0)) for label in labels),
            *(str(row.raised.get(thing, 0)) for thing in raised),
        )
        for row in result.named
    ]
    return rows


def unplayed_table(result: Result) -> Rows:
    """Return a row for each recording that could not be played."""
    return [("recording", "why"), *sorted(result.chosen.unplayed.items())]


def costs_table(result: Result) -> Rows:
    """Return a row for each detector."""
    rows: Rows = [("detector", "looks", "ms a look", "seconds heard", "ms a second of sound")]
    for name, cost in sorted(result.costs.items()):
        look = f"{cost.milliseconds / cost.looks:.1f}" if cost.looks else ""
        heard = f"{cost.milliseconds / cost.heard_s:.1f}" if cost.heard_s else ""
        rows.append((name, str(cost.looks or ""), look, f"{cost.heard_s:.0f}" if cost.heard_s else "", heard))
    return rows


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return aligned columns, or a word where there is nothing but names of columns."""
    if len(rows) < 2:
        return "  nothing"
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
