"""How well a computer was locked, read from opened evidence and put into words. Pure; for reports at a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.contract.tiers import meaning


def last_standing(bodies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the last word on it with what its tier means; empty if the computer never was locked."""
    return {**bodies[-1], "meaning": meaning(str(bodies[-1].get("tier")))} if bodies else {}


def described(standing: Mapping[str, Any]) -> list[str]:
    """Return ``last_standing`` as lines for people. Another's words: anything may stand in a body."""
    if not standing:
        return []
    missing = standing.get("missing")
    pairs = sorted(missing.items()) if isinstance(missing, Mapping) else []
    return [
        f"Locked: tier {standing.get('tier')} on {standing.get('platform')}. {standing.get('meaning')}",
        *(f"  not taken for a testing centre's seat: {doubt}" for doubt in _listed(standing.get("doubts"))),
        f"  held: {', '.join(map(str, _listed(standing.get('holding')))) or 'nothing'}",
        *(f"  missing: {name}: {reason}" for name, reason in pairs),
    ]


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
