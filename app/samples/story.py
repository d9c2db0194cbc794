"""What the sample footage shows and when: one minute's outline, told with whatever pictures are at hand.

Pure data. Both tellings keep the same times, so a demonstration has the same incidents wherever it runs.
"""

from dataclasses import dataclass

from capture.samples import Scene, Speech

SECONDS = 40.0
Truth = tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Scenes and sound ready to be written. ``truth`` is (what, from, to) in seconds; ``credits`` is for a file."""

    scenes: tuple[Scene, ...]
    speeches: tuple[Speech, ...]
    speech_rate: int
    description: str
    truth: Truth
    credits: str


# (what is in view, from, to) in seconds of the loop
OUTLINE: Truth = (
    ("person", 0.0, 9.0),
    ("phone", 9.0, 15.0),
    ("person", 15.0, 19.0),
    ("nobody", 19.0, 27.0),
    ("person", 27.0, 31.0),
    ("second person", 31.0, 36.0),
    ("person", 36.0, 40.0),
)
# Where speech may begin: beside the phone, and while the second person is there.
SPEECH_AT = (10.0, 30.5)


def length(index: int) -> float:
    """Return the seconds of the outline's entry ``index``."""
    _, begin, end = OUTLINE[index]
    return end - begin


def speech_truth(speeches: tuple[Speech, ...], rate: int) -> Truth:
    """Return when somebody speaks, pauses inside a stretch included."""
    return tuple(
        ("speech", speech.at_s, round(min(speech.at_s + len(speech.pcm) / rate, SECONDS), 2)) for speech in speeches
    )
