"""When quality steps down and up again: by lasting strain, one step at a time, and without swinging."""

import pytest

from app.clock import ManualClock
from capture.load import Meter
from capture.pressure import AFTER_S, CALM_S, EASED, NEXT_S, Change, Easing, Reading, Strain

GIB = 1 << 30
EASE = {"queued": 0.0, "busy": 0.1, "spooled": 0.0, "free_bytes": 100 * GIB}
STRAINS = [
    ({**EASE, "queued": 0.3}, Strain.PROCESSOR),
    ({**EASE, "busy": 0.9}, Strain.PROCESSOR),
    ({**EASE, "spooled": 0.7}, Strain.SPOOL),
    ({**EASE, "free_bytes": GIB // 2}, Strain.DISK),
]


class Machine:
    """Readings once a second."""

    def __init__(self, lowest: int = 3) -> None:
        self.easing = Easing(lowest)
        self.at_s = 1_000.0

    def run(self, seconds: float, values: dict[str, float]) -> list[tuple[float, Change]]:
        """Return the changes, with the seconds after the beginning of this stretch."""
        changes, began = [], self.at_s
        while self.at_s < began + seconds:
            change = self.easing.read(
                Reading(
                    at_s=self.at_s,
                    queued=values["queued"],
                    busy=values["busy"],
                    spooled=values["spooled"],
                    free_bytes=int(values["free_bytes"]),
                )
            )
            if change is not None:
                changes.append((self.at_s - began, change))
            self.at_s += 1
        return changes


@pytest.mark.parametrize(("values", "why"), STRAINS, ids=[f"{why.name}-{n}" for n, (_, why) in enumerate(STRAINS)])
def test_each_strain_lowers_step_by_step_down_to_the_last(values: dict[str, float], why: Strain) -> None:
    changes = Machine().run(300, values)
    assert changes == [
        (AFTER_S, Change(before=0, after=1, why=why.value)),
        (AFTER_S + NEXT_S, Change(before=1, after=2, why=why.value)),
        (AFTER_S + 2 * NEXT_S, Change(before=2, after=3, why=why.value)),
    ]


def test_a_moment_of_strain_changes_nothing() -> None:
    machine = Machine()
    for _ in range(20):
        assert machine.run(2, {**EASE, "queued": 0.9}) == []
        assert machine.run(1, EASE) == []


def test_lasting_ease_gives_back_step_by_step() -> None:
    machine = Machine()
    machine.run(AFTER_S + NEXT_S + 1, {**EASE, "queued": 0.9})
    assert machine.easing.step == 2
    assert machine.run(300, EASE) == [
        (CALM_S, Change(before=2, after=1, why=EASED)),
        (2 * CALM_S, Change(before=1, after=0, why=EASED)),
    ]


def test_between_strain_and_ease_nothing_changes() -> None:
    machine = Machine()
    machine.run(AFTER_S + 1, {**EASE, "spooled": 0.7})
    assert machine.easing.step == 1
    assert machine.run(1_000, {**EASE, "spooled": 0.5}) == []
    assert machine.run(1_000, {**EASE, "busy": 0.6}) == []


def test_a_step_that_had_to_be_taken_back_is_given_back_later_the_next_time() -> None:
    machine, waits = Machine(), []
    for _ in range(4):
        machine.run(AFTER_S + 1, {**EASE, "busy": 0.9})
        assert machine.easing.step == 1
        ((after_s, _),) = machine.run(CALM_S * 32, EASE)[:1]
        machine.easing._raised_at = machine.at_s  # as if it had just been raised
        waits.append(after_s)
    assert waits == [CALM_S, 2 * CALM_S, 4 * CALM_S, 8 * CALM_S]


def test_a_meter_tells_the_share_of_work_also_of_work_still_going_on() -> None:
    clock = ManualClock()
    meter = Meter(lambda: clock.now().mono_ns / 1e9)
    with meter:
        clock.advance(1)
    clock.advance(3)
    assert meter.read() == pytest.approx(0.25)
    assert meter.read() == 0.0
    with meter:
        clock.advance(2)
        assert meter.read() == pytest.approx(1.0)
        clock.advance(1)
    clock.advance(1)
    assert meter.read() == pytest.approx(0.5)
