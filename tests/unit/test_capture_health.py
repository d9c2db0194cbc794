"""Black, covered and frozen pictures and a silent microphone: told when they last, not when they flicker."""

from dataclasses import replace

import numpy as np
import pytest

from app.clock import ManualClock
from capture.fake import FakeMicrophone, FakeVideo
from capture.frames import Frame
from capture.health import Fault, Finding, PictureHealth, SoundHealth, is_black, level_dbfs
from capture.pictures import Picture
from capture.sources import AUDIO_CHUNK

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


# --- within three seconds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("image", [black(), covered(), None], ids=["black", "covered", "frozen"])
def test_each_fault_of_a_picture_is_told_within_three_seconds(image: Picture | None) -> None:
    camera = Camera()
    camera.show(2)
    assert camera.last is not None
    began = camera.clock.now()
    while not camera.found:
        camera.show(1 / 15, camera.last.image if image is None else image, noisy=image is not None)
    assert camera.clock.now().seconds_since(began) < 3


@pytest.mark.parametrize("repeats", [2, 3, 15])
def test_a_camera_that_sends_each_picture_several_times_is_not_frozen(repeats: int) -> None:
    """As some do in the dark, to keep their rate with long exposures."""
    camera = Camera()
    camera.show(1)
    assert camera.last is not None
    still = camera.last.image
    for _ in range(60):
        noisy = np.clip(still + NOISE.integers(0, 2, still.shape), 0, 255).astype(np.uint8)
        camera.show(repeats / 15, noisy, noisy=False)
    assert camera.found == []


def test_one_pixel_that_changes_is_a_picture_that_lives() -> None:
    """Smoothing in the camera may leave the looked-at pixels alone for long; all of them it does not."""
    camera = Camera()
    camera.show(1)
    assert camera.last is not None
    still = camera.last.image.copy()
    for number in range(90):
        still[1, 1] = number
        camera.show(1 / 15, still.copy(), noisy=False)
    assert camera.found == []


# --- sound ------------------------------------------------------------------------------------------------------------


class Microphone:
    """Feeds noise of a level and keeps what was found, and when (seconds)."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self._source, self._health = FakeMicrophone(self.clock), SoundHealth()
        self._source.open()
        self._began = self.clock.now()
        self.found: list[tuple[float, Finding]] = []

    @property
    def at_s(self) -> float:
        return self.clock.now().seconds_since(self._began)

    def play(self, seconds: float, dbfs: float | None) -> None:
        """Play noise of ``dbfs``, or zeros."""
        sigma = 0.0 if dbfs is None else 32_768 * 10 ** (dbfs / 20)
        noise = NOISE.normal(0, sigma, (8, AUDIO_CHUNK)).round().astype(np.int16)
        for number in range(round(seconds * 50)):
            found = self._health.hear(replace(self._source.read(), pcm=noise[number % 8]))
            if found:
                self.found.append((self.at_s, found))


@pytest.mark.parametrize("mute_dbfs", [None, -90.0, -76.0], ids=["zeros", "dither", "switch-on-the-cable"])
def test_a_microphone_that_is_muted_is_told_within_three_seconds_and_when_it_is_back(mute_dbfs: float | None) -> None:
    microphone = Microphone()
    microphone.play(12, -50)
    muted_s = microphone.at_s
    microphone.play(20, mute_dbfs)
    microphone.play(2, -50)
    (told_s, began), (_, over) = microphone.found
    assert told_s - muted_s < 3
    assert (began.fault, began.end) == (Fault.SILENT, None)
    assert began.facts["noise_floor_dbfs"] in ("-50", "-51")
    assert over.end is not None
    assert over.end.seconds_since(over.start) == pytest.approx(20, abs=0.1)


def test_a_microphone_that_never_gave_anything_is_told_within_three_seconds() -> None:
    microphone = Microphone()
    microphone.play(3, None)
    assert [finding.fault for _, finding in microphone.found] == [Fault.SILENT]
    assert microphone.found[0][0] < 3


@pytest.mark.parametrize("floor_dbfs", [-45.0, -60.0, -70.0, -78.0])
def test_a_quiet_room_is_no_silence(floor_dbfs: float) -> None:
    microphone = Microphone()
    for _ in range(3):
        microphone.play(2, -25)
        microphone.play(12, floor_dbfs)
    assert microphone.found == []


def test_a_fan_that_stops_is_no_silence() -> None:
    microphone = Microphone()
    microphone.play(20, -42)
    microphone.play(20, -66)
    assert microphone.found == []


def test_a_headset_that_cuts_pauses_out_is_not_silent() -> None:
    microphone = Microphone()
    for _ in range(8):
        microphone.play(1.5, -25)
        microphone.play(1.2, None)
    for _ in range(2):
        microphone.play(1.5, -25)
        microphone.play(20, None)
    assert microphone.found == []
    microphone.play(1, -25)
    microphone.play(31, None)  # but not for ever
    assert [finding.facts.get("cuts_pauses_out") for _, finding in microphone.found] == ["yes"]


def test_levels_are_in_decibels_of_full_scale() -> None:
    source = FakeMicrophone(ManualClock())
    source.open()
    chunk = source.read()
    assert level_dbfs(chunk) == pytest.approx(20 * np.log10(8_000 / 32_768 / np.sqrt(2)), abs=0.3)
    assert level_dbfs(replace(chunk, pcm=chunk.pcm * 0)) == -120
