"""Why a source can't be opened, in sentences that say what to do. Data only; the codes are stable."""

from app.contract.errors import Unsupported, UserFacing


def no_camera() -> UserFacing:
    """Return the refusal when the system has no camera."""
    return UserFacing("No camera was found.", advice="Connect a camera and check again.", code="E-CAMERA-NONE")


def camera_busy(name: str) -> UserFacing:
    """Return the refusal when a camera is there but gives no picture."""
    return UserFacing(
        f"The camera “{name}” can't be opened; another program may be using it.",
        advice="Close other programs that use the camera, allow access to it, and check again.",
        code="E-CAMERA-BUSY",
    )


def camera_black() -> UserFacing:
    """Return the refusal when the picture is black or covered (see ``capture.health``)."""
    return UserFacing(
        "The camera's picture is black.",
        advice="Open the camera's shutter, take off what covers it, turn on a light, and check again.",
        code="E-CAMERA-BLACK",
    )


def source_lost(why: str) -> UserFacing:
    """Return the refusal when a device opens but then gives nothing; ``why`` is its ``SourceLost``'s text."""
    return UserFacing(
        f"{why[:1].upper()}{why[1:]}.",
        advice="Connect the device again, close other programs that use it, and check again.",
        code="E-SOURCE-LOST",
    )


def no_microphone(why: str = "") -> UserFacing:
    """Return the refusal when no microphone can be recorded from; ``why`` is the sound system's own word."""
    return UserFacing(
        f"No microphone was found{f' ({why})' if why else ''}.",
        advice="Connect a microphone, allow access to it, and check again.",
        code="E-MICROPHONE-NONE",
    )


def no_screen(why: str, advice: str) -> Unsupported:
    """Return the refusal when this desktop's screen can't be recorded."""
    return Unsupported(f"The screen can't be recorded: {why}.", advice=advice, code="E-SCREEN-UNSUPPORTED")


def missing_library(what: str, package: str) -> UserFacing:
    """Return the refusal when a system library is missing; ``package`` is its name on Debian."""
    return UserFacing(
        f"The system library {what} is missing.",
        advice=f"Install it (on Debian and Ubuntu: sudo apt install {package}) and start again.",
        code="E-LIBRARY",
    )
