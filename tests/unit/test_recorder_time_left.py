"""How long an upload will still take, by a clock that the test moves."""

import pytest

from app.clock import ManualClock
from app.recorder.leftovers import Progress
from app.recorder.time_left import WINDOW_S, TimeLeft
from app.shell import text


def test_the_rest_takes_as_long_as_the_rate_says() -> None:
    clock = ManualClock()
    left = TimeLeft(clock)
    assert left.estimate(0, 100) is None  # nothing is known of the rate
    clock.advance(4)
    assert left.estimate(20, 100) == 16
    clock.advance(4)
    assert left.estimate(40, 100) == 12


def test_nobody_can_say_while_nothing_arrives() -> None:
    clock = ManualClock()
    left = TimeLeft(clock)
    for _ in range(10):
        clock.advance(1)
        assert left.estimate(0, 100) is None


def test_only_the_last_seconds_count() -> None:
    clock = ManualClock()
    left = TimeLeft(clock)
    left.estimate(0, 10_000)
    clock.advance(1)
    left.estimate(5_000, 10_000)  # quick at first, then ten a second
    for step in range(1, 101):
        clock.advance(1)
        said = left.estimate(5_000 + 10 * step, 10_000)
    assert said == 400
    assert len(left._seen) <= WINDOW_S + 2  # however long it takes


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "less than a minute"), (61, "about 1 minute"), (600, "about 10 minutes"), (9_000, "about 2 hours")],
)
def test_the_screen_says_it_roughly(seconds: int, words: str) -> None:
    assert text.about(seconds) == words


def test_the_command_says_it_now_and_then_and_at_the_end() -> None:
    clock, said = ManualClock(), list[str]()
    progress = Progress(clock, said.append)
    for step in range(40):
        progress(step * 2**20, 40 * 2**20)
        clock.advance(0.5)
    progress(40 * 2**20, 40 * 2**20)
    assert said[0] == "  0.0 of 40.0 MB"
    assert said[-1] == "  40.0 of 40.0 MB"
    assert any(line.endswith("min left") for line in said)
    assert len(said) == 11
