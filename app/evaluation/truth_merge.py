"""How what several rules and files say of one recording becomes one truth. Pure."""

from collections.abc import Iterator, Sequence

from app.evaluation.truth import TOLERANCE_S, Event, Truth
from app.evaluation.truth_rules import Rule


def by_rules(rules: Sequence[Rule], shows: str) -> Truth:
    """Return what all ``rules`` together say of a recording of which a list says ``shows``."""
    groups: dict[str, str] = {}
    for rule in rules:
        groups |= rule.groups
    return Truth(
        events=_most_exact(rules, shows),
        complete=frozenset().union(*(rule.complete for rule in rules)),
        name=_last(rule.name for rule in rules),
        groups=groups,
        tolerance_s=min((rule.tolerance_s for rule in rules if rule.tolerance_s is not None), default=TOLERANCE_S),
        size=next((rule.size for rule in rules if rule.size is not None), None),
        synthetic=any(rule.synthetic for rule in rules),
        made="; ".join(dict.fromkeys(rule.made for rule in rules if rule.made)),
        note=_last(rule.note for rule in rules),
    )


def _most_exact(rules: Sequence[Rule], shows: str) -> tuple[Event, ...]:
    """Return the events of all rules, for each thing from the most exact kind of rule; what two say alike is one."""
    told = [(rule.exactness, event) for rule in rules for event in rule.told(shows)]
    best = {thing: max(rank for rank, event in told if event.thing == thing) for thing in {e.thing for _, e in told}}
    return tuple(
        {(event.thing, event.start_s, event.end_s): event for rank, event in told if rank == best[event.thing]}.values()
    )


def added(truth: Truth, more: Truth | None) -> Truth:
    """Return ``truth`` with what a file of its own says, which is exact: rules say nothing about the same things."""
    if more is None:
        return truth
    told = more.complete | {event.thing for event in more.events}
    return Truth(
        events=(*(event for event in truth.events if event.thing not in told), *more.events),
        complete=truth.complete | more.complete,
        held=more.held or truth.held,
        name=truth.name or more.name,
        groups=truth.groups,
        regions=more.regions or truth.regions,
        tolerance_s=truth.tolerance_s,
        size=truth.size,
        synthetic=truth.synthetic,
        made="; ".join(made for made in (truth.made, more.made) if made),
        note=truth.note,
    )


def _last(texts: Iterator[str]) -> str:
    """Return the last text that says something: a later rule is the more exact one."""
    return next((text for text in reversed(list(texts)) if text), "")
