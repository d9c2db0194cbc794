"""Hints: what would make the camera's picture better. Help for the candidate, kept as quality, never an incident."""

from enum import StrEnum


class Hint(StrEnum):
    """What is in the way of seeing the candidate's face; the more basic comes first."""

    DARK = "dark"
    BACKLIT = "backlit"
    CUT_OFF = "cut_off"
    TOO_FAR = "too_far"
    TOO_NEAR = "too_near"
    BLURRED = "blurred"
