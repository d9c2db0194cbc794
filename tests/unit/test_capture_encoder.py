"""Fragments decode to the right pictures and sound at the right times, alone and together."""

import io
from dataclasses import replace
from itertools import pairwise

import av
import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Codec
from app.contract.times import Instant
from capture import fmp4, vp9
from capture.encoder import AudioEncoder, VideoEncoder
from capture.fake import FakeMicrophone, FakeVideo
from capture.fragments import Fragment
from capture.pictures import Picture, to_i420
from tests.unit.capture_parts import film, picture_times, sound_length


def segments(fragments: list[Fragment]) -> list[list[Fragment]]:
    """Cut at each fragment that opens a segment."""
    cut: list[list[Fragment]] = []
    for fragment in fragments:
        if fragment.opens_segment:
            cut.append([])
        cut[-1].append(fragment)
    return cut


def joined(init: bytes, fragments: list[Fragment]) -> bytes:
    return init + b"".join(fragment.data for fragment in fragments)


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize(("track", "fps", "longest_ms"), [(Track.CAMERA, 15, 250), (Track.SCREEN, 5, 1_000)])
def test_three_segments_decode_together_and_each_alone(codec: Codec, track: Track, fps: int, longest_ms: int) -> None:
    clock = ManualClock()
    origin = clock.now()
    clock.advance(1.25)
    encoder, fragments = film(clock, origin, seconds=15, codec=codec, track=track, fps=fps)

    times = picture_times(joined(encoder.init, fragments))
    assert times == pytest.approx([1.25 + n / fps for n in range(15 * fps)], abs=0.0011)
    cut = segments(fragments)
    assert [part[0].start_ms for part in cut] == [1_250, 6_250, 11_250]
    for number, part in enumerate(cut):
        alone = picture_times(joined(encoder.init, part))
        assert len(alone) == 5 * fps
        assert alone[0] == pytest.approx(1.25 + 5 * number, abs=0.0011)
    assert max(fragment.duration_ms for fragment in fragments) <= longest_ms
    assert all(a.start_ms + a.duration_ms == b.start_ms for a, b in pairwise(fragments))


def test_the_picture_that_comes_out_is_the_one_that_went_in() -> None:
    clock = ManualClock()
    source = FakeVideo(clock, width=320, height=240)
    source.open()
    frames = [source.read() for _ in range(15)]
    encoder = VideoEncoder(Track.CAMERA, width=320, height=240, fps=15, codec=Codec.VP9, timeline_origin=frames[0].at)
    fragments = [f for frame in frames for f in encoder.encode(frame)] + encoder.finish()
    with av.open(io.BytesIO(joined(encoder.init, fragments)), "r") as container:
        decoded = [picture.to_ndarray(format="bgr24") for picture in container.decode(video=0)]
    for frame, picture in zip(frames, decoded, strict=True):
        assert np.abs(frame.image.astype(int) - picture.astype(int)).mean() < 12


def test_a_missing_picture_is_the_last_one_again() -> None:
    clock = ManualClock()
    source = FakeVideo(clock, fps=15)
    source.open()
    frames = [source.read() for _ in range(30)]
    encoder = VideoEncoder(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=frames[0].at)
    kept = frames[:10] + frames[14:]
    fragments = [f for frame in kept for f in encoder.encode(frame)] + encoder.finish()
    assert len(picture_times(joined(encoder.init, fragments))) == 30


def test_two_pictures_for_one_place_make_one() -> None:
    clock = ManualClock()
    origin = clock.now()
    source = FakeVideo(clock, fps=30)
    source.open()
    encoder = VideoEncoder(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=origin)
    fragments = [f for _ in range(60) for f in encoder.encode(source.read())] + encoder.finish()
    assert len(picture_times(joined(encoder.init, fragments))) == pytest.approx(30, abs=1)


def test_what_stands_in_for_a_lost_camera_goes_black_after_a_second() -> None:
    clock = ManualClock()
    source = FakeVideo(clock)
    source.open()
    first = source.read()
    encoder = VideoEncoder(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=first.at)
    fragments = encoder.encode(first)
    clock.advance(4)
    fragments += encoder.fill(clock.now()) + encoder.finish()
    with av.open(io.BytesIO(joined(encoder.init, fragments)), "r") as container:
        means = [picture.to_ndarray(format="gray").mean() for picture in container.decode(video=0)]
    assert len(means) == 60
    assert min(means[:15]) > 50
    assert max(means[20:]) < 20


def test_after_a_long_sleep_there_is_a_hole_and_a_key_picture() -> None:
    clock = ManualClock()
    source = FakeVideo(clock)
    source.open()
    encoder = VideoEncoder(Track.CAMERA, width=160, height=120, fps=15, codec=Codec.VP9, timeline_origin=clock.now())
    fragments = [f for _ in range(15) for f in encoder.encode(source.read())]
    clock.advance(3_600)
    fragments += [f for _ in range(15) for f in encoder.encode(source.read())] + encoder.finish()
    assert len(picture_times(joined(encoder.init, fragments))) == 30
    after = [f for f in fragments if f.start_ms > 3_600_000]
    assert after[0].opens_segment


def test_an_unchanged_picture_is_not_converted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    converted = []

    def counting(image: Picture) -> Picture:
        converted.append(image.shape)
        return to_i420(image)

    monkeypatch.setattr("capture.encoder.to_i420", counting)
    clock = ManualClock()
    source = FakeVideo(clock, track=Track.SCREEN, fps=5, still=True)
    source.open()
    encoder = VideoEncoder(Track.SCREEN, width=160, height=120, fps=5, codec=Codec.VP9, timeline_origin=clock.now())
    for _ in range(10):
        encoder.encode(source.read())
    assert len(converted) == 5


def test_an_unchanged_picture_is_not_encoded_again_in_vp9() -> None:
    clock = ManualClock()
    source = FakeVideo(clock, track=Track.SCREEN, fps=5, still=True)
    source.open()
    encoder = VideoEncoder(Track.SCREEN, width=160, height=120, fps=5, codec=Codec.VP9, timeline_origin=clock.now())
    fragments = [f for _ in range(20) for f in encoder.encode(source.read())] + encoder.finish()
    with av.open(io.BytesIO(joined(encoder.init, fragments)), "r") as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.size]
    assert (len(sizes), sizes.count(1)) == (20, 10)
    assert len(picture_times(joined(encoder.init, fragments))) == 20


@pytest.mark.parametrize(
    ("frame", "again"),
    [
        pytest.param("8249834200", "88", id="key: kept everywhere"),
        pytest.param("860040", "88", id="kept in slot 0"),
        pytest.param("860300", "8a", id="kept in slots 2 and 3"),
        pytest.param("870800", "8b", id="error resilient, kept in slot 3"),
        pytest.param("860000", None, id="kept nowhere"),
        pytest.param("840040", None, id="not shown"),
        pytest.param("a60040", None, id="profile 1"),
        pytest.param("88", None, id="itself such a frame"),
        pytest.param("", None, id="empty"),
    ],
)
def test_which_vp9_frame_can_be_shown_again(frame: str, again: str | None) -> None:
    assert vp9.repeated(bytes.fromhex(frame)) == (None if again is None else bytes.fromhex(again))


def test_unchanged_after_a_dropped_picture_is_converted() -> None:
    """The picture it equals was never seen by the encoder."""
    clock = ManualClock()
    source = FakeVideo(clock, track=Track.SCREEN, fps=5)
    source.open()
    white = np.full((120, 160, 3), 255, np.uint8)
    first, _dropped, last = source.read(), source.read(), source.read()
    encoder = VideoEncoder(Track.SCREEN, width=160, height=120, fps=5, codec=Codec.VP9, timeline_origin=first.at)
    fragments = encoder.encode(first) + encoder.encode(replace(last, image=white, unchanged=True)) + encoder.finish()
    with av.open(io.BytesIO(joined(encoder.init, fragments)), "r") as container:
        pictures = [picture.to_ndarray(format="gray") for picture in container.decode(video=0)]
    assert pictures[-1].mean() > 230


def test_the_codecs_string_is_what_the_init_segment_says() -> None:
    clock = ManualClock()
    expected = {
        (Codec.VP9, 640, 480): "vp09.00.30.08",
        (Codec.VP9, 1920, 1080): "vp09.00.40.08",
        (Codec.H264, 640, 480): "avc1.42c016",
        (Codec.AV1, 640, 480): "av01.0.04M.08",
    }
    for (codec, width, height), name in expected.items():
        encoder = VideoEncoder(
            Track.CAMERA, width=width, height=height, fps=15, codec=codec, timeline_origin=clock.now()
        )
        assert encoder.mime == f'video/mp4; codecs="{name}"'
        encoder.finish()


def test_h264_start_codes_become_lengths() -> None:
    packet = b"\0\0\0\1\x67AB" + b"\0\0\1\x68C" + b"\0\0\0\1\x65DEF"
    assert fmp4.avc_sample(packet) == b"\0\0\0\3\x67AB" + b"\0\0\0\2\x68C" + b"\0\0\0\4\x65DEF"


def test_sound_decodes_at_its_time_and_each_segment_alone() -> None:
    clock = ManualClock()
    origin = clock.now()
    clock.advance(2.0)
    source, encoder = FakeMicrophone(clock), AudioEncoder(origin)
    source.open()
    fragments = [f for _ in range(750) for f in encoder.encode(source.read())] + encoder.finish()
    assert encoder.mime == 'audio/mp4; codecs="opus"'
    start, samples = sound_length(joined(encoder.init, fragments))
    assert start == pytest.approx(2.0, abs=0.02)
    assert samples == pytest.approx(15 * 48_000, abs=960)
    assert {f.duration_ms for f in fragments[:-1]} == {500}
    assert all(f.opens_segment for f in fragments)
    start, samples = sound_length(joined(encoder.init, fragments[10:20]))
    assert start == pytest.approx(7.0, abs=0.02)
    assert samples == pytest.approx(5 * 48_000, abs=960)


def test_a_fragment_of_sound_is_there_with_its_last_chunk_whatever_was_missing() -> None:
    """It is encoded at once, but not later than if it had been bit by bit."""
    origin = Instant(mono_ns=10**9, utc_ms=0)
    source, encoder = FakeMicrophone(ManualClock()), AudioEncoder(origin)
    source.open()
    template, hole_ms, told_ms = source.read(), 0, 0
    for number in range(600):
        if number == 400:
            hole_ms, told_ms = 12_000, number * 20 + 12_000  # too long for silence to stand in
        at_ms = number * 20 + hole_ms
        if number % 130 < 110:
            chunk = replace(template, at=Instant(mono_ns=origin.mono_ns + at_ms * 1_000_000, utc_ms=0))
            ends = [fragment.start_ms + fragment.duration_ms for fragment in encoder.encode(chunk)]
            told_ms = max([told_ms, *ends])
            assert at_ms + 20 - told_ms < 520, "as much as a fragment waits"
    encoder.finish()


def test_missing_sound_is_silence_and_the_rest_stays_in_place() -> None:
    clock = ManualClock()
    source, encoder = FakeMicrophone(clock), AudioEncoder(clock.now())
    source.open()
    chunks = [source.read() for _ in range(150)]
    fragments = [f for chunk in chunks[:50] + chunks[100:] for f in encoder.encode(chunk)] + encoder.finish()
    with av.open(io.BytesIO(joined(encoder.init, fragments)), "r") as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(sound) == pytest.approx(3 * 48_000, abs=1_000)
    loud = np.abs(sound.reshape(-1)[: 3 * 48_000 // 480 * 480 - 480].reshape(-1, 480)).max(axis=1)
    assert loud[20:95].min() > 0.1
    assert loud[105:195].max() < 0.02
    assert loud[210:280].min() > 0.1


def test_a_sound_card_that_runs_fast_is_held_to_the_clock() -> None:
    """Chunks of 20 ms that come every 19.8 ms: after 60 s sound is 100 ms behind at most."""
    origin = Instant(mono_ns=10**9, utc_ms=0)
    source, encoder = FakeMicrophone(ManualClock()), AudioEncoder(origin)
    source.open()
    template, ends = source.read(), []
    for number in range(3_030):
        at = Instant(mono_ns=10**9 + number * 19_800_000, utc_ms=0)
        ends += [f.start_ms + f.duration_ms for f in encoder.encode(replace(template, seq=number, at=at))]
    assert ends[-1] <= 3_030 * 19.8 + 120
    encoder.finish()


def test_sound_of_another_rate_is_refused() -> None:
    clock = ManualClock()
    source, encoder = FakeMicrophone(clock), AudioEncoder(clock.now())
    source.open()
    with pytest.raises(ValueError, match="48000"):
        encoder.encode(replace(source.read(), rate=44_100))
    encoder.finish()
