"""When a hint is said to the candidate: after it has lasted, at most one a minute, and always written down."""

from itertools import pairwise

import pytest

from app.contract.hints import Hint
from app.recorder.hinting import Hinting
from tests.unit.detector_models import instant


class _Exam:
    def __init__(self) -> None:
        self.said: list[tuple[float, Hint]] = []
        self.written: list[dict[str, str]] = []
        self.now = 0.0
        self.runs = True
        self._hinting = Hinting(self._say, lambda facts: self.written.append(dict(facts)))

    def _say(self, hint: Hint) -> bool:
        if self.runs:
            self.said.append((self.now, hint))
        return self.runs

    def looks(self, seconds: float, *shown: Hint, rate: float = 4) -> None:
        for _ in range(round(seconds * rate)):
            self._hinting.look(instant(self.now), {"face": 1} | {hint.value: 1 for hint in shown})
            self.now += 1 / rate


@pytest.mark.parametrize("rate", [0.5, 1, 4])
def test_what_lasts_is_said_once_and_written_down_with_its_end(rate: float) -> None:
    exam = _Exam()
    exam.looks(60, rate=rate)
    exam.looks(60, Hint.DARK, rate=rate)
    exam.looks(60, rate=rate)
    ((when, hint),) = exam.said
    assert hint is Hint.DARK
    assert 62 <= when <= 69
    assert exam.written == [
        {"picture": "dark", "state": "began", "candidate": "told"},
        {"picture": "dark", "state": "over"},
    ]


def test_what_a_pause_hides_is_not_written_down_as_told_and_uses_up_no_minute() -> None:
    exam = _Exam()
    exam.runs = False
    exam.looks(10, Hint.DARK)
    exam.looks(10)
    exam.runs = True
    exam.looks(10, Hint.DARK)
    told = [line["candidate"] for line in exam.written if "candidate" in line]
    assert told == ["not told, the exam was not running", "told"]
    assert len(exam.said) == 1


def test_what_passes_is_not_said() -> None:
    exam = _Exam()
    for _ in range(20):
        exam.looks(2, Hint.BLURRED)
        exam.looks(6)
    assert exam.said == []
    assert exam.written == []


def test_at_most_one_in_a_minute() -> None:
    exam = _Exam()
    for _ in range(10):
        for hint in Hint:
            exam.looks(10, hint)
            exam.looks(10)
    times = [when for when, _ in exam.said]
    assert len(times) >= 5
    assert all(later - earlier >= 60 for earlier, later in pairwise(times))
    assert {line.get("candidate") for line in exam.written} == {"told", "not told, a hint was lately", None}


def test_the_same_hint_is_not_repeated_for_five_minutes() -> None:
    exam = _Exam()
    for _ in range(40):
        exam.looks(10, Hint.TOO_FAR)
        exam.looks(10)
    times = [when for when, _ in exam.said]
    assert len(times) == 3
    assert all(later - earlier >= 300 for earlier, later in pairwise(times))
