"""Black, covered and frozen pictures and a silent microphone: told when they last, not when they flicker."""

from dataclasses import replace

import numpy as np
import pytest

from app.clock import ManualClock
from capture.fake import FakeMicrophone, FakeVideo
from capture.frames import Frame
from capture.health import Fault, Finding, PictureHealth, SoundHealth, is_black, level_dbfs
from capture.pictures import Picture

NOISE = np.random.default_rng(3)


def black() -> Picture:
    return NOISE.integers(0, 6, (120, 160, 3), dtype=np.uint8)


def covered() -> Picture:
    return (90 + NOISE.integers(0, 6, (120, 160, 3))).astype(np.uint8)


class Camera:
    """Feeds pictures at 15 a second and keeps what was found."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.source = FakeVideo(self.clock)
        self.source.open()
        self.health = PictureHealth()
        self.found: list[Finding] = []
        self.last: Frame | None = None

    def show(self, seconds: float, image: Picture | None = None, *, noisy: bool = True) -> None:
        for _ in range(round(seconds * 15)):
            frame = self.source.read()
            if image is not None:
                grain = NOISE.integers(0, 3, image.shape).astype(np.uint8) if noisy else 0
                frame = replace(frame, image=np.clip(image + grain, 0, 255).astype(np.uint8))
            found = self.health.look(frame)
            if found:
                self.found.append(found)
            self.last = frame


@pytest.mark.parametrize(("image", "fault"), [(black(), Fault.BLACK), (covered(), Fault.COVERED)])
def test_a_dark_picture_is_found_when_it_lasts_and_when_it_ends(image: Picture, fault: Fault) -> None:
    camera = Camera()
    camera.show(5)
    camera.show(6, image)
    assert [(f.fault, f.end) for f in camera.found] == [(fault, None)]
    began = camera.found[0].start
    camera.show(5)
    over = camera.found[1]
    assert (over.fault, over.start) == (fault, began)
    assert over.end is not None
    assert over.end.seconds_since(began) == pytest.approx(6, abs=0.1)
    assert len(camera.found) == 2


def test_a_moment_of_black_is_nothing() -> None:
    camera = Camera()
    for _ in range(5):
        camera.show(1)
        camera.show(2, black())
    assert camera.found == []


def test_a_short_look_back_does_not_end_it() -> None:
    camera = Camera()
    camera.show(5, black())
    for _ in range(4):
        camera.show(0.4)
        camera.show(2, black())
    assert len(camera.found) == 1


def test_a_frozen_picture_is_found_and_a_still_but_noisy_one_is_not() -> None:
    camera = Camera()
    camera.show(1)
    assert camera.last is not None
    still = camera.last.image
    camera.show(20, still)
    assert camera.found == []
    camera.show(12, still, noisy=False)
    assert [f.fault for f in camera.found] == [Fault.FROZEN]


def test_the_check_before_the_exam() -> None:
    camera = Camera()
    camera.show(0.1)
    assert camera.last is not None
    assert not is_black(camera.last.image)
    assert is_black(black())
    assert is_black(covered())


def test_a_silent_microphone_is_found_and_a_sound_ends_it() -> None:
    clock = ManualClock()
    source, health = FakeMicrophone(clock), SoundHealth()
    source.open()
    found = []
    for number in range(1_500):
        chunk = source.read()
        silent = 250 <= number < 1_250
        found.append(health.hear(replace(chunk, pcm=chunk.pcm * 0) if silent else chunk))
    began, over = [f for f in found if f]
    assert (began.fault, began.end, began.facts["level_dbfs"]) == (Fault.SILENT, None, "-120")
    assert over.end is not None
    assert over.end.seconds_since(over.start) == pytest.approx(20, abs=0.1)


def test_levels_are_in_decibels_of_full_scale() -> None:
    source = FakeMicrophone(ManualClock())
    source.open()
    chunk = source.read()
    assert level_dbfs(chunk) == pytest.approx(20 * np.log10(8_000 / 32_768 / np.sqrt(2)), abs=0.3)
    assert level_dbfs(replace(chunk, pcm=chunk.pcm * 0)) == -120
