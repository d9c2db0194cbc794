"""Picture and sound stay together, and memory stays flat, however the devices' clocks run; the benchmark does 3 h."""

from itertools import pairwise
from pathlib import Path

import pytest

from app.contract.incidents import Track
from tests.unit.long_exam import Exam

MOST_APART_MS = 80


@pytest.mark.parametrize("ppm", [2_000, -2_000])
def test_picture_and_sound_stay_together_although_the_sound_card_drifts(tmp_path: Path, ppm: int) -> None:
    """By 2,000 parts in a million, 120 ms in all: as much as an ordinary card does in an exam 20 times as long."""
    seconds, every_s = 60, 4
    result = Exam(tmp_path, seconds=seconds, ppm=ppm, moment_s=every_s).run()
    moments = [(number + 0.5) * every_s for number in range(seconds // every_s)]
    assert result.shown == pytest.approx(moments, abs=0.08)
    assert result.heard == pytest.approx(moments, abs=0.08)
    assert max(result.apart_ms()) <= MOST_APART_MS
    for track in (Track.CAMERA, Track.MICROPHONE):
        segments = result.starts_ms[track]
        assert all(a + length <= b + 1 for (a, length), (b, _) in pairwise(segments)), "time never goes back"
