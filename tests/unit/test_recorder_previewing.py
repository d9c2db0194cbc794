"""The preview before the exam: small pictures and a level, a few a second; the devices are free again when it stops."""

import threading

from app.clock import ManualClock
from app.contract.errors import UserFacing
from app.messages import Preview
from app.recorder.previewing import LEVEL_EVERY_S, PICTURE_EVERY_S, WIDTH, Previews
from app.recorder.sources import Sources
from capture.fake import FakeMicrophone, FakeVideo
from capture.frames import AudioChunk, Frame
from capture.sources import AUDIO_CHUNK, AUDIO_RATE

DEADLINE_S = 30.0


class Seen:
    """What was sent; ``enough`` is set when there are ``count`` of them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.previews: list[Preview] = []
        self.enough = threading.Event()

    def take(self, preview: Preview) -> None:
        self.previews.append(preview)
        if len(self.previews) >= self._count:
            self.enough.set()


class Counting(FakeVideo):
    """Counts how often it was opened, and whether it is open; refuses the first time if told so."""

    refuses = 0
    opened = reads = 0

    def open(self) -> None:
        self.opened += 1
        if self.opened <= self.refuses:
            raise UserFacing("The camera is busy.", advice="Close it.", code="E-CAMERA-BUSY")
        super().open()

    def read(self) -> Frame:
        self.reads += 1
        return super().read()


def test_the_camera_is_shown_small_and_seldom_and_is_free_afterwards() -> None:
    camera, seen = Counting(ManualClock(), width=640, height=480), Seen(8)
    previews = Previews(seen.take, ManualClock())
    previews.start(Sources(camera=camera))
    assert seen.enough.wait(DEADLINE_S)
    previews.stop()
    assert not camera._open
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("preview")] == []
    assert camera.reads / len(seen.previews) >= PICTURE_EVERY_S * 15 - 1
    assert all(preview.picture.startswith(b"\xff\xd8") and preview.level_dbfs is None for preview in seen.previews)
    assert max(len(preview.picture) for preview in seen.previews) < 20_000
    assert WIDTH < 640


class CountingSound(FakeMicrophone):
    """Counts how often it was read."""

    reads = 0

    def read(self) -> AudioChunk:
        self.reads += 1
        return super().read()


def test_the_microphone_is_shown_as_a_level_and_seldom() -> None:
    clock, seen = ManualClock(), Seen(5)
    microphone = CountingSound(clock)
    previews = Previews(seen.take, clock)
    previews.start(Sources(microphone=microphone))
    assert seen.enough.wait(DEADLINE_S)
    previews.stop()
    assert {preview.level_dbfs for preview in seen.previews} == {-15}
    assert microphone.reads / len(seen.previews) >= LEVEL_EVERY_S * AUDIO_RATE / AUDIO_CHUNK - 1


def test_a_camera_that_is_busy_is_tried_again() -> None:
    camera, seen = Counting(ManualClock()), Seen(1)
    camera.refuses = 1
    previews = Previews(seen.take, ManualClock())
    previews.start(Sources(camera=camera))
    assert seen.enough.wait(DEADLINE_S)
    previews.stop()
    assert camera.opened >= 2


def test_stopping_what_was_not_started_does_nothing() -> None:
    previews = Previews(lambda _: None, ManualClock())
    previews.stop()
    previews.start(Sources())
    previews.stop()
