"""Since when this process could take a confirmation: its start, or the last moment at which the database failed it.

Silence before that says nothing about a candidate. Any thread may report, any may ask.
"""

from server.clock import Now


class Uptime:
    """Begins now, by ``now``, and again whenever the database did not take what was to be written."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._since_ms = now()

    @property
    def since_ms(self) -> int:
        """Milliseconds UTC; whoever is silent since then is silent indeed."""
        return self._since_ms

    def interrupt(self) -> None:
        """Note that what is heard now can't be written down. Hundreds of threads say so at once, with one result."""
        self._since_ms = self._now()
