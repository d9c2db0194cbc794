"""Play recordings through the product's own detectors and temporal layer, driven by the recordings' own times.

Runs in the caller's thread as fast as the machine can. The same file gives the same incidents: nothing here asks a
clock, except to weigh what a look costs. Each recording meets fresh detectors, as each exam does.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.contract.errors import UserFacing
from app.contract.incidents import Track
from app.contract.policy import Detection
from app.evaluation.session import Raised, Session
from app.evaluation.thumbs import Thumbs, thumb
from app.evaluation.truth import HEARD, LABELS, THINGS, Held, Medium, Recording
from app.evaluation.weighed import Cost, WeighedPicture
from capture.frames import Frame
from capture.pictures import Picture
from capture.stored import has_sound, moment, stored_frames, stored_picture, stored_sound
from detectors.base import Observation
from detectors.boxes import areas, intersections
from detectors.build import Detectors
from detectors.catalogue import Task
from detectors.naming import least_scores

LONGEST = 640
"""Pixels of a frame's longest side, as the default camera has."""
SHOWN_RATE = 15.0
"""Frames a second offered to the detectors, as of the default camera; they look at what their own pace allows."""
UNREADABLE = "E-RECORDING"
"""The code of what is refused because of the file itself: another one may well be played."""
SAME_PLACE = 0.3
"""Overlap (intersection over union) with a box drawn by hand; some draw the hand around a thing, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came out.

    ``said`` is the best score of each thing above the product's threshold at the first look, for still pictures;
    ``placed`` are those of them whose box lies where somebody drew one by hand.
    ``heard_s`` is for how long there was sound that was listened to: a video may have none, or less than pictures.
    ``pictures`` are (seconds, JPEG) in the middle of each event and incident.
    """

    recording: Recording
    seconds: float
    heard_s: float = 0.0
    raised: tuple[Raised, ...]
    said: Mapping[str, float] = field(default_factory=dict)
    placed: frozenset[str] = frozenset()
    pictures: tuple[tuple[float, bytes], ...] = ()


class Player:
    """Plays recordings one after another. ``fresh`` builds detectors; ``hold_s`` is how long a still is held.

    ``built`` are the detectors last used, ``costs`` what all of them cost, by name.
    """

    def __init__(self, policy: Detection, fresh: Callable[[], Detectors], hold_s: float) -> None:
        self._policy = policy
        self._fresh = fresh
        self._hold_s = hold_s
        self.costs: dict[str, Cost] = defaultdict(Cost)
        self.built = Detectors()

    def play(self, recording: Recording) -> Replay:
        """Return what the detectors make of ``recording``. Raises ``UserFacing`` (E-RECORDING)."""
        if recording.medium is Medium.PICTURE:
            return self._still(recording)
        return self._running(recording)

    def _running(self, recording: Recording) -> Replay:
        self.built = self._fresh()
        session = Session(self._policy, self.built, self.costs)
        seconds = heard_s = 0.0
        thumbs = Thumbs()
        listens = recording.medium is Medium.SOUND
        if not listens:
            for frame in stored_frames(recording.path, rate=SHOWN_RATE, longest=LONGEST):
                seconds = frame.at.seconds_since(moment(0)) + 1 / SHOWN_RATE
                if session.look(frame):
                    thumbs.offer(frame.at.seconds_since(moment(0)), frame.image)
            listens = bool(recording.truth.complete & HEARD) and has_sound(recording.path)
        if listens:
            for chunk in stored_sound(recording.path):
                session.hear(chunk)
                heard_s = chunk.at.seconds_since(moment(0)) + len(chunk.pcm) / chunk.rate
            seconds = max(seconds, heard_s)
        if not seconds:
            raise UserFacing(f"{recording.path} holds nothing.", advice="Take it out of the folder.", code=UNREADABLE)
        raised = session.finish()
        spans = [(event.start_s, event.end_s) for event in recording.truth.events]
        spans += [(one.start_s, one.end_s) for one in raised]
        return Replay(
            recording=recording,
            seconds=seconds,
            heard_s=heard_s,
            raised=raised,
            pictures=thumbs.at_middles(spans, seconds),
        )

    def _still(self, recording: Recording) -> Replay:
        """Hold one picture in front of the detectors."""
        self.built = self._fresh()
        session = Session(self._policy, self.built, self.costs)
        image = stored_picture(recording.path, longest=LONGEST, size=recording.truth.size)
        for step in range(round(self._hold_s * SHOWN_RATE) + 1):
            at = moment(step / SHOWN_RATE)
            session.look(Frame(source=Track.CAMERA, seq=step, at=at, image=image))
        said = self._said(session.pictures)
        return Replay(
            recording=recording,
            seconds=self._hold_s,
            raised=session.finish(),
            said={thing: max(one.score for one in seen) for thing, seen in said.items()},
            placed=frozenset(thing for thing, seen in said.items() if _placed(seen, recording.truth.held, image)),
            pictures=((0.0, thumb(image)),),
        )

    def _said(self, detectors: Sequence[WeighedPicture]) -> Mapping[str, list[Observation]]:
        """Return by thing what the first look saw above the product's thresholds; labels without one are not raised."""
        said: dict[str, list[Observation]] = {}
        for one in detectors:
            if one.name == Task.OBJECTS:  # no other one sees a thing in a single picture
                least = least_scores(self._policy, one.card)
                for seen in one.first or ():
                    thing = LABELS.get(seen.label, seen.label)
                    if thing in THINGS and seen.score >= least.get(seen.label, math.inf):
                        said.setdefault(thing, []).append(seen)
        return said


def _placed(seen: Iterable[Observation], held: Iterable[Held], image: Picture) -> bool:
    """Whether one of ``seen`` lies on one of the boxes drawn by hand."""
    height, width = image.shape[:2]
    drawn = np.array([one.box for one in held], np.float32).reshape(-1, 4) * np.array([width, height] * 2, np.float32)
    for one in seen:
        if one.box is not None and len(drawn):
            box = np.array(one.box, np.float32)
            shared = intersections(box, drawn)
            if float((shared / (areas(box[None]) + areas(drawn) - shared)).max()) >= SAME_PLACE:
                return True
    return False
