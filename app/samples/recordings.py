"""The story told with the test media beside a source checkout: real webcam frames and real speech.

Owns which files are used. Reads them only; the attribution that their licences ask for goes beside the footage.
"""

import csv
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.samples.story import OUTLINE, SPEECH_AT, Story, length, speech_truth
from capture.samples import Scene, Speech

_PERSON = "webcam_gaze/center_left_center.mp4"
_PERSON_WINDOW = (0, 0, 480, 660)
_ROOM = "presence/one-by-one-person-detection.mp4"
_ROOM_WINDOW = (96, 0, 576, 432)
_ROOM_EMPTY_S = 4.0  # a person comes in at 6.5 s
_TWO = "images/two_people.jpg"
_TWO_WINDOW = (120, 0, 881, 661)
_CONVERSATION = "speech/sample.wav"
# Stretches of talk without a long pause, from speech/sample.rttm.
_TALK = ((10.57, 14.70), (21.78, 28.50))
_PHONES = tuple(
    f"webcam_objects/images/{name}.jpg"
    for name in ("train_157_6d8037", "train_155_4b202a", "train_164_94801a", "valid_161_5b3ac9", "valid_159_b8d442")
)
_FILES = (_PERSON, _ROOM, _TWO, _CONVERSATION, *_PHONES)


def can_tell(media: Path) -> bool:
    """Whether every file that the story needs is in ``media``."""
    return all((media / name).is_file() for name in _FILES)


def tell(media: Path) -> Story:
    """Return the story."""
    phones = tuple((media / name).read_bytes() for name in _PHONES)
    empty = Scene(seconds=_ROOM_EMPTY_S, clip=media / _ROOM, window=_ROOM_WINDOW)
    scenes = (
        _person(media, length(0), 0.0),
        Scene(seconds=length(1), stills=phones),
        _person(media, length(2), 0.5),
        empty,
        replace(empty, seconds=length(3) - _ROOM_EMPTY_S, start_s=0.5),
        _person(media, length(4), 0.5),
        Scene(seconds=length(5), stills=((media / _TWO).read_bytes(),), window=_TWO_WINDOW),
        _person(media, length(6), 0.5),
    )
    rate, speeches = _speeches(media / _CONVERSATION)
    return Story(
        scenes=scenes,
        speeches=speeches,
        speech_rate=rate,
        description="sample footage: real webcam pictures and real speech, put together from test media",
        truth=OUTLINE + speech_truth(speeches, rate),
        credits=_credits(media),
    )


def _person(media: Path, seconds: float, start_s: float) -> Scene:
    return Scene(seconds=seconds, clip=media / _PERSON, start_s=start_s, window=_PERSON_WINDOW)


def _speeches(path: Path) -> tuple[int, tuple[Speech, ...]]:
    with wave.open(str(path), "rb") as sound:
        rate = sound.getframerate()
        pcm = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.int16)
    parts = [pcm[round(begin * rate) : round(end * rate)] for begin, end in _TALK]
    return rate, tuple(Speech(at_s=at, pcm=part) for at, part in zip(SPEECH_AT, parts, strict=True))


def _credits(media: Path) -> str:
    """Return the rows of the media's own list, which names source, commit and licence of each file."""
    lines = ["This footage was put together from these files (file, source, path, commit, licence, shows):", ""]
    manifest = media / "MANIFEST.tsv"
    if manifest.is_file():
        with manifest.open(encoding="utf-8", newline="") as table:
            rows = csv.reader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
            lines += [" | ".join(row) for row in rows if row and row[0] in _FILES]
    return "\n".join(lines) + "\n"
