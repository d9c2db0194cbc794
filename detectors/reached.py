"""How often each detector really looked, and whether that is enough for what the policy wants. Pure, no clock.

Fed with every frame and chunk that reaches the detectors; time is the time on them. What a source did not yield is not
held against detection: numbers of frames that follow each other across a pause mean that there was nothing to see.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.contract.incidents import INCIDENTS, Incident, IncidentKind
from app.contract.times import Instant
from capture.frames import AudioChunk, Frame

EVERY_S = 60.0
CHANGE_S = 10.0
CHANGED = 1.3
"""By this factor must an allowed rate change to be told before the minute is over."""
WINDOW_S = 10.0
ENOUGH = 0.8
"""Share of the needed rate that still counts as enough."""
PAUSE_S = 2.0
LISTENING = "speech"
LEAST_HEARD = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What was reached in the ``seconds`` before ``at``: looks per second by detector, and what was allowed last.

    ``rested`` are turns left out because nothing moved, ``core`` is the share of one processor core that looking took,
    ``heard`` the share of the sound that was listened to (``None`` without a microphone).
    """

    at: Instant
    seconds: float
    reached: Mapping[str, float]
    allowed: Mapping[str, float]
    rested: int
    core: float
    heard: float | None
    why: str


@dataclass(slots=True)
class _Shortfall:
    """One detector's windows of ``WINDOW_S``: how many turns it took, and the incident while they are too few."""

    since: Instant
    turns: int = 0
    poor: Instant | None = None
    id: str | None = None


class Reached:
    """Counts looks. ``needed`` is the least rate by detector, in looks per second."""

    def __init__(self, needed: Mapping[str, float], new_id: Callable[[], str]) -> None:
        self._needed, self._new_id = dict(needed), new_id
        self._shortfalls: dict[str, _Shortfall] = {}
        self._since: Instant | None = None
        self._last: Frame | None = None
        self._told: Mapping[str, float] = {}
        self._next_chunk: int | None = None
        self._start_over()

    def look(self, name: str, cpu_s: float) -> None:
        """Note a look of ``name`` and its CPU time."""
        self._looks[name] += 1
        self._cpu_s += cpu_s
        self._turn(name)

    def rest(self, name: str) -> None:
        """Note a turn that was left out because nothing moved."""
        self._rested += 1
        self._turn(name)

    def count_only(self, alive: Callable[[str], bool]) -> None:
        """Expect no more looks of detectors that were left out; that was told as an incident of its own."""
        self._needed = {name: rate for name, rate in self._needed.items() if alive(name)}

    def hear(self, chunk: AudioChunk) -> None:
        """Note a chunk; what is missing before it by its number was dropped unheard."""
        if self._next_chunk is not None and chunk.seq > self._next_chunk:
            self._unheard += (chunk.seq - self._next_chunk) * len(chunk.pcm) / chunk.rate
        self._next_chunk = chunk.seq + 1
        self._heard += len(chunk.pcm) / chunk.rate

    def frame(self, frame: Frame, allowed: Mapping[str, float], why: str) -> tuple[Rates | None, list[Incident]]:
        """Take the next frame, before anybody looks at it; return what is to be told."""
        last, self._last = self._last, frame
        if last is None or self._since is None or _nothing_to_see(last, frame):
            self._shortfalls.clear()
            self._since, self._told = frame.at, dict(allowed)
            self._start_over()
            return None, []
        changes = [self._judge(name, frame.at, why) for name in self._needed]
        seconds = frame.at.seconds_since(self._since)
        if seconds < EVERY_S and not (seconds >= CHANGE_S and self._changed(allowed)):
            return None, [one for one in changes if one is not None]
        rates = self._rates(frame.at, seconds, allowed, why)
        self._since, self._told = frame.at, dict(allowed)
        self._start_over()
        return rates, [one for one in changes if one is not None]

    def _start_over(self) -> None:
        self._looks: Counter[str] = Counter()
        self._rested, self._cpu_s = 0, 0.0
        self._heard, self._unheard = 0.0, 0.0

    def _turn(self, name: str) -> None:
        if name in self._shortfalls:
            self._shortfalls[name].turns += 1

    def _changed(self, allowed: Mapping[str, float]) -> bool:
        pairs = ((rate, self._told.get(name, rate)) for name, rate in allowed.items())
        return any(max(pair) > CHANGED * min(pair) for pair in pairs)

    def _rates(self, at: Instant, seconds: float, allowed: Mapping[str, float], why: str) -> Rates:
        sound = self._heard + self._unheard
        return Rates(
            at=at,
            seconds=seconds,
            reached={name: self._looks[name] / seconds for name in allowed},
            allowed=dict(allowed),
            rested=self._rested,
            core=self._cpu_s / seconds,
            heard=self._heard / sound if sound else None,
            why=why,
        )

    def _judge(self, name: str, at: Instant, why: str) -> Incident | None:
        """Look at the windows of one detector; two poor ones in a row are an incident, a good one is its end."""
        window = self._shortfalls.setdefault(name, _Shortfall(at))
        seconds = at.seconds_since(window.since)
        if seconds < WINDOW_S:
            return None
        rate, began = window.turns / seconds, window.since
        window.since, window.turns = at, 0
        if rate >= ENOUGH * self._needed[name]:
            identity, window.id = window.id, None
            start, window.poor = window.poor, None
            return self._incident(name, identity, start, at, rate, "went on") if identity and start else None
        if window.poor is None:
            window.poor = began
            return None
        if window.id is not None:
            return None
        window.id = self._new_id()
        return self._incident(name, window.id, window.poor, at, rate, why or "the computer can't keep up")

    def _incident(self, name: str, identity: str, start: Instant, end: Instant, rate: float, state: str) -> Incident:
        kind = IncidentKind.DETECTION_DEGRADED
        return Incident(
            id=identity,
            kind=kind,
            start=start,
            end=end,
            severity=INCIDENTS[kind].severity,
            source=name,
            facts={
                "detector": name,
                "looks_per_s": f"{rate:.2f}",
                "needed_per_s": f"{self._needed[name]:.2f}",
                "state": state,
            },
        )


def _nothing_to_see(last: Frame, frame: Frame) -> bool:
    """Whether the source, not the detectors, paused between these two frames (or began anew)."""
    return frame.seq < last.seq or (frame.seq <= last.seq + 1 and frame.at.seconds_since(last.at) > PAUSE_S)
