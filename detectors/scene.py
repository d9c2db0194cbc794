"""What the picture detectors know of the picture from each other: the newest faces. One thread, no clock.

The detector of objects looks closer at hands and faces, and the detector of faces has seen where those are. It keeps
boxes and never a picture.
"""

from collections.abc import Sequence

from app.contract.times import Instant
from detectors.base import Box


class Scene:
    """The boxes of the faces that were last seen."""

    def __init__(self) -> None:
        self._faces: tuple[Box, ...] = ()
        self._at: Instant | None = None

    def saw_faces(self, at: Instant, boxes: Sequence[Box]) -> None:
        """Remember where the faces are; none is an answer, too."""
        self._faces, self._at = tuple(boxes), at

    def faces(self, at: Instant, fresh_s: float = 1.0) -> tuple[Box, ...]:
        """Return the faces seen at most ``fresh_s`` seconds before ``at``."""
        if self._at is None or at.seconds_since(self._at) > fresh_s:
            return ()
        return self._faces
