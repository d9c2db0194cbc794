"""Arithmetic of stretches of time, (start, end) in seconds. Pure."""

from collections.abc import Iterable

Span = tuple[float, float]


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return ``spans`` in order, those that overlap or touch as one; empty ones are left out."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


def length_s(spans: Iterable[Span]) -> float:
    """Return how long all together are; what several cover counts once."""
    return sum(end - start for start, end in joined(spans))


def common(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return what lies in both."""
    theirs = joined(others)
    return joined((max(start, begin), min(end, until)) for start, end in joined(some) for begin, until in theirs)


def outside_s(some: Iterable[Span], others: Iterable[Span]) -> float:
    """Return how much of ``some`` lies outside ``others``."""
    mine = joined(some)
    return length_s(mine) - length_s(common(mine, others))
