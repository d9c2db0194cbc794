"""Hints: what would make the camera's picture better. Help for the candidate, kept as quality, never an incident."""

from collections.abc import Mapping
from enum import StrEnum


class Hint(StrEnum):
    """What is in the way of seeing the candidate's face; the more basic comes first."""

    DARK = "dark"
    BACKLIT = "backlit"
    CUT_OFF = "cut_off"
    TOO_FAR = "too_far"
    TOO_NEAR = "too_near"
    BLURRED = "blurred"


HINTS: Mapping[Hint, str] = {
    Hint.DARK: "The picture is dark: switch on a light or turn towards a window.",
    Hint.BACKLIT: "The light is behind you: turn so that it falls on your face, or draw a curtain.",
    Hint.CUT_OFF: "Your face is cut off: turn the camera, or move to the middle of the picture.",
    Hint.TOO_FAR: "You are far from the camera: sit closer to it.",
    Hint.TOO_NEAR: "You are very close to the camera: sit a little farther away.",
    Hint.BLURRED: "The picture is blurred: wipe the camera's lens, and give it a moment to focus.",
}
"""What to do about it, in words for the candidate."""
