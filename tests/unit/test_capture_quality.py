"""What the policy says about quality is what the encoders do, for every codec; variable rate loses no moment."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Capture, Codec
from capture import codecs
from capture.codecs import FRAGMENT_MS, screen_crf, video_settings
from capture.encoder import AudioEncoder, VideoEncoder
from capture.fake import FakeMicrophone
from capture.fragments import Fragment
from capture.frames import Frame
from capture.pictures import Picture, to_i420
from capture.quality import LOWEST, STANDARD, Quality
from tests.unit.capture_parts import picture_times

GRAIN = np.random.default_rng(5).integers(0, 40, (8, 240, 320, 3)).astype(np.uint8)


def grainy(clock: ManualClock, track: Track, *, seconds: int, fps: int) -> list[Frame]:
    """Return pictures that no codec finds easy; a screen has more to draw than a camera has noise."""
    grain = GRAIN if track is Track.SCREEN else GRAIN // 4
    frames = []
    for seq in range(seconds * fps):
        frames.append(Frame(source=track, seq=seq, at=clock.now(), image=100 + grain[seq % 8]))
        clock.advance(1 / fps)
    return frames


def encoded_bytes(track: Track, codec: Codec, quality: Quality) -> int:
    clock = ManualClock()
    encoder = VideoEncoder(
        track, width=320, height=240, fps=10, codec=codec, timeline_origin=clock.now(), quality=quality
    )
    frames = grainy(clock, track, seconds=6, fps=10)
    return sum(len(f.data) for f in [f for frame in frames for f in encoder.encode(frame)] + encoder.finish())


@pytest.mark.parametrize("codec", list(Codec))
def test_the_camera_has_about_the_bits_that_the_policy_says(codec: Codec) -> None:
    few, many = (
        encoded_bytes(Track.CAMERA, codec, replace(STANDARD, camera_kbps=kbps)) * 8 / 6 / 1000 for kbps in (100, 600)
    )
    assert few == pytest.approx(100, rel=0.6)
    assert many == pytest.approx(600, rel=0.6)


@pytest.mark.parametrize("codec", list(Codec))
def test_a_better_screen_quality_spends_more(codec: Codec) -> None:
    sizes = [encoded_bytes(Track.SCREEN, codec, replace(STANDARD, screen_quality=quality)) for quality in (10, 60, 95)]
    assert sizes == sorted(sizes)
    assert sizes[2] > 2 * sizes[0]


def test_the_standard_quality_is_what_was_measured() -> None:
    assert Quality.wanted(Capture()) == STANDARD
    assert video_settings(Track.CAMERA, Codec.VP9, STANDARD).bit_rate == 300_000
    assert [screen_crf(codec, 60) for codec in Codec] == [40, 26, 40]
    for codec in Codec:
        factors = [screen_crf(codec, quality) for quality in range(1, 101)]
        assert factors == sorted(factors, reverse=True)


def test_libvpx_hears_that_it_is_to_work_at_its_quickest(monkeypatch: pytest.MonkeyPatch) -> None:
    quickest = encoded_bytes(Track.CAMERA, Codec.VP9, STANDARD)
    monkeypatch.setattr(codecs, "_VP9", {**codecs._VP9, "speed": "8"})
    assert encoded_bytes(Track.CAMERA, Codec.VP9, STANDARD) != quickest


def test_the_microphone_has_about_the_bits_that_the_policy_says() -> None:
    sizes = []
    for kbps in (12, 48):
        clock = ManualClock()
        source = FakeMicrophone(clock)
        source.open()
        encoder = AudioEncoder(clock.now(), quality=replace(STANDARD, microphone_kbps=kbps))
        fragments = [f for _ in range(250) for f in encoder.encode(source.read())] + encoder.finish()
        packets = sum(len(f.data) for f in fragments) - 250 * 12 - len(fragments) * 100  # without the boxes
        sizes.append(packets * 8 / 5 / 1000)
    assert sizes == pytest.approx([12, 48], rel=0.5)


def test_every_step_asks_for_less_and_none_for_nothing() -> None:
    steps = [STANDARD.lowered(step) for step in range(LOWEST + 1)]
    assert steps[0] == STANDARD
    for name in ("camera_kbps", "camera_fps", "screen_quality", "screen_fps"):
        values = [getattr(step, name) for step in steps]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1] > 0
    small = Quality(camera_kbps=50, camera_fps=2, screen_quality=5, screen_fps=1)
    assert small.lowered(LOWEST) == small


# --- variable rate ----------------------------------------------------------------------------------------------------


def screen(clock: ManualClock, *, changes: set[int], count: int) -> list[Frame]:
    """Return ``count`` grabs, 5 a second, of which those numbered ``changes`` differ from the one before."""
    frames, image = list[Frame](), GRAIN[0]
    for seq in range(count):
        if seq in changes:
            image = GRAIN[seq % 8]
        unchanged = seq > 0 and seq not in changes
        frames.append(Frame(source=Track.SCREEN, seq=seq, at=clock.now(), image=image, unchanged=unchanged))
        clock.advance(0.2)
    return frames


def new_screen(codec: Codec, first: Frame, *, is_variable: bool) -> VideoEncoder:
    return VideoEncoder(
        Track.SCREEN,
        width=320,
        height=240,
        fps=5,
        codec=codec,
        timeline_origin=first.at,
        variable_rate=is_variable,
    )


def variable(codec: Codec, frames: list[Frame]) -> tuple[VideoEncoder, list[Fragment]]:
    encoder = new_screen(codec, frames[0], is_variable=True)
    return encoder, [f for frame in frames for f in encoder.encode(frame)] + encoder.finish()


@pytest.mark.parametrize("codec", list(Codec))
def test_a_variable_rate_shows_each_change_and_each_second_and_has_no_hole(codec: Codec) -> None:
    encoder, fragments = variable(codec, screen(ManualClock(), changes={0, 3, 4, 30, 31, 47}, count=75))
    times = picture_times(encoder.init + b"".join(f.data for f in fragments))
    assert {round(t * 5) for t in times} >= {0, 3, 4, 30, 31, 47}
    assert len(times) < 30
    assert max(b - a for a, b in pairwise(times)) <= 1.0011
    assert all(a.start_ms + a.duration_ms == b.start_ms for a, b in pairwise(fragments))
    assert (fragments[0].start_ms, fragments[-1].start_ms + fragments[-1].duration_ms) == (0, 15_000)
    assert max(f.duration_ms for f in fragments) <= FRAGMENT_MS[Track.SCREEN]


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("is_variable", [True, False])
def test_a_crash_at_any_picture_costs_no_more_than_a_fragment(codec: Codec, is_variable: bool) -> None:
    clock = ManualClock()
    frames = screen(clock, changes={0, 3, 4, 30, 31, 47}, count=75)
    encoder = new_screen(codec, frames[0], is_variable=is_variable)
    out_ms = 0
    for number, frame in enumerate(frames):
        for fragment in encoder.encode(frame):
            out_ms = fragment.start_ms + fragment.duration_ms
        assert number * 200 - out_ms <= FRAGMENT_MS[Track.SCREEN]
    encoder.finish()


def test_segments_of_a_variable_rate_close_on_time_and_play_alone() -> None:
    encoder, fragments = variable(Codec.VP9, screen(ManualClock(), changes={0, 3, 30, 47}, count=75))
    opening = [f.start_ms for f in fragments if f.opens_segment]
    assert opening == [0, 5_000, 10_000]
    second = [f for f in fragments if 5_000 <= f.start_ms < 10_000]
    alone = encoder.init + b"".join(f.data for f in second)
    assert picture_times(alone)[0] == pytest.approx(5.0, abs=0.0011)
    assert second[-1].start_ms + second[-1].duration_ms == 10_000


def test_an_unchanged_grab_is_not_converted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    converted = 0

    def convert(image: Picture) -> Picture:
        nonlocal converted
        converted += 1
        return to_i420(image)

    monkeypatch.setattr("capture.encoder.to_i420", convert)
    clock = ManualClock()
    encoder = VideoEncoder(Track.SCREEN, width=320, height=240, fps=5, codec=Codec.VP9, timeline_origin=clock.now())
    frames = screen(clock, changes={0, 10}, count=25)
    fragments = [f for frame in frames for f in encoder.encode(frame)] + encoder.finish()
    assert converted == 2
    times = picture_times(encoder.init + b"".join(f.data for f in fragments))
    assert len(times) == 25  # the rate is constant all the same
