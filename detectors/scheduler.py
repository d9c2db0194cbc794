"""How often each detector looks: as often as the policy allows and this machine can afford. Pure, no clock.

Time is the time on the frames; what a look cost is told by whoever took it. The rules, in this order:

1. Never above the policy's rate, nor above what a detector can use (``PACES``).
2. All detectors of pictures together may cost ``BUDGET`` of one core, half of it on battery. The quick ones are served
   first, and none falls below its least rate.
3. When looks take more than twice their CPU time for ``BUSY_S``, the machine has better things to do: every rate is
   halved, down to what the policy's shortest incident needs, and comes back by a quarter each ``CALM_S``.
4. Where nothing moves and the last look showed one person and nothing else, objects wait for movement, at most
   ``STILL_S``.

Without ``adaptive`` only 1 and 4 hold, which depend on the pictures alone: the same frames give the same looks.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from app.contract.policy import Detection
from app.contract.times import Instant
from capture.frames import Frame
from detectors.bucket import TokenBucket
from detectors.motion import Motion
from detectors.streak import LEAST_HITS

BUDGET = 0.25
ON_BATTERY = 0.5
BUSY_RATIO = 2.0
BUSY_S = 5.0
CALM_S = 10.0
LEAST_FACTOR = 0.25
STILL_S = 2.0
STIRRED_S = 3.0
"""How long after a movement every turn is taken: the first picture of something new is often a blurred one."""
NEWEST = 0.2
"""Weight of the newest look in what a look costs."""
RAISED_MS = 1_000
"""An incident is to be told so soon after its least duration."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Looks per second: the most that is of use, and the least on a slow machine. ``rests`` where nothing moves."""

    most: float
    least: float
    rests: bool = False


PACES: Mapping[str, Pace] = {"objects": Pace(2.0, 0.5, rests=True), "faces": Pace(5.0, 1.0)}
OTHER = Pace(5.0, 0.5)


class Turn(Enum):
    """Whether it is a detector's turn; ``REST``: it would be, but nothing moved."""

    WAIT = auto()
    REST = auto()
    LOOK = auto()


@dataclass(slots=True)
class _Turns:
    """One detector's turns."""

    pace: Pace
    most: float
    bucket: TokenBucket
    cpu_s: float = 0.0
    motion: Motion = field(default_factory=Motion)
    usual: bool = False
    looked: Instant | None = None
    stirred: Instant | None = None


class Scheduler:
    """Says whose turn it is. ``why`` names what holds the rates down, if anything does."""

    def __init__(
        self,
        policy: Detection,
        detectors: Iterable[str],
        *,
        adaptive: bool = False,
        on_battery: Callable[[], bool] = lambda: False,
    ) -> None:
        ceiling = policy.rate_permille / 1000
        self._adaptive, self._on_battery = adaptive, on_battery
        self._needed = needed(policy)
        self._turns = {name: _turns(PACES.get(name, OTHER), ceiling) for name in detectors}
        self._factor = 1.0
        self._busy_since: Instant | None = None
        self._calm_since: Instant | None = None
        self.why = ""

    @property
    def order(self) -> tuple[str, ...]:
        """The detectors, those that look often first: a slow one then delays a quick one by one look at most."""
        return tuple(sorted(self._turns, key=lambda name: -self._turns[name].most))

    @property
    def rates(self) -> Mapping[str, float]:
        """Looks per second as they are allowed now."""
        return {name: turns.bucket.rate for name, turns in self._turns.items()}

    @property
    def needed(self) -> Mapping[str, float]:
        """Looks per second without which an incident is told too late, at most what the policy allows."""
        return {name: min(self._needed, turns.most) for name, turns in self._turns.items()}

    def turn(self, name: str, frame: Frame) -> Turn:
        """Say whether ``name`` is to look at ``frame``; a look and a rest count as its turn."""
        turns = self._turns[name]
        if not turns.bucket.take(frame.at):
            return Turn.WAIT
        if turns.pace.rests and self._may_rest(turns, frame):
            return Turn.REST
        turns.looked = frame.at
        turns.motion.keep()
        return Turn.LOOK

    def took(self, name: str, at: Instant, *, wall_s: float, cpu_s: float, usual: bool) -> None:
        """Note what the look at ``at`` cost, and whether it showed the usual: one person and nothing else."""
        turns = self._turns[name]
        turns.usual = usual
        if self._adaptive:
            turns.cpu_s = cpu_s if turns.cpu_s == 0 else turns.cpu_s + NEWEST * (cpu_s - turns.cpu_s)
            self._feel(at, busy=wall_s > BUSY_RATIO * cpu_s)
            self._share_out()

    def _may_rest(self, turns: _Turns, frame: Frame) -> bool:
        if turns.motion.moved(frame.image):
            turns.stirred = frame.at
        still = turns.stirred is not None and frame.at.seconds_since(turns.stirred) > STIRRED_S
        recent = turns.looked is not None and frame.at.seconds_since(turns.looked) < STILL_S
        return turns.usual and still and recent

    def _feel(self, at: Instant, *, busy: bool) -> None:
        """Follow the load: ``busy`` is one look's impression."""
        if busy:
            self._calm_since, self._busy_since = None, self._busy_since or at
            if at.seconds_since(self._busy_since) >= BUSY_S:
                self._factor, self._busy_since = max(LEAST_FACTOR, self._factor / 2), at
        else:
            self._busy_since, self._calm_since = None, self._calm_since or at
            if at.seconds_since(self._calm_since) >= CALM_S:
                self._factor, self._calm_since = min(1.0, self._factor * 1.25), at

    def _share_out(self) -> None:
        on_battery = self._on_battery()
        left = BUDGET * (ON_BATTERY if on_battery else 1.0)
        too_slow = False
        for name in self.order:
            turns = self._turns[name]
            wanted = max(turns.most * self._factor, min(self._needed, turns.most))
            affordable = max(left, 0.0) / turns.cpu_s if turns.cpu_s else wanted
            too_slow = too_slow or affordable < wanted
            turns.bucket.rate = max(min(wanted, affordable), min(turns.pace.least, turns.most))
            left -= turns.bucket.rate * turns.cpu_s
        self.why = _why(busy=self._factor < 1, too_slow=too_slow, on_battery=on_battery)


def needed(policy: Detection) -> float:
    """Return the looks per second without which the policy's shortest incident would be told too late.

    An incident takes ``LEAST_HITS`` looks, and the first may come a whole period after the thing did.
    """
    shortest_ms = min(policy.object_ms, policy.person_ms)
    return LEAST_HITS * 1000 / (shortest_ms + RAISED_MS)


def _turns(pace: Pace, ceiling: float) -> _Turns:
    most = min(pace.most, ceiling)
    return _Turns(pace=pace, most=most, bucket=TokenBucket(most))


def _why(*, busy: bool, too_slow: bool, on_battery: bool) -> str:
    reasons = {
        "other programs keep the computer busy": busy,
        "looks cost much on this computer": too_slow,
        "the computer runs on battery": on_battery and too_slow,
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)
