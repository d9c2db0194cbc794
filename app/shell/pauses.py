"""Why the exam is covered: several reasons can hold at once, and it comes back when the last one is gone. Pure."""

from app.contract.session import Event
from app.shell.breaks import BREAK, BREAK_OVER

ORDER = ("pause", "guarantee_lost", "frozen", BREAK, BREAK_OVER)
"""The reason shown first; the names are those of ``text.COVER_LINES`` and of the events."""
STOPS_TIME = frozenset({"pause", "guarantee_lost", BREAK})
"""Not the candidate's doing, or agreed. While frozen it runs on, or pulling the plug would be a way to get more."""
EVENTS = {
    "pause": Event.PAUSE,
    "guarantee_lost": Event.GUARANTEE_LOST,
    "frozen": Event.FROZEN,
    BREAK: Event.PAUSE,
    BREAK_OVER: Event.PAUSE,
}


class Pauses:
    """The reasons that hold now, each with the examiner's words if there are any."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def add(self, reason: str, words: str = "") -> bool:
        """Note ``reason``; ``False`` if it held already."""
        is_new = reason not in self._reasons
        self._reasons[reason] = words
        return is_new

    def remove(self, reason: str) -> bool:
        """Forget ``reason``; ``False`` if it did not hold."""
        return self._reasons.pop(reason, None) is not None

    def clear(self) -> None:
        """Forget all."""
        self._reasons.clear()

    @property
    def first(self) -> tuple[str, str] | None:
        """The reason to show and its words."""
        return next(((name, self._reasons[name]) for name in ORDER if name in self._reasons), None)

    @property
    def why(self) -> str:
        """What the recorder is told: that a break lasts counts more there than what else covers the exam."""
        return BREAK if BREAK in self._reasons else next((name for name in ORDER if name in self._reasons), "")

    @property
    def stops_time(self) -> bool:
        """Whether the time stands still."""
        return bool(STOPS_TIME & set(self._reasons))
