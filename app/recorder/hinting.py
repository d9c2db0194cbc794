"""Hints for the candidate during the exam: which, when, and how often. Called in the detection thread.

A hint must hold for some seconds before it is said; at most one is said in a minute, and the same one not again for
five. Each is written down as quality, with whether it was said and why not; none is an incident.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.contract.hints import Hint
from app.contract.times import Instant

LASTS_S = 5.0
"""Somebody bends down or passes through the light; only what stays is worth a word."""
SHARE = 0.7
"""Share of the looks in ``LASTS_S`` that show it; below ``OVER`` it is over."""
OVER = 0.3
LEAST_LOOKS = 3
SAID_EVERY_S = 60.0
SAME_EVERY_S = 300.0
MOST_LOOKS = 64


@dataclass(slots=True)
class _State:
    """One hint: in which of the newest looks it was seen, whether it holds, when it was last said."""

    seen: deque[tuple[Instant, bool]] = field(default_factory=lambda: deque(maxlen=MOST_LOOKS))
    holds: bool = False
    said: Instant | None = None


class Hinting:
    """``say`` hands a hint on and answers whether a page is there to show it; ``write`` writes into the journal."""

    def __init__(self, say: Callable[[Hint], bool], write: Callable[[Mapping[str, str]], object]) -> None:
        self._say, self._write = say, write
        self._states = {hint: _State() for hint in Hint}
        self._said: Instant | None = None

    def look(self, at: Instant, counts: Mapping[str, int]) -> None:
        """Take one look of the detector of faces: ``counts`` by label, of which some are hints."""
        for hint, state in self._states.items():
            state.seen.append((at, counts.get(hint.value, 0) > 0))
            while at.seconds_since(state.seen[0][0]) > LASTS_S:
                state.seen.popleft()
            self._judge(at, hint, state)

    def _judge(self, at: Instant, hint: Hint, state: _State) -> None:
        share = sum(seen for _, seen in state.seen) / len(state.seen)
        whole = at.seconds_since(state.seen[0][0]) >= 0.7 * LASTS_S and len(state.seen) >= LEAST_LOOKS
        if not state.holds and whole and share >= SHARE:
            state.holds = True
            self._write({"picture": hint.value, "state": "began", "candidate": self._tell(at, hint, state)})
        elif state.holds and whole and share <= OVER:
            state.holds = False
            self._write({"picture": hint.value, "state": "over"})

    def _tell(self, at: Instant, hint: Hint, state: _State) -> str:
        """Say ``hint`` if it may be said; return in words what became of it."""
        lately = self._said is not None and at.seconds_since(self._said) < SAID_EVERY_S
        same = state.said is not None and at.seconds_since(state.said) < SAME_EVERY_S
        if lately or same:
            return "not told, a hint was lately"
        if not self._say(hint):
            return "not told, the exam was not running"
        self._said = state.said = at
        return "told"
