"""Many findings of one kind told as a few and a number: a thousand programs at once must not break the guard's channel.

Between the guard's watches, in whose threads ``tell`` is called, and the shell. Nothing that follows from a finding
(closing a program) waits for its telling.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding

WINDOW_S = 10.0
MOST = 40
"""Findings of one kind that are told one by one within ``WINDOW_S``; all kinds of programs together are less than what
the channel carries at once."""
NAMES = 10


@dataclass(slots=True)
class _Window:
    """What came of one kind since ``began``; ``last`` is the latest that was not told by itself."""

    began: Instant
    told: int = 0
    held: int = 0
    names: set[str] = field(default_factory=set)
    last: tuple[Finding, Capability] | None = None


class Crowds:
    """Passes findings to ``tell``, and of a crowd the rest as one finding with their number and some names."""

    def __init__(self, tell: Callable[[Finding, Capability], None], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[IncidentKind, _Window] = {}

    def tell(self, finding: Finding, capability: Capability) -> None:
        """Tell, now or with others of its kind; raises what ``tell`` raises."""
        now = self._clock.now()
        with self._lock:
            window = self._windows.get(finding.kind)
            over = window is not None and now.seconds_since(window.began) >= WINDOW_S
            rest = _rest(window) if window is not None and over else None
            if window is None or over:
                window = self._windows[finding.kind] = _Window(now)
            alone = window.told < MOST
            if alone:
                window.told += 1
            else:
                _hold(window, finding, capability)
        for each in (rest, (finding, capability) if alone else None):
            if each is not None:
                self._tell(*each)

    def flush(self, *, everything: bool = False) -> None:
        """Tell what was held in windows that are over, or in all of them."""
        now = self._clock.now()
        with self._lock:
            over = [
                kind
                for kind, window in self._windows.items()
                if everything or now.seconds_since(window.began) >= WINDOW_S
            ]
            rests = [_rest(self._windows.pop(kind)) for kind in over]
        for rest in rests:
            if rest is not None:
                self._tell(*rest)


def _hold(window: _Window, finding: Finding, capability: Capability) -> None:
    window.held += 1
    window.last = (finding, capability)
    if (name := finding.facts.get("name")) and len(window.names) < NAMES:
        window.names.add(name)


def _rest(window: _Window) -> tuple[Finding, Capability] | None:
    if window.last is None:
        return None
    finding, capability = window.last
    facts = {"further": str(window.held)}
    if window.names:
        facts["names"] = ", ".join(sorted(window.names))
    return replace(finding, facts=facts), capability
