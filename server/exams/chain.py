"""The chain of records as the server sees it: digests that name the digest before them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Walk:
    """What was met on the way from the head: how many records, and whether the way led to the genesis."""

    found: int
    whole: bool


def walk(previous: Mapping[bytes, bytes], *, head: bytes, genesis: bytes) -> Walk:
    """Follow the records from ``head`` back; ``previous`` maps each stored record to the one before it."""
    at, found = head, 0
    while at != genesis and at in previous and found < len(previous):
        at = previous[at]
        found += 1
    return Walk(found=found, whole=at == genesis)


def in_order(previous: Mapping[bytes, bytes], *, genesis: bytes) -> list[bytes]:
    """Return all stored records in the chain's order; runs whose beginning is missing follow, in the given order."""
    following = {before: record for record, before in previous.items()}
    ordered = _run(following, genesis)
    beginnings = [before for before in previous.values() if before not in previous and before != genesis]
    for before in beginnings:
        ordered += _run(following, before)
    placed = set(ordered)
    # Records that only follow each other in a circle can't be signed, but nothing stored may be left out.
    return ordered + [record for record in previous if record not in placed]


def _run(following: Mapping[bytes, bytes], start: bytes) -> list[bytes]:
    run: list[bytes] = []
    at = start
    while at in following and len(run) < len(following):
        at = following[at]
        run.append(at)
    return run
