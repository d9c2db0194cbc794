"""Files that are not what their name says, and policies that leave nothing to play: told truly, ending nothing."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from app.contract.errors import UserFacing
from app.contract.policy import Detection
from app.evaluation import cli
from app.evaluation.goals import measuring_policy
from capture.stored import stored_frames, stored_picture, stored_sound
from detectors.build import Detectors
from tests.unit.drawn_recordings import BLUE, colours_and_loudness, drawn, media, sound


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[], Detectors]:
    """Build detectors that see colours and hear loudness."""
    return colours_and_loudness(tmp_path)


def _timeless(path: Path) -> None:
    """Write a bare H.264 stream: pictures without times."""
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(5):
            frame = av.VideoFrame.from_ndarray(drawn(BLUE), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _heard_only(path: Path) -> None:
    """Write a second of sound as browsers record it."""
    with av.open(str(path), "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.full((1, 48_000), 900, np.int16), format="s16", layout="mono")
        samples.rate = 48_000
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))


def test_pictures_without_times_end_nothing(tmp_path: Path, fresh: Callable[[], Detectors]) -> None:
    folder = media(tmp_path / "media")
    _timeless(folder / "desk/a.mp4")
    result = cli.evaluate(folder, policy=measuring_policy(), fresh=fresh, only="desk")
    assert [one.recording.name for one in result.replays] == ["desk/exam.avi", "desk/honest.avi"]
    assert result.chosen.unplayed == {
        "desk/a.mp4": "desk/a.mp4 can't be read: it does not say when its pictures were taken. "
        "Take it out of the folder, or save it in a usual format."
    }


def test_sound_in_a_video_is_told_and_can_be_heard_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "talk.webm"
    _heard_only(path)
    with pytest.raises(
        UserFacing, match=r"holds sound and no pictures\. Let its name end in that of a sound"
    ) as refused:
        next(stored_frames(path, rate=15, longest=640))
    assert refused.value.code == "E-RECORDING"
    assert len(list(stored_sound(path.rename(tmp_path / "talk.ogg")))) >= 49


def test_what_holds_no_sound_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    _timeless(path)
    with pytest.raises(UserFacing, match="it holds no sound"):
        next(stored_sound(path))


def test_sound_that_changes_its_form_is_told_as_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resampler refuses it, and not as FFmpeg does."""
    path = tmp_path / "a.wav"
    sound(path, (1, 900))

    class Refuses:
        def __init__(self, **_: object) -> None:
            pass

        def resample(self, _frame: object) -> None:
            raise ValueError("Frame does not match AudioResampler setup.")

    monkeypatch.setattr(av, "AudioResampler", Refuses)
    with pytest.raises(UserFacing, match="does not match") as refused:
        next(stored_sound(path))
    assert refused.value.code == "E-RECORDING"


def test_a_picture_larger_than_any_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), drawn(BLUE))
    data = bytearray(path.read_bytes())
    data[16:24] = (60_000).to_bytes(4) * 2  # width and height in a PNG's first chunk
    path.write_bytes(data)
    with pytest.raises(UserFacing) as refused:
        stored_picture(path, longest=640)
    assert refused.value.code == "E-RECORDING"


@pytest.mark.parametrize("loud_noise", [False, True])
def test_a_policy_with_nothing_to_look_for_is_told_as_that(tmp_path: Path, loud_noise: bool) -> None:
    """There may well be models; loud noises need one of speech."""
    sound(tmp_path / "a.wav", (1, 900))
    with pytest.raises(UserFacing, match=r"nothing looks and nothing listens .* Switch on objects, faces or speech"):
        cli.evaluate(tmp_path, policy=Detection(objects=False, faces=False, speech=False, loud_noise=loud_noise))
