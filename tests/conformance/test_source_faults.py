"""Everything that can happen to a device is an incident within three seconds, and is over by itself.

The real sources, tracks and journal, over devices that behave as written down: the seams are what OpenCV,
sounddevice and mss offer. Time is the devices' own: it goes on with each picture and each block of sound.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mss
import numpy as np
import pytest
from mss.exception import ScreenShotError

from app.clock import ManualClock
from app.contract.canonical import Json
from app.contract.journal import Entry, EntryType
from app.recorder.sources import Sources
from capture import microphone
from capture.camera import CameraInfo, DeviceCamera
from capture.frames import AudioChunk
from capture.microphone import DeviceMicrophone
from capture.pictures import Picture
from capture.screen.grab import GrabbedScreen
from capture.sources import AUDIO_CHUNK, AUDIO_RATE
from tests.unit.test_recorder_recording import Bench

DEADLINE_S = 60.0
LATEST_S = 3.0
SILENT_S = microphone._SILENT_DEVICE_S
NOISE = np.random.default_rng(11)
ROOM = NOISE.integers(60, 200, (120, 160, 3), dtype=np.uint8)
GOOD, GONE = "good", "gone"
OWN, VIRTUAL = "Built-in camera", "OBS Virtual Camera"
HEADSET, MONITOR = "Headset", "Monitor of Built-in Audio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the device does, and what must be said of it; ``fault`` is a fact of it."""

    name: str
    does: str
    kind: str
    fault: str = ""
    again: str = ""


CAMERA = [
    Case(name="black", does="black", kind="source_black", fault="black"),
    Case(name="covered", does="covered", kind="source_black", fault="covered"),
    Case(name="frozen", does="frozen", kind="source_black", fault="frozen"),
    Case(name="unplugged", does=GONE, kind="source_lost", again="source_back"),
    Case(name="taken by another program", does="busy", kind="source_lost", again="source_back"),
    Case(name="replaced by a virtual one", does="virtual", kind="virtual_device", again="source_back"),
]
MICROPHONE = [
    Case(name="muted in software", does="zeros", kind="source_silent", fault="silent"),
    Case(name="muted by a switch", does="hiss", kind="source_silent", fault="silent"),
    Case(name="unplugged", does=GONE, kind="source_lost", again="source_back"),
    Case(name="taken by another program", does="busy", kind="source_lost", again="source_back"),
    Case(name="replaced by a virtual one", does="virtual", kind="virtual_device", again="source_back"),
]
SCREEN = [
    Case(name="black", does="black", kind="source_black", fault="black"),
    Case(name="gone", does=GONE, kind="source_lost", again="source_back"),
]
FAULT_S, GOOD_S, FIRST_S = 4.0, 2.5, 12.0


@dataclass
class Story:
    """What the journal says, and when (seconds of session time) each case began and ended."""

    entries: list[Entry]
    began: Mapping[str, float]
    ended: Mapping[str, float]

    def incidents(self) -> list[tuple[float, Mapping[str, Json]]]:
        return [(e.at_ms / 1000, e.body) for e in self.entries if e.type is EntryType.INCIDENT]


class Plot:
    """Which of the cases is on at a moment; a case begins when a good time has passed."""

    def __init__(self, clock: ManualClock, cases: list[Case]) -> None:
        self._clock, self._start = clock, clock.now()
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.over, self.let_go = threading.Event(), threading.Event()
        at = FIRST_S
        self._parts: list[tuple[float, float, Case]] = []
        for case in cases:
            self._parts.append((at, at + FAULT_S, case))
            at += FAULT_S + GOOD_S
        self._end = at

    def now(self, step_s: float) -> str:
        """Let ``step_s`` pass and say what the device does now; blocks at the end of the story."""
        at = self._clock.now().seconds_since(self._start)
        if at >= self._end:
            self.over.set()
            assert self.let_go.wait(DEADLINE_S)
        self._clock.advance(step_s)
        for begin, end, case in self._parts:
            if begin <= at < end:
                self.began.setdefault(case.name, at)
                return case.does
            if at >= end and case.name not in self.ended:
                self.ended[case.name] = at
        return GOOD


class ScriptedCamera:
    """What OpenCV hands out; a new one per opening."""

    def __init__(self, plot: Plot, name: str) -> None:
        self._plot, self._name, self._last = plot, name, ROOM
        self._does = plot.now(0)
        if self._is_away():
            plot.now(1.0)  # so long until it is tried again

    def isOpened(self) -> bool:  # noqa: N802  (OpenCV's name)
        return not self._is_away()

    def set(self, *_: object) -> bool:
        return True

    def grab(self) -> bool:
        self._does = self._plot.now(1 / 15)
        return not self._is_away()

    def retrieve(self) -> tuple[bool, Picture]:
        if self._does != "frozen":
            grain = NOISE.integers(0, 3, ROOM.shape, dtype=np.uint8)
            self._last = grain if self._does == "black" else 90 + grain if self._does == "covered" else ROOM + grain
        return True, self._last

    def release(self) -> None: ...

    def _is_away(self) -> bool:
        return self._does in (GONE, "busy") or (self._does == "virtual" and self._name == OWN)


class ScriptedSound:
    """What sounddevice offers; ``block`` is what PortAudio's thread does."""

    class PortAudioError(Exception): ...

    default = SimpleNamespace(hostapi=0)

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._callback: Any = None
        self._known = self._opened = HEADSET
        self._wait_s = 0.0

    def _terminate(self) -> None:
        self._plot.now(self._wait_s)  # so long until it is tried, and tried again
        self._wait_s = 1.0

    def _initialize(self) -> None:
        """Look for devices, which it does at no other time."""
        self._known = {GONE: "", "virtual": MONITOR}.get(self._plot.now(0), HEADSET)

    def query_devices(self, *which: object) -> Any:
        listed = [{"index": 0, "name": self._known, "max_input_channels": 1, "hostapi": 0}] if self._known else []
        if which and not listed:
            raise self.PortAudioError("no such device")
        return listed[0] if which else listed

    def RawInputStream(self, **settings: Any) -> Any:  # noqa: N802  (sounddevice's name)
        if self._plot.now(0) == "busy":
            raise self.PortAudioError("device unavailable")
        self._callback, self._opened = settings["callback"], self._known
        return SimpleNamespace(start=lambda: None, abort=lambda: None, close=lambda: None)

    def block(self) -> None:
        does = self._plot.now(AUDIO_CHUNK / AUDIO_RATE)
        if does in (GONE, "busy") or (does == "virtual" and self._opened != MONITOR):
            self._plot.now(SILENT_S)  # the microphone waits so long for a block, and half a second to try again
            self._wait_s = 0.5
        else:
            sigma = {"zeros": 0.0, "hiss": 4.0}.get(does, 100.0)
            data = NOISE.normal(0, sigma, AUDIO_CHUNK).round().astype("<i2").tobytes()
            self._callback(data, AUDIO_CHUNK, None, SimpleNamespace(input_overflow=False))


class DrivenMicrophone(DeviceMicrophone):
    """Is called back when it reads, so that time never runs away from the recorder."""

    def __init__(self, clock: ManualClock, sound: ScriptedSound) -> None:
        super().__init__(clock, load=lambda: sound)
        self._sound = sound

    def read(self) -> AudioChunk:
        self._sound.block()
        return super().read()


class ScriptedDisplay:
    """What mss offers: a page that stands still, as pages do."""

    monitors = ({"left": 0, "top": 0, "width": 160, "height": 120},)

    def __init__(self, plot: Plot) -> None:
        self._plot = plot

    def grab(self, _: object) -> Any:
        does = self._plot.now(0)
        if does == GONE:
            self._plot.now(0.5)  # it is tried twice, and then a second later
            raise ScreenShotError("XGetImage() failed")
        image = np.dstack([ROOM * (does != "black"), np.full(ROOM.shape[:2], 255, np.uint8)])
        return SimpleNamespace(raw=image.tobytes(), width=160, height=120)

    def close(self) -> None: ...


def of_camera(clock: ManualClock, plot: Plot) -> Sources:
    def listed() -> list[CameraInfo]:
        return [CameraInfo(index=0, name=VIRTUAL if plot.now(0) == "virtual" else OWN)]

    def connect(_: int) -> ScriptedCamera:
        return ScriptedCamera(plot, listed()[0].name)

    return Sources(camera=DeviceCamera(0, 160, 120, 15, clock, connect=connect, cameras=listed))


def of_microphone(clock: ManualClock, plot: Plot) -> Sources:
    return Sources(microphone=DrivenMicrophone(clock, ScriptedSound(plot)))


def told(folder: Path, cases: list[Case], sources: Callable[[ManualClock, Plot], Sources]) -> Story:
    """Record while the device does what the cases say; return what the journal says of it."""
    clock = ManualClock()
    bench, plot = Bench(folder, clock), Plot(clock, cases)
    recording = bench.recording(sources(clock, plot))
    recording.start()
    assert plot.over.wait(DEADLINE_S)
    plot.let_go.set()
    recording.stop()
    recording.close()
    return Story(entries=bench.entries(), began=plot.began, ended=plot.ended)


@pytest.fixture(scope="module")
def camera_story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return told(tmp_path_factory.mktemp("camera"), CAMERA, of_camera)


@pytest.fixture(scope="module")
def microphone_story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(microphone, "_SILENT_DEVICE_S", 0.01)  # ``ScriptedSound`` lets the time pass
        yield told(tmp_path_factory.mktemp("microphone"), MICROPHONE, of_microphone)


@pytest.fixture(scope="module")
def screen_story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    def of_display(clock: ManualClock, plot: Plot) -> Sources:
        patch.setattr(mss, "MSS", lambda **_: ScriptedDisplay(plot))
        return Sources(screen=GrabbedScreen(5, clock))

    with pytest.MonkeyPatch.context() as patch:
        yield told(tmp_path_factory.mktemp("screen"), SCREEN, of_display)


def is_told(story: Story, case: Case) -> None:
    """Check that the case has its incident in time, and its end or the device's return."""
    began, ended = story.began[case.name], story.ended[case.name]
    during = [(at, body) for at, body in story.incidents() if began <= at < ended + GOOD_S]
    facts = [(at, body["facts"]) for at, body in during if body["kind"] == case.kind]
    mine = [(at, said) for at, said in facts if isinstance(said, dict) and said.get("fault", "") == case.fault]
    assert mine, f"{case.name} was not told; told were {[body['kind'] for _, body in during]}"
    assert mine[0][0] - began < LATEST_S
    if case.fault:
        assert mine[-1][0] >= ended  # the same incident again, with its end
    if case.again:
        back = [at for at, body in during if body["kind"] == case.again]
        assert len(back) == 1
        assert back[0] - ended < LATEST_S


@pytest.mark.parametrize("case", CAMERA, ids=lambda case: case.name)
def test_a_camera_that_is(case: Case, camera_story: Story) -> None:
    is_told(camera_story, case)


@pytest.mark.parametrize("case", MICROPHONE, ids=lambda case: case.name)
def test_a_microphone_that_is(case: Case, microphone_story: Story) -> None:
    is_told(microphone_story, case)


@pytest.mark.parametrize("case", SCREEN, ids=lambda case: case.name)
def test_a_screen_that_is(case: Case, screen_story: Story) -> None:
    is_told(screen_story, case)


def test_nothing_else_is_said_of_devices_that_work(
    camera_story: Story, microphone_story: Story, screen_story: Story
) -> None:
    for story, cases in ((camera_story, CAMERA), (microphone_story, MICROPHONE), (screen_story, SCREEN)):
        expected = {case.kind for case in cases} | {case.again for case in cases if case.again}
        said = {body["kind"] for _, body in story.incidents()}
        assert said - {"quality_lowered"} == expected  # a busy machine may encode slower than the story's time runs
        assert not [at for at, body in story.incidents() if at < FIRST_S and body["kind"] in expected]


def test_the_time_without_the_device_is_a_gap(camera_story: Story) -> None:
    gaps = [entry.body for entry in camera_story.entries if entry.type is EntryType.GAP]
    away = [gap for gap in gaps if gap["reason"] == "the device was lost"]
    assert len(away) == 3


def test_another_device_in_its_place_is_named(camera_story: Story, microphone_story: Story) -> None:
    for story, own, other in ((camera_story, OWN, VIRTUAL), (microphone_story, HEADSET, MONITOR)):
        names = [entry.body["name"] for entry in story.entries if entry.type is EntryType.SOURCE]
        assert names == [own, own, own, other]
