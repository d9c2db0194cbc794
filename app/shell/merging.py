"""Makes few reports of many refusals, so that a page can't flood the journal nor hide one attempt among thousands.

Pure but for the clock it is handed; GUI thread. The first refusal of its kind and origin is reported at once, with its
address. What follows within ``WINDOW_S`` is counted and reported once at the end, also when nothing more happens.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.contract.incidents import IncidentKind
from app.contract.times import Clock

WINDOW_S = 10.0
MOST_BUCKETS = 16
"""Origins told apart in one window and kind; all others share one count, named ``OTHERS``."""
OTHERS = "many others"

_Key = tuple[IncidentKind, str, str]
OnIncident = Callable[[IncidentKind, dict[str, str]], None]


@dataclass(slots=True)
class _Bucket:
    since_s: float
    facts: dict[str, str] = field(default_factory=dict)
    more: int = 0


class Merging:
    """Between the page and the reports. ``flush`` must be called now and then; each call costs nothing when idle."""

    def __init__(self, report: OnIncident, clock: Clock) -> None:
        self._report = report
        self._clock = clock
        self._buckets: dict[_Key, _Bucket] = {}

    def add(self, kind: IncidentKind, facts: dict[str, str]) -> None:
        """Report a refusal, or count it if one like it was reported just now."""
        now_s = self._clock.now().mono_ns / 1e9
        key = (kind, _origin(facts.get("address", "")), facts.get("why") or facts.get("permission", ""))
        bucket = self._buckets.get(key)
        if bucket is None and sum(known[0] is kind for known in self._buckets) >= MOST_BUCKETS:
            key, facts = (kind, OTHERS, ""), {"address": OTHERS}
            bucket = self._buckets.get(key)
        if bucket is None:
            self._buckets[key] = _Bucket(since_s=now_s, facts=facts)
            self._report(kind, facts)
        else:
            bucket.more += 1

    def flush(self, *, everything: bool = False) -> None:
        """Report the counts of windows that are over, or of all of them."""
        now_s = self._clock.now().mono_ns / 1e9
        for key, bucket in list(self._buckets.items()):
            if not everything and now_s - bucket.since_s < WINDOW_S:
                continue
            del self._buckets[key]
            if bucket.more:
                facts = bucket.facts | ({"address": key[1]} if key[1] else {})
                self._report(key[0], facts | {"count": str(bucket.more)})


def _origin(address: str) -> str:
    """Return scheme and host of an address, or the scheme alone where there is no host (``data:``, ``mailto:``)."""
    scheme, separator, behind = address.partition("://")
    return f"{scheme}://{behind.partition('/')[0]}" if separator else address.partition(":")[0]
