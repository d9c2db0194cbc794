"""What every source must do, run on each of them: made-up, played back, the X11 screen, and OpenCV's camera."""

import contextlib
import threading
import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from capture.camera import CameraInfo, DeviceCamera
from capture.fake import FakeMicrophone, FakeVideo
from capture.playback import PlaybackCamera, PlaybackMicrophone
from capture.screen.grab import GrabbedScreen
from capture.sources import AUDIO_CHUNK, AUDIO_RATE, AudioSource, Origin, SourceLost, VideoSource
from tests.unit.capture_parts import film
from tests.unit.virtual_screen import virtual_screen


@contextlib.contextmanager
def fake_camera(clock: ManualClock, folder: Path) -> Iterator[VideoSource]:
    yield FakeVideo(clock, fps=10)


@contextlib.contextmanager
def played_camera(clock: ManualClock, folder: Path) -> Iterator[VideoSource]:
    yield PlaybackCamera(_footage(folder), 320, 240, 10, clock)


@contextlib.contextmanager
def device_camera(clock: ManualClock, folder: Path) -> Iterator[VideoSource]:
    footage = str(_footage(folder, seconds=20))

    class Paced:
        """A camera of 30 pictures a second, which move the clock. (No subclass: that corrupts OpenCV's memory.)"""

        def __init__(self) -> None:
            device = cv2.VideoCapture(footage)
            self.isOpened, self.set, self.retrieve = device.isOpened, device.set, device.retrieve
            self.release, self._grab = device.release, device.grab

        def grab(self) -> bool:
            clock.advance(1 / 30)
            return self._grab()

    camera = CameraInfo(index=0, name="Test camera")
    yield DeviceCamera(0, 320, 240, 10, clock, connect=lambda _: Paced(), cameras=lambda: [camera])


@contextlib.contextmanager
def x11_screen(clock: ManualClock, folder: Path) -> Iterator[VideoSource]:
    with virtual_screen() as display:
        yield GrabbedScreen(10, clock, display=display.name)


@contextlib.contextmanager
def fake_microphone(clock: ManualClock, folder: Path) -> Iterator[AudioSource]:
    yield FakeMicrophone(clock)


@contextlib.contextmanager
def played_microphone(clock: ManualClock, folder: Path) -> Iterator[AudioSource]:
    path = folder / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((np.sin(np.arange(8_000) * 0.17) * 9_000).astype("<i2").tobytes())
    yield PlaybackMicrophone(path, clock)


def _footage(folder: Path, *, seconds: int = 2) -> Path:
    clock = ManualClock()
    encoder, fragments = film(clock, clock.now(), seconds=seconds)
    path = folder / "footage.mp4"
    path.write_bytes(encoder.init + b"".join(fragment.data for fragment in fragments))
    return path


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=[fake_camera, played_camera, device_camera, x11_screen], ids=lambda make: make.__name__)
def video(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[VideoSource]:
    with request.param(clock, tmp_path) as source:
        yield source
        source.close()


@pytest.fixture(params=[fake_microphone, played_microphone], ids=lambda make: make.__name__)
def audio(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[AudioSource]:
    with request.param(clock, tmp_path) as source:
        yield source
        source.close()


def test_pictures_have_the_promised_form(video: VideoSource) -> None:
    video.open()
    frames = [video.read() for _ in range(12)]
    assert video.name
    assert video.origin in Origin
    assert (video.width % 2, video.height % 2) == (0, 0)
    for frame in frames:
        assert frame.source is video.track
        assert frame.image.shape == (video.height, video.width, 3)
        assert frame.image.dtype == np.uint8
        assert not frame.image.flags.writeable
    assert [b.seq - a.seq for a, b in pairwise(frames)] == [1] * 11


def test_pictures_come_at_their_rate(video: VideoSource) -> None:
    video.open()
    times = [video.read().at.mono_ns / 1e9 for _ in range(21)]
    assert times[-1] - times[0] == pytest.approx(2.0, abs=0.05)
    assert all(0.05 < b - a < 0.15 for a, b in pairwise(times))


def test_a_picture_marked_unchanged_equals_the_one_before(video: VideoSource) -> None:
    video.open()
    frames = [video.read() for _ in range(6)]
    assert not frames[0].unchanged
    assert all(np.array_equal(a.image, b.image) for a, b in pairwise(frames) if b.unchanged)


def test_a_closed_camera_or_screen_is_lost_until_opened_again(video: VideoSource) -> None:
    with pytest.raises(SourceLost):
        video.read()
    video.open()
    seq = video.read().seq
    video.close()
    video.close()
    with pytest.raises(SourceLost):
        video.read()
    video.open()
    again = video.read()
    assert again.seq > seq
    assert not again.unchanged


def test_pictures_can_be_read_in_another_thread(video: VideoSource) -> None:
    video.open()
    video.read()
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(video.read().image.shape[0]))
    thread.start()
    thread.join(30)
    assert seen == [video.height]


def test_sound_has_the_promised_form_and_never_ends(audio: AudioSource) -> None:
    audio.open()
    chunks = [audio.read() for _ in range(100)]
    assert audio.track is Track.MICROPHONE
    for chunk in chunks:
        assert (chunk.rate, len(chunk.pcm), chunk.pcm.dtype.name) == (AUDIO_RATE, AUDIO_CHUNK, "int16")
    assert [b.seq - a.seq for a, b in pairwise(chunks)] == [1] * 99
    assert {round(b.at.seconds_since(a.at), 6) for a, b in pairwise(chunks)} == {0.02}
    assert min(int(np.abs(chunk.pcm).max()) for chunk in chunks) > 1_000


def test_closed_sound_is_lost_until_opened_again(audio: AudioSource) -> None:
    with pytest.raises(SourceLost):
        audio.read()
    audio.open()
    seq = audio.read().seq
    audio.close()
    audio.close()
    with pytest.raises(SourceLost):
        audio.read()
    audio.open()
    assert audio.read().seq > seq
