"""``docs/accuracy.md``: what was measured, beside the goals, with sample sizes and what was not measured. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from app.evaluation.bounds import poisson, wilson
from app.evaluation.cells import bounds, share
from app.evaluation.goals import DELAY_S, GOALS, Goal, measuring_policy
from app.evaluation.groups import groups_table
from app.evaluation.result import Result
from app.evaluation.scoring import Score
from app.evaluation.text_report import (
    costs_table,
    held_table,
    looks_table,
    stills_table,
    unplayed_table,
)
from app.evaluation.truth import THINGS, Medium
from app.evaluation.unmeasured import unmeasured
from app.version import VERSION

_COLUMNS = (
    "thing", "goal: recall / false per h", "events", "found", "recall (95 %)", "noticed", "false",
    "hours without it (honest)", "false per h (95 %)", "outside s", "delay s: median, longest", "verdict",
)  # fmt: skip

_HEAD = """\
# Accuracy

Written by `{command}` (Fairlock {version}); do not edit.
[recording-kit.md](recording-kit.md) says how to record more, [data-sheet.md](data-sheet.md) what the detectors are
for. Truth that ships with the product is in `resources/evaluation/truth.toml`; what was seen by eye is marked there.
"""
_EXPLAINED = f"""
*Reached* and *not reached* are said only where the 95 % bounds lie on one side of the goal; else the sample is too
small to say. *Noticed* counts also what brings a reviewer to the place under another name (a phone called an object
in hand). *Hours without it* are those in which an incident would be false; *honest* ones hold no event at all.
*Outside*: for how many seconds incidents lasted beyond what is true, whether false or late to end. Delay is
from start and least duration to the first report (goal: {DELAY_S:g} s).
"""
_STILLS = """
No video: each picture is shown for as long, so nothing moves. It tells what is taken for what, not how an exam is.
*Do not*: pictures in which an incident would be false; one of a phone in a hand is none of them for an object in hand.
"""
_LOOK = """
At the first look, from the product's thresholds on; *in place*: on the box that was drawn by hand. What one look
says is never an incident.
"""
_SHOWN = """
By what they show: pictures in which one look says so, and pictures that raise an incident when held.
"""


def accuracy_document(result: Result, command: str) -> str:
    """Return the document; ``command`` is what was run."""
    return "\n".join(_lines(result, command)).rstrip() + "\n"


def _lines(result: Result, command: str) -> Iterator[str]:
    yield _HEAD.format(command=command, version=VERSION)
    yield from _markdown(
        [("task", "model", "sha256"), *((task, card.title, f"`{card.sha256}`") for task, card in result.models.items())]
    )
    yield from _settings(result)
    yield from ("", "## Goals and what was reached", "")
    yield from _markdown(_goals(result.events))
    yield from (_EXPLAINED, f"## Still pictures held for {result.hold_s:g} s", _STILLS)
    yield from _markdown(held_table(list(result.stills.values())))
    yield _LOOK
    yield from _markdown(looks_table(result))
    yield _SHOWN
    yield from _markdown(stills_table(result))
    if result.composed:
        yield from ("", "## Synthetic recordings", "", "Composed on a computer, not recorded; never counted above.", "")
        yield from _markdown(_goals(result.composed))
    yield from ("", "## Groups", "")
    yield from _markdown(groups_table(result))
    yield from ("", "## What was played", "")
    yield from _markdown(_played(result))
    yield from (
        "",
        "## Cost",
        "",
        "CPU time of one thread on the machine that wrote this; `make bench` has ratios.",
        "",
    )
    yield from _markdown(costs_table(result))
    if result.chosen.unplayed:
        yield from ("", "## Not played", "")
        yield from _markdown(unplayed_table(result))
    yield from ("", "## Not measured", "")
    yield from (f"- {line}" for line in unmeasured(result))


def _settings(result: Result) -> Iterator[str]:
    yield ""
    settings = ", ".join(result.differences)
    whole = ": everything on but `continuity`, durations as in the goals" if result.policy == measuring_policy() else ""
    yield f"Policy: the default{f' but for {settings} (in brackets the default){whole}' if settings else ''}."
    if str(result.chosen):
        yield from ("", str(result.chosen))
    for task, why in result.refused.items():
        yield ""
        yield f"Not run: {task}. {why}"


def _goals(scores: Mapping[str, Score]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [_COLUMNS]
    for thing in (*GOALS, *(str(name) for name in THINGS if name not in GOALS)):
        goal, one = GOALS.get(thing), scores.get(thing)
        if one is not None:
            rows.append(_row(one, goal))
        elif goal is not None:
            rows.append((f"{thing} ≥ {goal.least_s:g} s", _aim(goal), "0", *[""] * 8, "not measured"))
    return rows


def _row(one: Score, goal: Goal | None) -> tuple[str, ...]:
    hours, events = one.seconds / 3600, len(one.events)
    recall, rate = wilson(one.found, events), poisson(len(one.false), hours)
    delays = one.delays
    return (
        f"{one.thing} ≥ {one.least_s:g} s",
        _aim(goal) if goal else "",
        str(events),
        str(one.found),
        f"{share(one.found, events)} ({bounds(recall)})" if events else "",
        str(one.noticed),
        str(len(one.false)),
        f"{hours:.3f} ({one.honest_s / 3600:.3f})",
        f"{len(one.false) / hours:.1f} ({bounds(rate)})" if hours else "",
        f"{one.outside_s:.1f}",
        f"{delays[len(delays) // 2]:.1f}, {delays[-1]:.1f}" if delays else "",
        _verdict(recall, rate, goal),
    )


def _aim(goal: Goal) -> str:
    note = f"; {goal.note}" if goal.note else ""
    return f"{goal.recall:.2f} / {goal.false_per_hour:g}{note}"


def _verdict(recall: tuple[float, float] | None, rate: tuple[float, float] | None, goal: Goal | None) -> str:
    """Say of recall and of false events whether their bounds lie on one side of the goal."""
    if goal is None:
        return ""
    found = "recall: no event"
    if recall is not None:
        low, high = recall
        found = f"recall: {_side(low >= goal.recall, high < goal.recall)}"
    false = "false: not judged"
    if rate is not None:
        low, high = rate
        false = f"false: {_side(high <= goal.false_per_hour, low > goal.false_per_hour)}"
    return f"{found}; {false}"


def _side(good: bool, bad: bool) -> str:
    return "reached" if good else "not reached" if bad else "too few to say"


def _played(result: Result) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("recording", "s", "truth", "raised")]
    stills = 0
    for one in result.replays:
        truth = one.recording.truth
        if one.recording.medium is Medium.PICTURE:
            stills += 1
            continue
        raised = ", ".join(f"{raised.thing} {raised.start_s:.1f}–{raised.end_s:.1f}" for raised in one.raised)
        made = "; ".join(filter(None, (truth.made, truth.note))) or "none: what was raised is not judged"
        rows.append((one.recording.name, f"{one.seconds:.1f}", made, raised or "nothing"))
    return [*rows, (f"{stills} still pictures", "", "boxes, folders, lists", "see above")]


def _markdown(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if len(rows) < 2:
        yield "Nothing."
        return
    for index, row in enumerate(rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
        if index == 0:
            yield "|" + "---|" * len(row)
