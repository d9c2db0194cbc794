"""Single sources: refusals in words, the screen on a real X server, pacing, and the time of sound."""

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import mss
import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.errors import Unsupported, UserFacing
from app.contract.times import Instant
from capture import refusals
from capture.camera import CameraInfo, DeviceCamera, list_cameras
from capture.microphone import DeviceMicrophone, list_microphones
from capture.pace import Pacer
from capture.pictures import fit, to_i420
from capture.playback import PlaybackCamera, PlaybackMicrophone
from capture.sample_clock import SampleClock
from capture.screen import open_screen
from capture.screen.composed import MOST_PIXELS, recordable
from capture.screen.grab import GrabbedScreen
from capture.sources import AUDIO_BLOCK, SourceLost
from tests.unit.virtual_screen import HEIGHT, WIDTH, VirtualScreen, virtual_screen


@pytest.fixture
def display() -> Iterator[VirtualScreen]:
    with virtual_screen() as screen:
        yield screen


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_no_camera_is_a_sentence() -> None:
    camera = DeviceCamera(0, 640, 480, 15, ManualClock(), cameras=list)
    with pytest.raises(UserFacing, match="Connect a camera") as refused:
        camera.open()
    assert refused.value.code == "E-CAMERA-NONE"


def test_a_camera_that_does_not_open_is_a_sentence_with_its_name(tmp_path: Path) -> None:
    camera = DeviceCamera(
        "Good camera",
        640,
        480,
        15,
        ManualClock(),
        connect=lambda _: cv2.VideoCapture(str(tmp_path / "nothing.mp4")),
        cameras=lambda: [CameraInfo(index=0, name="Bad camera"), CameraInfo(index=2, name="Good camera")],
    )
    with pytest.raises(UserFacing, match=r"“Good camera”.*Close other programs") as refused:
        camera.open()
    assert refused.value.code == "E-CAMERA-BUSY"


def test_a_missing_portaudio_names_the_package() -> None:
    def load() -> Any:
        raise OSError("PortAudio library not found")

    with pytest.raises(UserFacing, match="apt install libportaudio2") as refused:
        DeviceMicrophone(ManualClock(), load=load).open()
    assert refused.value.code == "E-LIBRARY"


def test_a_machine_without_a_microphone_is_a_sentence() -> None:
    class PortAudioError(Exception): ...

    def query_devices(*_: object) -> None:
        raise PortAudioError("no default input device")

    sound = SimpleNamespace(PortAudioError=PortAudioError, query_devices=query_devices)
    with pytest.raises(UserFacing, match="Connect a microphone") as refused:
        DeviceMicrophone(ManualClock(), load=lambda: sound).open()
    assert refused.value.code == "E-MICROPHONE-NONE"


def test_a_sample_that_is_no_film_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no film")
    for source in (
        PlaybackCamera(tmp_path / "x.mp4", 64, 48, 5, ManualClock()),
        PlaybackMicrophone(tmp_path / "none.wav", ManualClock()),
    ):
        with pytest.raises(UserFacing, match="Run the set-up again"):
            source.open()


def test_every_refusal_says_what_to_do() -> None:
    for refusal in (
        refusals.no_camera(),
        refusals.camera_busy("x"),
        refusals.camera_black(),
        refusals.no_microphone(),
        refusals.missing_library("x", "y"),
        refusals.no_screen("x", "Do y."),
    ):
        assert refusal.advice
        assert str(refusal).endswith(refusal.advice)


# --- screen -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":0"}, "Wayland"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "Wayland"),
        ({}, "there is no display"),
    ],
)
def test_a_screen_that_can_not_be_recorded_says_why(
    environment: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(Unsupported, match=why) as refused:
        open_screen(5, ManualClock(), environment)
    assert refused.value.code == "E-SCREEN-UNSUPPORTED"


def test_a_display_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(Unsupported, match="graphical desktop"):
        GrabbedScreen(5, ManualClock(), display=":4711").open()


def test_the_screen_is_recorded_as_it_is(display: VirtualScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    display.paint(200, 100, 50)
    screen = open_screen(5, ManualClock(), {"DISPLAY": display.name})
    screen.open()
    assert (screen.width, screen.height) == (WIDTH, HEIGHT)
    first, second = screen.read(), screen.read()
    assert first.image[300, 400].tolist() == [50, 100, 200]
    assert (first.unchanged, second.unchanged) == (False, True)
    assert second.image is first.image
    display.paint(0, 255, 0)
    third = screen.read()
    assert (third.unchanged, third.image[10, 10].tolist()) == (False, [0, 255, 0])
    screen.close()


def test_a_display_that_goes_away_is_lost_and_found_again(display: VirtualScreen) -> None:
    screen = GrabbedScreen(5, ManualClock(), display=display.name)
    screen.open()
    screen.read()
    display.end()
    with pytest.raises(SourceLost):
        screen.read()
    with pytest.raises(Unsupported):
        screen.open()
    screen.close()


def test_all_displays_are_one_picture(display: VirtualScreen) -> None:
    display.xrandr("--setmonitor", "left", "400/100x600/150+0+0", "screen")
    display.xrandr("--setmonitor", "right", "402/100x600/150+400+0", "none")
    screen = GrabbedScreen(5, ManualClock(), display=display.name)
    screen.open()
    display.fill(0, 400, (200, 0, 0))
    display.fill(400, 402, (0, 0, 200))
    image = screen.read().image
    screen.close()
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert (image[300, 10].tolist(), image[300, 790].tolist()) == ([0, 0, 200], [200, 0, 0])


def test_displays_that_come_and_go_change_the_picture_and_lose_nothing(display: VirtualScreen) -> None:
    screen = GrabbedScreen(5, ManualClock(), display=display.name)
    screen.open()
    assert screen.read().image.shape == (HEIGHT, WIDTH, 3)
    display.xrandr("--fb", "641x481")
    smaller = [screen.read() for _ in range(2)]
    assert {frame.image.shape for frame in smaller} == {(480, 640, 3)}
    assert not smaller[0].unchanged
    display.xrandr("--fb", f"{WIDTH}x{HEIGHT}")
    sizes = [screen.read().image.shape for _ in range(11)]  # it looks every two seconds
    assert sizes[-1] == (HEIGHT, WIDTH, 3)
    assert (screen.width, screen.height) == (WIDTH, HEIGHT)
    screen.close()


def test_looking_for_displays_changes_nothing_while_they_stay(
    display: VirtualScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, grabbed = [], []

    class Counted(mss.MSS):
        def __init__(self, display: str) -> None:
            super().__init__(display=display)
            opened.append(self)

        def grab(self, monitor: Any, /) -> Any:
            grabbed.append(self)
            return super().grab(monitor)

        def close(self) -> None:
            opened.remove(self)
            super().close()

    monkeypatch.setattr(mss, "MSS", Counted)
    screen = GrabbedScreen(5, ManualClock(), display=display.name)
    screen.open()
    for _ in range(25):
        screen.read()
    assert (len(set(grabbed)), opened) == (1, [grabbed[0]])
    screen.close()
    assert opened == []


def test_a_desktop_beyond_4k_is_scaled_and_keeps_its_shape() -> None:
    image = recordable(np.full((2160, 7680, 3), 9, np.uint8))
    rows, columns = image.shape[:2]
    assert rows * columns <= MOST_PIXELS
    assert columns / rows == pytest.approx(7680 / 2160, rel=0.01)
    assert (rows % 2, columns % 2) == (0, 0)
    assert recordable(np.zeros((601, 803, 3), np.uint8)).shape == (600, 802, 3)


def test_a_view_on_bgra_memory_is_converted_without_a_copy() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (48, 64, 4), dtype=np.uint8)
    view = np.frombuffer(pixels.tobytes(), np.uint8).reshape(48, 64, 4)[:, :, :3]
    assert np.array_equal(to_i420(view), to_i420(np.ascontiguousarray(view)))


def test_a_picture_of_another_shape_gets_black_bars() -> None:
    wide = np.full((360, 640, 3), 200, np.uint8)
    fitted = fit(wide, 640, 480)
    assert fitted.shape == (480, 640, 3)
    assert (fitted[30].max(), fitted[240].min()) == (0, 200)


# --- microphone -------------------------------------------------------------------------------------------------------


class Sound:
    """Stands in for sounddevice: the test calls the callback as PortAudio's thread would."""

    class PortAudioError(Exception): ...

    default = SimpleNamespace(hostapi=0)

    def query_devices(self, *which: object) -> Any:
        device = {"index": 0, "name": "Headset", "max_input_channels": 1, "hostapi": 0}
        return device if which else [device]

    def RawInputStream(self, **settings: Any) -> Any:  # noqa: N802  (sounddevice's name)
        self.settings = settings
        return SimpleNamespace(start=lambda: None, abort=lambda: None, close=lambda: None)

    def speak(self, value: int, *, overflow: bool = False) -> None:
        data = np.full(960, value, "<i2").tobytes()
        self.settings["callback"](data, 960, None, SimpleNamespace(input_overflow=overflow))


class Machine(Sound):
    """A sound system whose devices can be plugged in and out, and which looks only when it is started.

    While it is ``broken`` it does not start; one that did not start can't be ended, as PortAudio can't.
    """

    def __init__(self) -> None:
        self.plugged: list[tuple[str, int, int]] = []
        self.broken = False
        self._known: list[tuple[str, int, int]] = []
        self._is_started = True

    def _terminate(self) -> None:
        if not self._is_started:
            raise self.PortAudioError("Error terminating PortAudio: PortAudio not initialized [PaErrorCode -10000]")
        self._known, self._is_started = [], False

    def _initialize(self) -> None:
        if self.broken:
            raise self.PortAudioError("Error initializing PortAudio: Unanticipated host error [PaErrorCode -9999]")
        self._known, self._is_started = list(self.plugged), True

    def query_devices(self, *which: object) -> Any:
        listed = [
            {"index": index, "name": name, "max_input_channels": inputs, "hostapi": api}
            for index, (name, inputs, api) in enumerate(self._known)
        ]
        return next(one for one in listed if one["index"] == which[0]) if which else listed


def test_microphones_are_listed_as_they_are_plugged_in_each_with_a_name_of_its_own() -> None:
    machine = Machine()
    machine.plugged = [("Speakers", 0, 0), ("Headset", 1, 0), ("Headset", 2, 0), ("Headset", 1, 1)]
    assert [(m.index, m.name) for m in list_microphones(lambda: machine)] == [(1, "Headset"), (2, "Headset (2)")]
    machine.plugged = []
    assert list_microphones(lambda: machine) == []


def test_without_a_sound_system_there_are_no_microphones() -> None:
    def load() -> Any:
        raise OSError("PortAudio library not found")

    assert list_microphones(load) == []


def test_the_microphone_that_was_chosen_is_opened_wherever_it_is_plugged_in_again() -> None:
    machine = Machine()
    machine.plugged = [("Built-in", 1, 0), ("Headset", 1, 0)]
    machine._initialize()
    microphone = DeviceMicrophone(ManualClock(), "Headset", load=lambda: machine)
    microphone.open()
    assert (microphone.name, machine.settings["device"]) == ("Headset", 1)
    machine.plugged = [("Headset", 1, 0), ("Built-in", 1, 0)]
    microphone.open()
    assert (microphone.name, machine.settings["device"]) == ("Headset", 0)


def test_of_two_microphones_of_one_name_the_one_that_was_chosen_says_which_it_is() -> None:
    machine = Machine()
    machine.plugged = [("Headset", 1, 0), ("Headset", 1, 0)]
    machine._initialize()
    microphone = DeviceMicrophone(ManualClock(), "Headset (2)", load=lambda: machine)
    microphone.open()
    assert (microphone.name, machine.settings["device"]) == ("Headset (2)", 1)


def test_a_sound_system_that_once_did_not_start_is_started_when_it_can_be() -> None:
    machine = Machine()
    machine.plugged = [("Headset", 1, 0)]
    machine._initialize()
    microphone = DeviceMicrophone(ManualClock(), "Headset", load=lambda: machine)
    microphone.open()
    machine.broken = True
    for _ in range(2):
        with pytest.raises(UserFacing, match="Connect a microphone"):
            microphone.open()
    machine.broken = False
    microphone.open()
    assert microphone.name == "Headset"


def test_a_camera_whose_name_was_cut_within_a_character_is_listed(tmp_path: Path) -> None:
    node = tmp_path / "video4linux" / "video0"
    node.mkdir(parents=True)
    (node / "name").write_bytes("Kamera für das Büro im Haus:ü".encode()[:31] + b"\n")
    assert [(c.index, c.name) for c in list_cameras(tmp_path)] == [(0, "Kamera für das Büro im Haus:\ufffd")]


def test_cameras_are_listed_by_name_without_their_further_files(tmp_path: Path) -> None:
    for number, (name, index) in enumerate([("HD Webcam", 0), ("HD Webcam", 1), ("HD Webcam", 0), ("Other", 0)]):
        node = tmp_path / "video4linux" / f"video{number}"
        node.mkdir(parents=True)
        (node / "name").write_text(f"{name}\n")
        (node / "index").write_text(f"{index}\n")
    cameras = list_cameras(tmp_path)
    assert [(c.index, c.name) for c in cameras] == [(0, "HD Webcam"), (2, "HD Webcam (2)"), (3, "Other")]


def test_a_block_of_the_sound_system_is_read_in_chunks_each_at_its_own_time() -> None:
    clock, sound = ManualClock(), Sound()
    microphone = DeviceMicrophone(clock, load=lambda: sound)
    microphone.open()
    begin = clock.now()
    for number in range(2):
        clock.advance(0.1)
        pcm = np.arange(AUDIO_BLOCK, dtype="<i2") + number * AUDIO_BLOCK
        assert sound.settings["blocksize"] == len(pcm)
        sound.settings["callback"](pcm.tobytes(), len(pcm), None, SimpleNamespace(input_overflow=False))
    chunks = [microphone.read() for _ in range(10)]
    assert [chunk.seq for chunk in chunks] == list(range(10))
    assert [chunk.at.seconds_since(begin) for chunk in chunks] == pytest.approx([n * 0.02 for n in range(10)])
    assert np.concatenate([chunk.pcm for chunk in chunks]).tolist() == list(range(2 * AUDIO_BLOCK))


def test_what_the_sound_system_calls_back_with_is_what_is_read() -> None:
    clock, sound = ManualClock(), Sound()
    microphone = DeviceMicrophone(clock, load=lambda: sound)
    microphone.open()
    wanted = {"samplerate": 48_000, "blocksize": AUDIO_BLOCK, "channels": 1, "dtype": "int16"}
    assert wanted.items() <= sound.settings.items()
    start = clock.now()
    for value in (1, 2, 3):
        clock.advance(0.02)
        sound.speak(value, overflow=value == 3)
    chunks = [microphone.read() for _ in range(3)]
    assert microphone.name == "Headset"
    assert [int(chunk.pcm[0]) for chunk in chunks] == [1, 2, 3]
    assert [chunk.seq for chunk in chunks] == [0, 1, 3]  # the overflow counts as one lost
    assert [chunk.at.seconds_since(start) for chunk in chunks] == pytest.approx([0, 0.02, 0.04])
    microphone.close()
    with pytest.raises(SourceLost):
        microphone.read()


# --- times ------------------------------------------------------------------------------------------------------------


def test_footage_on_a_slow_machine_leaves_pictures_out_and_keeps_the_time(tmp_path: Path) -> None:
    """Picture n has a white bar at n; ticks pass while somebody is busy."""
    path = tmp_path / "bar.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 48))
    for number in range(40):
        image = np.zeros((48, 640, 3), np.uint8)
        image[:, 16 * number : 16 * number + 16] = 255
        writer.write(image)
    writer.release()
    clock = ManualClock()
    camera = PlaybackCamera(path, 640, 48, 10, clock)
    camera.open()
    shown = []
    for busy_s in (0, 0, 0.3, 0, 1.0, 0):
        clock.advance(busy_s)
        shown.append(int(camera.read().image[:, 8::16].mean(axis=(0, 2)).argmax()))
    assert shown == [0, 1, 4, 5, 15, 16]


def test_a_pacer_skips_what_is_late_or_catches_up() -> None:
    clock = ManualClock()
    skipping, catching = Pacer(10, clock, skip_late=True), Pacer(10, clock, skip_late=False)
    start = clock.now()
    skipping.wait()
    catching.wait()
    clock.advance(0.55)
    assert skipping.wait().seconds_since(start) == pytest.approx(0.5)
    assert [round(catching.wait().seconds_since(start), 3) for _ in range(6)] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_a_pacer_does_not_drift() -> None:
    clock = ManualClock()
    pacer = Pacer(15, clock, skip_late=True)
    start = pacer.wait()
    for _ in range(150):
        last = pacer.wait()
    assert last.seconds_since(start) == pytest.approx(10, abs=1e-6)


def arrivals(clock: SampleClock, times_s: list[float]) -> list[float]:
    return [clock.stamp(Instant(mono_ns=round(t * 1e9), utc_ms=round(t * 1000)), 960).mono_ns / 1e9 for t in times_s]


def test_blocks_of_sound_that_arrive_in_bursts_have_even_times() -> None:
    bursts = [1 + (n // 5 * 5 + 4) * 0.02 for n in range(400)]
    times = arrivals(SampleClock(48_000), bursts)
    assert all(b - a == pytest.approx(0.02, abs=1e-6) for a, b in pairwise(times))


def test_a_slow_sound_card_is_followed() -> None:
    """500 parts in a million slow: after 1,000 s, times by count alone would be half a second off."""
    times = arrivals(SampleClock(48_000), [1 + n * 0.02001 for n in range(50_000)])
    assert times[-1] == pytest.approx(1 + 49_999 * 0.02001 - 0.02, abs=0.03)


def test_after_lost_samples_the_next_block_is_timed_by_its_arrival() -> None:
    clock = SampleClock(48_000)
    arrivals(clock, [1.0, 1.02])
    clock.lost()
    assert arrivals(clock, [3.0]) == [pytest.approx(2.98)]
