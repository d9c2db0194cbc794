"""Make the sample footage once, or find it where it was made before.

Owns the folder of finished footage. Called at set-up, in the caller's thread.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.contract.errors import FairlockError, UserFacing
from app.models.sources import beside_checkout
from app.samples import packages, recordings
from app.samples.story import SECONDS, Story, Truth
from capture.samples import write_footage, write_sound

_RECIPE = 1  # raise it when the same inputs should give other footage
_CAMERA, _MICROPHONE, _CREDITS, _CARD = "camera.avi", "microphone.wav", "ATTRIBUTION.txt", "samples.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Finished footage: 40 s, to be played in a loop.

    ``camera`` is 640×480 at 15 pictures a second, ``microphone`` mono; ``description`` is for screen and report;
    ``truth`` says what is in it: ("person" | "phone" | "nobody" | "second person" | "speech", from, to) in seconds.
    """

    camera: Path
    microphone: Path
    description: str
    truth: Truth


def ensure_samples(folder: Path, *, progress: Callable[[str], None], shared_media: Path | None = None) -> Samples:
    """Return the sample footage in ``folder``, made now if it is not there yet.

    ``shared_media`` is a folder of test media; by default the one beside a source checkout. Where there is none, the
    footage is put together from pictures in registry packages. Raises ``UserFacing`` (E-SAMPLE) where neither works.
    """
    media = shared_media if shared_media is not None else beside_checkout("media")
    telling, name = _choose(media)
    target = folder / name
    if not (target / _CARD).is_file():
        try:
            story = telling(progress)
            progress("Composing the sample footage (40 s)")
            _write(story, target)
        except UserFacing:
            raise
        except (FairlockError, OSError) as error:
            raise UserFacing(
                f"The sample footage can't be made: {error}",
                advice="Connect a camera and a microphone, or connect to the internet and try again.",
                code="E-SAMPLE",
            ) from error
    return _read(target)


def _choose(media: Path | None) -> tuple[Callable[[Callable[[str], None]], Story], str]:
    """Return how to tell the story, and a name for the result that changes with what it is made of."""
    if media is not None and recordings.can_tell(media):
        place = hashlib.sha256(str(media.resolve()).encode()).hexdigest()[:8]
        return lambda _progress: recordings.tell(media), f"media-{place}-{_RECIPE}"
    voice = "spoken" if packages.can_speak() else "silent"
    return packages.tell, f"packages-{voice}-{_RECIPE}"


def _write(story: Story, target: Path) -> None:
    """Write everything into a folder aside, then move it into place, so that half a result is never found."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_footage(partial / _CAMERA, story.scenes)
    write_sound(partial / _MICROPHONE, SECONDS, story.speech_rate, story.speeches)
    (partial / _CREDITS).write_text(story.credits, encoding="utf-8")
    card = {"description": story.description, "truth": story.truth}
    (partial / _CARD).write_text(json.dumps(card, indent=1), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)


def _read(target: Path) -> Samples:
    card: dict[str, Any] = json.loads((target / _CARD).read_text("utf-8"))
    return Samples(
        camera=target / _CAMERA,
        microphone=target / _MICROPHONE,
        description=card["description"],
        truth=tuple((str(what), float(begin), float(end)) for what, begin, end in card["truth"]),
    )
