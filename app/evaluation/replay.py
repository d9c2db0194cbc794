"""Play recordings through the product's own detectors and temporal layer, driven by the recordings' own times.

Runs in the caller's thread as fast as the machine can. The same file gives the same incidents: nothing here asks a
clock, except to weigh what a look costs. Each recording meets fresh detectors, as each exam does.
"""

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.contract.incidents import Incident, Track
from app.contract.policy import Detection
from app.contract.times import Instant
from app.evaluation.truth import HEARD, Medium, Recording, thing_of
from capture.frames import AudioChunk, Frame
from capture.pictures import Picture
from capture.stills import jpeg
from capture.stored import has_sound, moment, shrunk, stored_frames, stored_picture, stored_sound
from detectors.base import Observation, PictureDetector, SoundDetector
from detectors.bucket import TokenBucket
from detectors.build import Detectors
from detectors.catalogue import Task
from detectors.temporal import Temporal
from detectors.thresholds import thresholds

LONGEST = 640
"""Pixels of a frame's longest side, as the default camera has."""
SHOWN_RATE = 8.0
"""Frames a second offered to the detectors, which take what their own rate allows."""
RATES: Mapping[str, float] = {"objects": 2.0, "faces": 4.0}
"""Looks a second where the policy sets no limit below: those of an unloaded machine."""
APART_S = 60.0
"""Between two still pictures, so that nothing of one is remembered in the next."""
_THUMB, _THUMB_QUALITY = 320, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One incident. ``opened_s`` is when it was first reported, ``start_s`` and ``end_s`` what it says at its end."""

    thing: str
    opened_s: float
    start_s: float
    end_s: float
    source: str
    facts: Mapping[str, str]


@dataclass(slots=True)
class Cost:
    """CPU time of one detector: looks, seconds of sound heard, and milliseconds."""

    looks: int = 0
    heard_s: float = 0.0
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came out. ``said`` are the labels above the product's thresholds at the first look (for still pictures)."""

    recording: Recording
    seconds: float
    raised: tuple[Raised, ...]
    said: Mapping[str, float] = field(default_factory=dict)
    boxes: tuple[Observation, ...] = ()
    pictures: tuple[tuple[float, bytes], ...] = ()


class Player:
    """Plays recordings one after another. ``fresh`` builds detectors; ``hold_s`` is how long a still is held."""

    def __init__(self, policy: Detection, fresh: Callable[[], Detectors], hold_s: float) -> None:
        self._policy = policy
        self._fresh = fresh
        self._hold_s = hold_s
        self._stills: Detectors | None = None
        self._still_s = 0.0
        self._seq = itertools.count()
        self.costs: dict[str, Cost] = defaultdict(Cost)

    def play(self, recording: Recording) -> Replay:
        """Return what the detectors make of ``recording``. Raises ``UserFacing`` (E-RECORDING)."""
        if recording.medium is Medium.PICTURE:
            return self._still(recording)
        return self._running(recording)

    def _running(self, recording: Recording) -> Replay:
        session = _Session(self._policy, self._fresh(), self.costs)
        seconds = 0.0
        thumbs: list[tuple[float, bytes]] = []
        listens = recording.medium is Medium.SOUND
        if not listens:
            for frame in stored_frames(recording.path, rate=SHOWN_RATE, longest=LONGEST):
                seconds = frame.at.seconds_since(moment(0)) + 1 / SHOWN_RATE
                if session.look(frame):
                    thumbs.append((frame.at.seconds_since(moment(0)), _thumb(frame.image)))
            listens = bool(recording.truth.complete & HEARD) and has_sound(recording.path)
        if listens:
            for chunk in stored_sound(recording.path):
                session.hear(chunk)
                seconds = max(seconds, chunk.at.seconds_since(moment(0)) + len(chunk.pcm) / chunk.rate)
        return Replay(recording=recording, seconds=seconds, raised=session.finish(), pictures=tuple(thumbs))

    def _still(self, recording: Recording) -> Replay:
        """Hold one picture in front of the detectors. Loading models anew for each would take longer than looking."""
        self._stills = self._stills or self._fresh()
        begin = self._still_s = self._still_s + APART_S
        session = _Session(self._policy, self._stills, self.costs, begin)
        image = stored_picture(recording.path, longest=LONGEST, size=recording.truth.size)
        for step in range(round(self._hold_s * SHOWN_RATE) + 1):
            at = moment(begin + step / SHOWN_RATE)
            session.look(Frame(source=Track.CAMERA, seq=next(self._seq), at=at, image=image))
        return Replay(
            recording=recording,
            seconds=self._hold_s,
            raised=session.finish(),
            said=session.said,
            boxes=tuple(session.first),
            pictures=((0.0, _thumb(image)),),
        )


class _Session:
    """One recording's temporal layer and rates, times counted from ``begin`` seconds."""

    def __init__(self, policy: Detection, detectors: Detectors, costs: dict[str, Cost], begin: float = 0.0) -> None:
        numbers = itertools.count(1)
        self._temporal = Temporal(policy, lambda: f"i{next(numbers)}", detectors.cards)
        self._begin = moment(begin)
        limit = policy.rate_permille / 1000
        self._pictures = [(one, TokenBucket(min(limit, RATES.get(one.name, limit)))) for one in detectors.pictures]
        self._sounds: Sequence[SoundDetector] = detectors.sounds
        self._costs = costs
        self._opened: dict[str, float] = {}
        self._last: dict[str, Incident] = {}
        self._least = {
            label: least
            for task in Task
            for label, least in thresholds(policy, task, detectors.cards.get(task)).items()
        }
        self._firsts: set[str] = set()
        self.first: list[Observation] = []
        self.said: dict[str, float] = {}

    def look(self, frame: Frame) -> bool:
        """Show one frame to each detector whose turn it is; return whether it was any one's."""
        turns = [detector for detector, bucket in self._pictures if bucket.take(frame.at)]
        for detector in turns:
            seen = self._weighed(detector, frame)
            self._first(detector.name, seen)
            self._note(frame.at, self._temporal.look(frame.at, detector.name, seen))
        return bool(turns)

    def hear(self, chunk: AudioChunk) -> None:
        """Play one chunk to each detector of sound."""
        for detector in self._sounds:
            began = time.thread_time()
            windows = detector.feed(chunk)
            cost = self._costs[detector.name]
            cost.milliseconds += (time.thread_time() - began) * 1e3
            cost.heard_s += len(chunk.pcm) / chunk.rate
            for window in windows:
                self._note(window.at, self._temporal.look(window.at, detector.name, [window]))

    def finish(self) -> tuple[Raised, ...]:
        """Close what is open; return everything that was raised, in order of its first report."""
        for incident in self._temporal.finish():
            self._last[incident.id] = incident
        return tuple(self._raised(self._last[name], opened_s) for name, opened_s in self._opened.items())

    def _weighed(self, detector: PictureDetector, frame: Frame) -> list[Observation]:
        began = time.thread_time()
        seen = detector.detect(frame)
        cost = self._costs[detector.name]
        cost.milliseconds += (time.thread_time() - began) * 1e3
        cost.looks += 1
        return seen

    def _first(self, detector: str, seen: Iterable[Observation]) -> None:
        """Remember what a detector said at its first look."""
        if detector in self._firsts:
            return
        self._firsts.add(detector)
        for one in seen:
            if one.score >= self._least.get(one.label, 0.0):
                self.first.append(one)
                self.said[one.label] = max(one.score, self.said.get(one.label, 0.0))

    def _note(self, at: Instant, incidents: Iterable[Incident]) -> None:
        for incident in incidents:
            self._opened.setdefault(incident.id, at.seconds_since(self._begin))
            self._last[incident.id] = incident

    def _raised(self, incident: Incident, opened_s: float) -> Raised:
        return Raised(
            thing=thing_of(incident),
            opened_s=opened_s,
            start_s=incident.start.seconds_since(self._begin),
            end_s=incident.end.seconds_since(self._begin),
            source=incident.source,
            facts=dict(incident.facts),
        )


def _thumb(image: Picture) -> bytes:
    return jpeg(shrunk(image, _THUMB), _THUMB_QUALITY)
