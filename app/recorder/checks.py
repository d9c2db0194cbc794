"""The checks before the exam: each says in one sentence what was found and, if it is not right, what to do."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.contract.errors import FairlockError, UserFacing
from app.contract.incidents import Track
from app.contract.policy import Policy
from app.messages import Check
from app.recorder.client import ServerClient
from app.recorder.sources import Sources
from capture.frames import Frame
from capture.sources import AudioSource, VideoSource

LEAST_FREE_MIB = 500
BLACK_LEVEL = 8
FRAMES_TO_WAKE = 20

TITLES = {Track.CAMERA: "Camera", Track.MICROPHONE: "Microphone", Track.SCREEN: "Screen"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What the checks look at."""

    policy: Policy
    client: ServerClient
    sources: Sources
    folder: Path
    models: Callable[[], dict[str, str]]


def run_checks(context: CheckContext) -> Iterator[Check]:
    """Yield the result of one check after another; none of them raises."""
    yield _check("Server", lambda: _server(context))
    yield _check("Disk", lambda: _disk(context))
    for source in context.sources:
        yield _check(TITLES[source.track], lambda source=source: _source(source))  # type: ignore[misc]  # bound now
    yield _check("Detection", lambda: _detection(context), blocking=False)


def _check(name: str, probe: Callable[[], str], *, blocking: bool = True) -> Check:
    try:
        return Check(name=name, ok=True, blocking=blocking, message=probe())
    except FairlockError as error:
        return Check(name=name, ok=False, blocking=blocking, message=str(error))
    except OSError as error:
        advice = "Close other programs and try again; if it stays, restart the computer."
        return Check(name=name, ok=False, blocking=blocking, message=f"{error.strerror or error}. {advice}")


def _server(context: CheckContext) -> str:
    context.client.policy(context.policy.exam)
    return "Your institution's server answers."


def _disk(context: CheckContext) -> str:
    free_mib = shutil.disk_usage(context.folder).free // 2**20
    if free_mib < LEAST_FREE_MIB:
        raise UserFacing(
            f"Only {free_mib} MB are free on the disk.",
            advice=f"Free at least {LEAST_FREE_MIB} MB and check again.",
            code="E-DISK-FULL",
        )
    return f"{free_mib / 1024:.0f} GB are free."


def _source(source: VideoSource | AudioSource) -> str:
    source.open()
    try:
        first = source.read()
        if source.track is Track.CAMERA and isinstance(first, Frame):
            _not_black(source, first)
    finally:
        source.close()
    return f"{source.name} works." if source.origin.value == "device" else f"{source.name} stands in for a device."


def _not_black(source: VideoSource | AudioSource, frame: Frame) -> None:
    """Cameras need some pictures to adjust; black after that is black."""
    for _ in range(FRAMES_TO_WAKE):
        if frame.image.max() > BLACK_LEVEL:
            return
        following = source.read()
        if isinstance(following, Frame):
            frame = following
    raise UserFacing(
        "The camera's picture is black.",
        advice="Open its cover, close other programs that use it, and check again.",
        code="E-CAMERA-BLACK",
    )


def _detection(context: CheckContext) -> str:
    names = context.models()
    if not names:
        raise UserFacing(
            "No detection model is here; the recording works without.",
            advice="Run `fairlock models --fetch` while online.",
            code="E-MODEL-MISSING",
        )
    return "; ".join(f"{task}: {name}" for task, name in sorted(names.items()))
