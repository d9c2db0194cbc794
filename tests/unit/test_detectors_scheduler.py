"""How often detectors look: what is allowed, what the machine affords, what rests; and what is told of it."""

import itertools
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contract.incidents import Incident, IncidentKind, Track
from app.contract.policy import Detection
from capture.frames import Frame
from detectors.motion import Motion
from detectors.reached import Rates, Reached
from detectors.scheduler import BUDGET, Scheduler, Turn, needed
from tests.unit.detector_models import instant, sound

FPS = 15
QUICK, SLOW = 0.010, 0.060
"""CPU seconds of a look for faces and for objects, as measured on a laptop."""


def _frame(at: float, seq: int, grey: int = 0) -> Frame:
    image = np.full((60, 80, 3), grey, np.uint8)
    return Frame(source=Track.CAMERA, seq=seq, at=instant(at), image=image)


class _Day:
    """A camera of 15 frames a second and two detectors of a given cost. ``grey`` is what the camera shows when."""

    def __init__(
        self,
        policy: Detection | None = None,
        *,
        adaptive: bool = True,
        on_battery: bool = False,
        grey: Callable[[float], int] = lambda at: int(at * FPS) % 2 * 100,
    ) -> None:
        self.scheduler = Scheduler(
            policy or Detection(), ["objects", "faces"], adaptive=adaptive, on_battery=lambda: on_battery
        )
        self.turns: list[tuple[str, float, Turn]] = []
        self._grey, self._frames = grey, 0

    def run(
        self, seconds: float, *, objects_s: float = SLOW, faces_s: float = QUICK, wait: float = 1.0, usual: bool = True
    ) -> "_Day":
        """Go on for some seconds; a look takes ``wait`` times its CPU time."""
        for _ in range(round(seconds * FPS)):
            at, self._frames = self._frames / FPS, self._frames + 1
            frame = _frame(at, self._frames, self._grey(at))
            for name in self.scheduler.order:
                turn = self.scheduler.turn(name, frame)
                self.turns += [(name, at, turn)] if turn is not Turn.WAIT else []
                if turn is Turn.LOOK:
                    cpu_s = objects_s if name == "objects" else faces_s
                    self.scheduler.took(name, frame.at, wall_s=wait * cpu_s, cpu_s=cpu_s, usual=usual)
        return self

    def looks(self, name: str, since: float = 0) -> int:
        return sum(one == name and at >= since and turn is Turn.LOOK for one, at, turn in self.turns)

    def rates(self) -> tuple[float, float]:
        rates = self.scheduler.rates
        return rates["objects"], rates["faces"]


def test_a_machine_that_can_afford_it_looks_as_often_as_is_of_use() -> None:
    day = _Day().run(60)
    assert day.looks("objects") == pytest.approx(120, abs=2)
    assert day.looks("faces") == pytest.approx(240, abs=3)
    assert day.scheduler.why == ""


def test_a_slow_machine_looks_for_objects_less_often_and_for_faces_as_before() -> None:
    day = _Day().run(60, objects_s=0.2, faces_s=0.02)
    objects, faces = day.rates()
    assert faces == 4
    assert objects == pytest.approx((BUDGET - 4 * 0.02) / 0.2, abs=0.01)
    assert day.scheduler.why == "looks cost much on this computer"


def test_a_very_slow_machine_keeps_to_the_least_rates() -> None:
    assert _Day().run(60, objects_s=3.0, faces_s=0.8).rates() == (0.5, 1.0)


def test_on_battery_half_the_budget_is_spent() -> None:
    mains, battery = (_Day(on_battery=on).run(30, objects_s=0.15) for on in (False, True))
    assert mains.rates()[0] == pytest.approx((BUDGET - 4 * QUICK) / 0.15, abs=0.01)
    assert battery.rates()[0] == pytest.approx((BUDGET / 2 - 4 * QUICK) / 0.15, abs=0.01)
    assert "battery" in battery.scheduler.why


def test_a_busy_machine_halves_the_rates_down_to_what_is_needed_and_back_when_calm() -> None:
    day = _Day().run(4, wait=5).run(0)
    assert day.rates() == (2, 4), "four seconds are a hiccup"
    day.run(3, wait=5)
    assert day.rates()[1] == 2
    assert day.rates()[0] == pytest.approx(needed(Detection()))
    assert day.scheduler.why == "other programs keep the computer busy"
    day.run(60, wait=5)
    assert day.rates() == pytest.approx((needed(Detection()), needed(Detection())))
    day.run(80)
    assert day.rates() == (2, 4)
    assert day.scheduler.why == ""


def test_the_policy_caps_every_rate_also_below_the_least() -> None:
    day = _Day(Detection(rate_permille=200)).run(60, objects_s=3.0)
    assert day.looks("objects") == day.looks("faces") == pytest.approx(12, abs=1)


def test_steady_rates_depend_on_nothing_but_the_frames() -> None:
    assert _Day(adaptive=False).run(30).turns == _Day(adaptive=False).run(30, objects_s=3.0, wait=9).turns


def test_objects_rest_where_nothing_moves_and_look_at_least_every_two_seconds() -> None:
    day = _Day(grey=lambda _at: 0).run(60)
    assert day.looks("objects", since=10) == pytest.approx(25, abs=1)
    assert day.looks("faces") == pytest.approx(240, abs=3)


def test_a_movement_wakes_them_at_their_next_turn_and_keeps_them_awake() -> None:
    day = _Day(grey=lambda at: 0 if at < 30.4 else 90).run(60)
    woken = [at for name, at, turn in day.turns if name == "objects" and turn is Turn.LOOK and 30.4 <= at <= 33]
    assert woken[0] - 30.4 <= 0.6
    assert len(woken) >= 5


def test_what_is_out_of_the_ordinary_is_looked_at_without_rest() -> None:
    day = _Day(grey=lambda _at: 0).run(30, usual=False)
    assert day.looks("objects") == pytest.approx(60, abs=2)


def test_a_look_for_objects_delays_one_for_faces_by_one_look_at_most() -> None:
    """A slow computer: while objects are looked for no frame is taken, and the newest waits."""
    scheduler = Scheduler(Detection(), ["objects", "faces"], adaptive=True)
    now, looks = 0.0, []
    for number in range(600):
        frame = _frame(now, number, number % 2 * 100)
        for name in scheduler.order:
            if scheduler.turn(name, frame) is Turn.LOOK:
                cost = 0.9 if name == "objects" else 0.02
                looks.append(name)
                now += cost
                scheduler.took(name, frame.at, wall_s=cost, cpu_s=cost, usual=True)
        now += 1 / FPS
    assert Counter(looks)["objects"] > 15
    assert all("faces" in pair for pair in itertools.pairwise(looks))


@settings(deadline=None)
@given(
    st.integers(200, 5_000),
    st.lists(st.tuples(st.floats(0.001, 3), st.floats(0.5, 20), st.floats(0.03, 3)), min_size=1, max_size=60),
)
def test_whatever_looks_cost_the_rates_stay_within_their_bounds(
    permille: int, looks: list[tuple[float, float, float]]
) -> None:
    scheduler, now = Scheduler(Detection(rate_permille=permille), ["objects", "faces"], adaptive=True), 0.0
    ceiling = permille / 1000
    for cpu_s, wait, pause in looks:
        now += pause
        for name in scheduler.order:
            scheduler.took(name, instant(now), wall_s=wait * cpu_s, cpu_s=cpu_s, usual=False)
        assert min(0.5, ceiling) <= scheduler.rates["objects"] <= min(2, ceiling)
        assert min(1, ceiling) <= scheduler.rates["faces"] <= min(5, ceiling)


def test_motion_is_more_than_noise_and_less_than_a_phone() -> None:
    drawn, motion = np.random.default_rng(1), Motion()
    room = drawn.integers(0, 255, (480, 640, 3)).astype(np.uint8)
    assert motion.moved(room)
    motion.keep()
    noisy = np.clip(room + drawn.normal(0, 6, room.shape), 0, 255).astype(np.uint8)
    assert not motion.moved(noisy)
    held = noisy.copy()
    held[200:280, 300:360] = 20
    assert motion.moved(held)
    assert motion.moved(held), "as long as it was not looked at"
    motion.keep()
    assert not motion.moved(held)


class _Account:
    """What ``Reached`` tells of a camera's frames."""

    def __init__(self, needed_per_s: float = 1.2) -> None:
        numbers = itertools.count(1)
        self.reached = Reached({"objects": needed_per_s}, lambda: f"i{next(numbers)}")
        self.rates: list[Rates] = []
        self.incidents: list[Incident] = []
        self.now, self.seq = 0.0, 0

    def film(self, seconds: float, every: float, *, allowed: float = 2.0, rests: bool = False) -> "_Account":
        """Frames come at 15 a second; a look is taken each ``every`` seconds."""
        due = self.now
        for _ in range(round(seconds * FPS)):
            rates, incidents = self.reached.frame(_frame(self.now, self.seq), {"objects": allowed}, "busy")
            self.rates += [rates] if rates is not None else []
            self.incidents += incidents
            if self.now >= due:
                due += every
                if rests:
                    self.reached.rest("objects")
                else:
                    self.reached.look("objects", 0.05)
            self.now += 1 / FPS
            self.seq += 1
        return self


def test_the_rate_that_was_reached_is_told_each_minute() -> None:
    account = _Account().film(1 / FPS, every=1)
    for seq in range(100):
        account.reached.hear(sound(np.zeros(320, np.int16), seq=seq if seq < 50 else seq + 25))
    account.film(125, every=0.5)
    first, second = account.rates
    assert first.seconds == pytest.approx(60, abs=0.1)
    assert first.reached["objects"] == pytest.approx(2, abs=0.05)
    assert first.core == pytest.approx(0.1, abs=0.01)
    assert first.heard == pytest.approx(100 / 125)
    assert second.heard is None
    assert account.incidents == []


def test_a_changed_rate_is_told_before_the_minute_is_over() -> None:
    account = _Account().film(20, every=0.5).film(5, every=1, allowed=1.0)
    assert [round(one.at.mono_ns / 1e9) for one in account.rates] == [20]
    assert account.rates[0].allowed == {"objects": 1.0}


def test_too_few_looks_are_one_incident_with_an_end() -> None:
    account = _Account().film(30, every=0.5).film(40, every=2).film(30, every=0.5)
    begun, ended = account.incidents
    assert begun.kind is IncidentKind.DETECTION_DEGRADED
    assert begun.id == ended.id
    assert begun.facts == {"detector": "objects", "looks_per_s": "0.50", "needed_per_s": "1.20", "state": "busy"}
    assert (begun.start.mono_ns / 1e9, ended.end.mono_ns / 1e9) == pytest.approx((30, 80), abs=1)
    assert ended.facts["state"] == "went on"


def test_one_poor_stretch_is_none_and_rests_are_no_lack() -> None:
    assert _Account().film(10, every=0.5).film(9, every=5).film(30, every=0.5).incidents == []
    assert _Account().film(60, every=0.5, rests=True).incidents == []


def test_a_camera_that_is_away_is_not_held_against_detection() -> None:
    account = _Account().film(15, every=0.5)
    account.now += 90  # the next frame carries the next number
    account.film(15, every=0.5)
    assert account.incidents == []
    assert account.rates == []


def test_frames_that_nobody_took_are() -> None:
    """A starved thread: frames were there, by their numbers, and most were never taken."""
    account = _Account()
    for _ in range(20):
        account.film(1 / FPS, every=1)
        account.now, account.seq = account.now + 3, account.seq + 45
    assert [one.kind for one in account.incidents] == [IncidentKind.DETECTION_DEGRADED]


def test_a_detector_that_was_left_out_is_not_missed_again() -> None:
    account = _Account()
    account.reached.count_only(lambda _name: False)
    assert account.film(60, every=30).incidents == []
