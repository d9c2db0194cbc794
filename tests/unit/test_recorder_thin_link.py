"""A link that carries the recording but hardly twice: after an outage evidence catches up, and live view comes back.

The feed and its hold are real; link, uploader and server are counted in bytes on a clock that is moved by hand.
"""

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.errors import FairlockError, Retryable
from app.contract.incidents import Track
from app.recorder import live_feed
from app.recorder.backlog_hold import FIRST_QUIET_S, LATE_IN_A_ROW, LONGEST_QUIET_S, MOST_WAITING, BacklogHold
from app.recorder.client import LIVE_ANSWER_S
from app.recorder.live_feed import PATIENCE_S, FeedParts, LiveFeed
from capture.chain import Place
from tests.unit.capture_parts import SESSION

STEP_S = 0.05
SEGMENT_S = 5
RATES = {Track.CAMERA: 40_000, Track.SCREEN: 17_000, Track.MICROPHONE: 3_000}
"""Bytes a second: 60 kB/s of evidence."""
OUTAGE_S = (30, 37)
HEADER = b"FLS1" + bytes(596)


@dataclass
class Job:
    """A worker on a closed segment: it waits for the last pieces, or sends the file."""

    place: Place
    size: int
    since_s: float
    left: float | None = None


class Link:
    """Steps through an exam on a link of ``rate`` bytes a second that its connections share."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.clock, self.steps, self.segment, self.is_pushing = ManualClock(), 0, -1, False
        self.waiting: list[tuple[Place, int]] = []
        self.workers: list[Job | None] = [None, None]
        self.sizes: dict[Place, int] = {}
        self.most_waiting = 0
        self.due: list[tuple[float, bool]] = []
        self.hold = BacklogHold(lambda: len(self.waiting), self.clock)
        self.ended: list[FairlockError] = []
        self.feed = LiveFeed(
            FeedParts(
                session=SESSION,
                signing_key=Ed25519PrivateKey.generate(),
                push=self.push,
                clock=self.clock,
                is_held=self.hold.holds,
                on_end=self.ended.append,
                on_due=self.hold.came,
                jitter=lambda: 0.5,
            )
        )

    def now_s(self) -> float:
        return self.steps * STEP_S

    def is_away(self) -> bool:
        return OUTAGE_S[0] <= self.now_s() < OUTAGE_S[1]

    def run(self, until_s: float) -> None:
        beat_s = self.now_s() + 1
        while self.now_s() < until_s:
            self.step()
            if self.now_s() >= beat_s:
                self.feed.send()
                beat_s = max(self.now_s(), beat_s + 1)

    def push(self, data: bytes) -> None:
        left, until_s, self.is_pushing = float(len(data)), self.now_s() + LIVE_ANSWER_S, True
        try:
            while left > 0:
                left -= self.step()
                if self.now_s() > until_s:
                    raise Retryable("no answer in time")
        finally:
            self.is_pushing = False

    def step(self) -> float:
        """Move on, and return how much each connection carried."""
        self.steps += 1
        assert self.steps < 100_000, "a beat goes on for ever"
        self.clock.advance(STEP_S)
        files = [job for job in self.workers if job and job.left is not None]
        carried = 0.0 if self.is_away() else self.rate * STEP_S / max(1, len(files) + self.is_pushing)
        for job in files:
            job.left = (job.left or 0.0) - carried
        if self.steps % 10 == 0:
            self.record()
        for number, worker in enumerate(self.workers):
            self.workers[number] = self.work(worker)
        self.most_waiting = max(self.most_waiting, len(self.waiting))
        return carried

    def record(self) -> None:
        """Write half a second of each track; every ``SEGMENT_S`` into a new file."""
        segment = self.steps // 10 // (2 * SEGMENT_S)
        for track in RATES if segment > self.segment else ():
            old, new = (0, track, self.segment), (0, track, segment)
            if old in self.sizes:
                self.waiting.append((old, self.sizes[old]))
            self.sizes[new] = len(HEADER)
            self.feed.take(new, 0, HEADER)
        self.segment = segment
        for track, rate in RATES.items():
            place = 0, track, segment
            self.feed.take(place, self.sizes[place], bytes(rate // 2))
            self.sizes[place] += rate // 2

    def work(self, job: Job | None) -> Job | None:
        """Go on as the uploader and ``SendOnce`` do."""
        if job is None:
            taken = {other.place for other in self.workers if other}
            free = [one for one in self.waiting if one[0] not in taken]
            return Job(*free[0], since_s=self.now_s()) if free else None
        if job.left is not None:
            return self.go_on(job)
        if self.is_away() or (self.feed._pieces.comes(job.place, job.size) and self.now_s() - job.since_s < PATIENCE_S):
            return job
        once = self.feed.delivered(job.place, job.size)  # waits no more: see ``no_waiting``
        self.due.append((self.now_s(), once))
        job.left = 0 if once else job.size
        return self.go_on(job)

    def go_on(self, job: Job) -> Job | None:
        if job.left is not None and job.left <= 0:
            self.waiting.remove((job.place, job.size))
            return None
        return job

    def once(self, from_s: float) -> float:
        """Return the share of segments sent once from a moment on."""
        said = [once for at_s, once in self.due if at_s >= from_s]
        return sum(said) / len(said)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model wait, whose clock moves."""
    monkeypatch.setattr(live_feed, "PATIENCE_S", 0.0)


@pytest.mark.parametrize("rate", [80_000, 90_000, 110_000])
def test_after_an_outage_evidence_catches_up_and_live_view_comes_back(rate: int) -> None:
    link = Link(rate)
    link.run(300)
    assert link.once(200) == 1
    assert link.most_waiting <= 12  # what the outage left, and no more
    link.run(304.5)  # between two ends of segments
    assert len(link.waiting) <= 1
    assert not link.ended


def test_where_the_link_never_carries_both_evidence_does_not_fall_behind() -> None:
    link = Link(63_000)
    link.run(604)  # between two ends of segments
    assert link.most_waiting <= 12
    assert len(link.waiting) <= 2 * len(RATES)


class Waiting:
    """A hold by hand."""

    def __init__(self) -> None:
        self.count, self.clock = 0, ManualClock()
        self.hold = BacklogHold(lambda: self.count, self.clock)

    def holds(self, count: int, after_s: float = 0.0) -> bool:
        self.clock.advance(after_s)
        self.count = count
        return self.hold.holds()


def test_it_holds_until_little_waited_for_a_while() -> None:
    it = Waiting()
    it.clock.advance(1_000)
    assert not it.holds(MOST_WAITING)
    assert it.holds(MOST_WAITING + 1)
    assert it.holds(0, FIRST_QUIET_S - 1)
    assert it.holds(MOST_WAITING, 2)
    assert not it.holds(1)


def test_much_in_between_begins_the_while_anew() -> None:
    it = Waiting()
    it.clock.advance(1_000)
    assert it.holds(MOST_WAITING + 1)
    assert it.holds(MOST_WAITING + 1, FIRST_QUIET_S)
    assert it.holds(0, FIRST_QUIET_S - 1)
    assert not it.holds(0, 1)


def test_the_while_doubles_where_it_is_held_again_soon_and_is_forgiven_later() -> None:
    it = Waiting()
    it.clock.advance(1_000)
    for quiet_s in (FIRST_QUIET_S, 2 * FIRST_QUIET_S, 4 * FIRST_QUIET_S):
        assert it.holds(MOST_WAITING + 1, 5)
        assert it.holds(0, quiet_s - 1)
        assert not it.holds(0, 1)
    for _ in range(20):
        assert it.holds(MOST_WAITING + 1)
        assert not it.holds(0, LONGEST_QUIET_S)
    assert it.holds(MOST_WAITING + 1, 3 * LONGEST_QUIET_S)
    assert not it.holds(0, FIRST_QUIET_S)


def test_segments_that_come_late_again_and_again_hold_it_too() -> None:
    it = Waiting()
    for in_time in (False, False, True, *[False] * (LATE_IN_A_ROW - 1)):
        it.hold.came(in_time)
    assert not it.holds(0)
    it.hold.came(False)
    assert it.holds(0)
    assert not it.holds(0, LONGEST_QUIET_S)
