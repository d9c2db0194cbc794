"""Which text console is shown, as the kernel says: switching away from ours is noticed however it was done.

The keys for it are off (``keys``), but ``chvt``, "switch user" and another login need none.
"""

from collections.abc import Sequence
from pathlib import Path

from app.contract.incidents import IncidentKind
from app.contract.times import Clock, Instant
from lockdown.capabilities import Finding, unsupported

ACTIVE = Path("/sys/class/tty/tty0/active")


class ConsoleWatch:
    """Reports that another console was shown, and for how long; a part of ``InputGuard``. The first one is ours."""

    def __init__(self, clock: Clock, active: Path = ACTIVE) -> None:
        self._clock = clock
        self._active = active
        self._ours = self._read()
        self._away: tuple[str, Instant] | None = None

    def observe(self) -> Sequence[Finding]:
        """Return a finding when another console is shown, and one when ours is again. Raises ``Unsupported``."""
        shown, now, before = self._read(), self._clock.now(), self._away
        if before is not None and shown != before[0]:
            name, since = before
            self._away = None if shown == self._ours else (shown, now)
            facts = {"console": name, "duration_ms": str(round(now.seconds_since(since) * 1000))}
            return (Finding(kind=IncidentKind.FOCUS_LOST, facts=facts, since=since),)
        if before is None and shown != self._ours:
            self._away = (shown, now)
            return (Finding(kind=IncidentKind.FOCUS_LOST, facts={"console": shown}, since=now),)
        return ()

    def _read(self) -> str:
        try:
            return self._active.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise unsupported("The system does not say which console is shown.") from problem
