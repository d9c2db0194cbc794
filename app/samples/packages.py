"""The story told with pictures that packages of the registry carry, and a synthetic voice.

Owns which packages: scikit-image (NASA's public-domain portrait of Eileen Collins) and ultralytics (a street scene).
They are opened, never installed; no torch. For machines that reach nothing but a package registry.
"""

import tempfile
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.contract.errors import Unsupported
from app.external import find_program, run_external
from app.models import registry
from app.samples.story import OUTLINE, SPEECH_AT, Story, length, speech_truth
from capture.samples import Scene, Speech

SCIKIT_IMAGE = registry.Archive(
    package="scikit-image",
    version="0.26.0",
    archive="scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
)
ULTRALYTICS = registry.Archive(
    package="ultralytics",
    version="8.4.190",
    archive="ultralytics-8.4.190-py3-none-any.whl",
    sha256="bd309728efa168af64d39040136828edd2dbcb4aeceb4510bdff4f3ca0ea01b8",
)
PORTRAIT, _PORTRAIT_WINDOW = "skimage/data/astronaut.png", (104, 0, 320, 240)
STREET, _STREET_WINDOW = "ultralytics/assets/bus.jpg", (0, 380, 320, 240)

VOICE = "espeak-ng"
_SENTENCES = (
    "Wait a moment. What did you get for question three?",
    "I think the answer is the second one. Look at the page again, and then write it down.",
)
_SILENT_RATE = 16_000

_CREDITS = """\
This footage was put together from pictures inside packages of the Python registry:

scikit-image 0.26.0, skimage/data/astronaut.png: portrait of Eileen Collins by NASA, public domain.
ultralytics 8.4.190, ultralytics/assets/bus.jpg: Ultralytics, AGPL-3.0.

The empty room and the telephone are drawn. The voice, where there is one, is made by eSpeak NG.
"""


def can_speak() -> bool:
    """Whether this machine has the program that makes the voice."""
    return find_program(VOICE) is not None


def tell(progress: Callable[[str], None]) -> Story:
    """Return the story. Raises ``Retryable`` where the registry can't be reached."""
    portrait = _picture(SCIKIT_IMAGE, PORTRAIT, progress)
    street = _picture(ULTRALYTICS, STREET, progress)
    rate, speeches = _speeches(progress)
    voice = "a synthetic voice" if speeches else f"no speech, because the program {VOICE} is missing"
    return Story(
        scenes=_scenes(portrait, street),
        speeches=speeches,
        speech_rate=rate,
        description=f"sample footage: moved still pictures, a drawn room, a drawn telephone and {voice}",
        truth=OUTLINE + speech_truth(speeches, rate),
        credits=_CREDITS,
    )


def _picture(archive: registry.Archive, member: str, progress: Callable[[str], None]) -> bytes:
    progress(f"Fetching the package {archive.title} for a picture in it")
    return registry.members(registry.fetch_archive(archive, progress=progress), member)[member]


def _scenes(portrait: bytes, street: bytes) -> tuple[Scene, ...]:
    shows = {
        "person": Scene(seconds=0, stills=(portrait,), window=_PORTRAIT_WINDOW),
        "phone": Scene(seconds=0, stills=(portrait,), window=_PORTRAIT_WINDOW, phone=True),
        "nobody": Scene(seconds=0),
        "second person": Scene(seconds=0, stills=(street,), window=_STREET_WINDOW),
    }
    return tuple(replace(shows[what], seconds=length(index)) for index, (what, _, _) in enumerate(OUTLINE))


def _speeches(progress: Callable[[str], None]) -> tuple[int, tuple[Speech, ...]]:
    if not can_speak():
        progress(f"The sample sound has no speech: install {VOICE} (apt-get install {VOICE}) to have some.")
        return _SILENT_RATE, ()
    spoken = [_spoken(sentence) for sentence in _SENTENCES]
    return spoken[0][0], tuple(Speech(at_s=at, pcm=pcm) for at, (_, pcm) in zip(SPEECH_AT, spoken, strict=True))


def _spoken(sentence: str) -> tuple[int, NDArray[np.int16]]:
    with tempfile.TemporaryDirectory(prefix="fairlock-voice-") as folder:
        path = Path(folder, "voice.wav")
        done = run_external([VOICE, "-v", "en", "-s", "150", "-w", str(path), sentence], timeout_s=30)
        if done.status != 0 or not path.is_file():
            raise Unsupported(
                f"The program {VOICE} made no sound.", advice=f"Check that {VOICE} works.", code="E-PROGRAM-FAILED"
            )
        with wave.open(str(path), "rb") as sound:
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.int16)
            return sound.getframerate(), pcm
