"""Persons and things, picture after picture: a first look, a closer one, and names that can be answered for.

Runs in the detection thread as the detector ``objects``. From one picture to the next it keeps boxes and one small grey
picture. It never decides what is an incident.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.contract.times import Instant
from capture.frames import Frame
from detectors.base import Box, Observation
from detectors.catalogue import ModelCard
from detectors.closer import Closer
from detectors.coco import HELD, LABELS
from detectors.decoders import Found
from detectors.movement import Movement
from detectors.naming import Named, Naming
from detectors.objects import ObjectDetector
from detectors.regions import meets, reach
from detectors.scene import Scene
from detectors.things import Look, things
from detectors.tracks import Tracks
from detectors.unmoved import Unmoved

CANDIDATE = 0.05
"""From this score on the first look's small things near a person are worth a closer look."""
ALWAYS = frozenset({"phone", "laptop", "tablet", "thing", "headphones"})
"""What is told also if it never moved: a phone may lie on the desk from the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """A person of the first look."""

    box: Box
    score: float


class ObjectWatch:
    """``closer`` looks a second time (``None``: never); ``naming`` holds thresholds and words."""

    name = "objects"

    def __init__(self, detector: ObjectDetector, closer: Closer | None, naming: Naming, scene: Scene) -> None:
        self._detector = detector
        self._closer = closer
        self._naming = naming
        self._scene = scene
        self._movement = Movement()
        self._unmoved = Unmoved()
        self._tracks = Tracks()
        self._names = detector.card.classes
        self._classes = (HELD | frozenset(LABELS)) - {"person"}

    @property
    def card(self) -> ModelCard:
        """The model of the first look."""
        return self._detector.card

    def detect(self, frame: Frame) -> list[Observation]:
        """Return the persons and things in use in ``frame``, best first, boxes in its pixels.

        Pictures of people are told as "background", so that nobody counts their faces; other background is left out.
        """
        self._movement.see(frame.image)
        first = self._detector.find(frame.image, CANDIDATE)
        people = self._people(first)
        looks = [Look(found=first, names=self._names, closer=False)]
        looks += self._again(frame, looks, people)
        reaches = [reach(person.box) for person in people]
        named = [
            one
            for thing in things(looks, self._classes)
            if (one := self._naming.name(thing, held=any(meets(thing.box, hands) for hands in reaches))) is not None
        ]
        people, named, background = self._in_use(frame.at, people, named)
        tracks = self._tracks.follow([one.thing.box for one in named])
        observations = [self._of_person(frame.at, "person", person) for person in people]
        observations += [self._of_person(frame.at, "background", person) for person in background]
        observations += [self._of_thing(frame.at, one, track) for one, track in zip(named, tracks, strict=True)]
        return sorted(observations, key=lambda one: -one.score)

    def _again(self, frame: Frame, first: list[Look], people: list[_Person]) -> list[Look]:
        """Look closer, where there is something to look at."""
        if self._closer is None:
            return []
        candidates = [one.box for one in things(first, self._classes)]
        region = self._closer.choose(
            (frame.image.shape[0], frame.image.shape[1]),
            people=[person.box for person in people],
            faces=self._scene.faces(frame.at),
            things=[*self._tracks.boxes, *candidates],
            movement=self._movement,
        )
        if region is None:
            return []
        found = self._closer.find(frame.image, region, CANDIDATE)
        return [Look(found=found, names=self._closer.names, closer=True)]

    def _people(self, first: Found) -> list[_Person]:
        return [
            _Person(box=_box(box), score=float(score))
            for box, score, index in zip(first.boxes, first.scores, first.classes, strict=True)
            if self._names[int(index)] == "person" and score >= self._naming.person
        ]

    def _in_use(
        self, at: Instant, people: list[_Person], named: list[Named]
    ) -> tuple[list[_Person], list[Named], list[_Person]]:
        """Part persons and things from background; return both, and the persons that are background."""
        asked = [one for one in named if one.label not in ALWAYS]
        # A poster may show a face alone, which only the detector of faces sees.
        bodiless = [box for box in self._scene.faces(at) if not any(_lies_in(box, person.box) for person in people)]
        anybody = people + [_Person(box=box, score=1.0) for box in bodiless]
        still_people, still_things = self._unmoved.judge(
            [person.box for person in anybody], [one.thing.box for one in asked], self._movement
        )
        background = {id(one) for one, still in zip(asked, still_things, strict=True) if still}
        return (
            [person for person, still in zip(people, still_people, strict=False) if not still],
            [one for one in named if id(one) not in background],
            [person for person, still in zip(anybody, still_people, strict=True) if still],
        )

    def _of_person(self, at: Instant, label: str, person: _Person) -> Observation:
        return Observation(detector=self.name, at=at, label=label, score=person.score, box=person.box)

    def _of_thing(self, at: Instant, one: Named, track: int) -> Observation:
        return Observation(
            detector=self.name,
            at=at,
            label=one.label,
            score=one.score,
            box=one.thing.box,
            values={"track": float(track)},
            facts=one.facts,
        )


def _lies_in(face: Box, body: Box) -> bool:
    middle, height = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    return body[0] <= middle <= body[2] and body[1] <= height <= body[3]


def _box(row: NDArray[np.float32]) -> Box:
    left, top, right, bottom = (float(edge) for edge in row)
    return left, top, right, bottom
