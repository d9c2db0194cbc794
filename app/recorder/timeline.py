"""The session's timeline: milliseconds since recording began, the same for every track and every epoch."""

from app.contract.times import Instant


class Timeline:
    """Maps instants to session time.

    Within one boot the monotonic clock decides. After a reboot it restarts near zero, so then the wall clock does.
    """

    def __init__(self, origin: Instant, now: Instant) -> None:
        mono_elapsed_ms = (now.mono_ns - origin.mono_ns) // 1_000_000
        wall_elapsed_ms = now.utc_ms - origin.utc_ms
        same_boot = mono_elapsed_ms >= 0 and abs(mono_elapsed_ms - wall_elapsed_ms) < 60_000
        elapsed_ms = mono_elapsed_ms if same_boot else max(0, wall_elapsed_ms)
        self.origin = Instant(mono_ns=now.mono_ns - elapsed_ms * 1_000_000, utc_ms=now.utc_ms - elapsed_ms)

    def at_ms(self, instant: Instant) -> int:
        """Return where ``instant`` lies on the timeline, never below zero."""
        return max(0, (instant.mono_ns - self.origin.mono_ns) // 1_000_000)

    def instant(self, at_ms: int) -> Instant:
        """Return the instant at ``at_ms`` on the timeline."""
        return Instant(mono_ns=self.origin.mono_ns + at_ms * 1_000_000, utc_ms=self.origin.utc_ms + at_ms)
