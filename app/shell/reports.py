"""Incidents and addresses that the shell saw, on their way to the recorder: kept while nobody records, never in floods.

GUI thread only; no Qt. What is said again and again (a page that asks for the same blocked picture) is said once in
``QUIET_S`` seconds, with the number of times it was left out.
"""

from collections import deque
from collections.abc import Callable, Mapping

from app.contract.incidents import IncidentKind, Severity
from app.contract.times import Clock, Instant
from app.messages import Report, Visited

QUIET_S = 10.0
WINDOW_S = 60.0
MOST_IN_WINDOW = 20
MOST_VISITS = 60
MOST_KEPT = 500

_Key = tuple[IncidentKind, tuple[tuple[str, str], ...]]


class Reports:
    """Sends reports once ``open`` said how; until then, and after ``hold``, keeps them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._send: Callable[[object], None] | None = None
        self._kept: deque[Report | Visited] = deque(maxlen=MOST_KEPT)
        self._last: dict[_Key, float] = {}
        self._left_out: dict[IncidentKind, int] = {}
        self._recent: dict[IncidentKind, deque[float]] = {}
        self._address = ""
        self._visits: deque[float] = deque(maxlen=MOST_VISITS)
        self._unsaid_visits = 0

    def open(self, send: Callable[[object], None]) -> None:
        """The recorder records: hand over what was kept, and everything from now on at once."""
        self._send = send
        while self._kept:
            send(self._kept.popleft())

    def hold(self) -> None:
        """The recorder is gone: keep reports for the next one."""
        self._send = None

    def forward(self, report: Report | Visited) -> None:
        """Pass on what another process saw, as it is."""
        if self._send is not None:
            self._send(report)
        else:
            self._kept.append(report)

    def note(
        self,
        kind: IncidentKind,
        facts: Mapping[str, str] | None = None,
        *,
        source: str = "shell",
        since: Instant | None = None,
        severity: Severity | None = None,
    ) -> None:
        """Report that ``kind`` happened now, or from ``since`` until now."""
        now = self._clock.now()
        said = dict(facts or {})
        if since is None and not self._is_news(kind, said, now.mono_ns / 1e9):
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            said["left_out"] = str(left_out)
        self.forward(
            Report(kind=kind, start=since or now, end=now, source=source, facts=said, severity=severity),
        )

    def visited(self, address: str) -> None:
        """Say that the exam page shows ``address``; again only after another, and at most ``MOST_VISITS`` a minute."""
        if address == self._address:
            return
        self._address = address
        now = self._clock.now()
        while self._visits and now.mono_ns / 1e9 - self._visits[0] > WINDOW_S:
            self._visits.popleft()
        if len(self._visits) >= MOST_VISITS:
            self._unsaid_visits += 1
            return
        self._visits.append(now.mono_ns / 1e9)
        left_out, self._unsaid_visits = self._unsaid_visits, 0
        self.forward(Visited(address=address, at=now, left_out=left_out))

    def _is_news(self, kind: IncidentKind, facts: Mapping[str, str], now_s: float) -> bool:
        key = (kind, tuple(sorted(facts.items())))
        recent = self._recent.setdefault(kind, deque(maxlen=MOST_IN_WINDOW))
        while recent and now_s - recent[0] > WINDOW_S:
            recent.popleft()
        last = self._last.get(key)
        if (last is not None and now_s - last < QUIET_S) or len(recent) >= MOST_IN_WINDOW:
            return False
        if len(self._last) > MOST_KEPT:
            self._last.clear()
        self._last[key] = now_s
        recent.append(now_s)
        return True
