"""What has never moved while the scene did: posters, pictures on a TV, shelves. They are background. Pure, no clock.

The rule, for persons and for things that are told only when used (``detectors.object_watch`` says which):

* Whatever stirred once is alive as long as it stays in view: it came in, left its place, or changed inside its box by
  ``STIRRED`` at ``STIRS`` looks. Breathing is enough: shoulders that shift by a pixel change their outline.
* Whatever never stirred is background from the first look at which something else in the picture moved.
* In a picture in which nothing at all moves nobody can be told from a poster: there everything counts.
* The largest person is the candidate, reading: it counts for its first ``PATIENCE`` looks, and however still until
  others have been alive for as many; by then the candidate is known, and what is largest now may be cardboard.
* When most of the picture changes (the camera was turned, the light switched on) everything is learned anew.

Not seen through: a poster that somebody shakes, and a film on a TV.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.base import Box
from detectors.movement import Movement
from detectors.things import overlap, within

SAME = 0.6
"""Overlap from which a box is where it was."""
STIRRED, STIRS = 0.02, 2
"""So much of a box must change, and at so many looks, for what never moved to be alive."""
CAME = 0.15
"""So much of a box changes at once when something comes into view."""
SCENE = 0.001
"""So much of the whole picture must change for a look to say anything about what did not: 19 of 19,200 pixels."""
UPHEAVAL = 0.4
"""From so much on it is the camera or the light that changed."""
PATIENCE = 20
WITHIN = 0.75
"""A box of which so much lies in another shows the same person: a torso, a face."""
FORGET = 4
"""Looks after which something alive that is gone is forgotten; background is remembered."""
PLACES = 60


@dataclass(slots=True)
class _Place:
    """Where something is: its newest box, and what is known of it."""

    box: Box
    person: bool
    alive: bool
    lived: int = 0
    stirs: int = 0
    looks: int = 0
    still: int = 0
    missing: int = 0


class Unmoved:
    """Remembers what is where, from look to look."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._lived: list[_Place] = []  # persons who are or were alive, the newest last

    def judge(self, people: Sequence[Box], things: Sequence[Box], movement: Movement) -> tuple[list[bool], list[bool]]:
        """Say of each of ``people`` and ``things``, seen in one look, whether it is background."""
        if movement.everywhere > UPHEAVAL:
            self._places, self._lived = [], []
        moved = movement.everywhere > SCENE
        matched = [self._place(box, True) for box in people]
        living = [place.box for place in matched if place.alive]
        for place in matched:
            self._watch(place, movement, [box for box in living if box != place.box], moved)
        largest = max(matched, key=lambda place: _area(place.box), default=None)
        other = [self._place(box, False) for box in things]
        for place in other:
            hidden = movement.visible(place.box, living) < 0.5
            self._watch(place, movement, [] if hidden else living, moved)
        self._forget({id(place) for place in (*matched, *other)})
        self._remember(matched)
        spared = {id(largest)} if largest is not None and self._may_be_the_candidate(largest) else set()
        return [self._still(one) and id(one) not in spared for one in matched], [self._still(one) for one in other]

    def _place(self, box: Box, person: bool) -> _Place:
        """Return the place of ``box``: a known one, or a new one."""
        best = max(
            (place for place in self._places if place.person is person),
            key=lambda place: overlap(place.box, box),
            default=None,
        )
        if best is None or overlap(best.box, box) <= SAME:
            best = _Place(box=box, person=person, alive=False)
            self._places.append(best)
        best.box, best.missing = box, 0
        return best

    def _watch(self, place: _Place, movement: Movement, others: Sequence[Box], moved: bool) -> None:
        share = movement.share(place.box, others)
        fresh = place.looks == 0
        place.looks += 1
        if movement.everywhere > UPHEAVAL or place.alive:
            return
        place.stirs += share >= STIRRED
        place.alive = place.stirs >= STIRS or (fresh and share >= CAME)
        place.still += moved and share < STIRRED

    def _still(self, place: _Place) -> bool:
        return not place.alive and place.still > 0

    def _remember(self, people: Sequence[_Place]) -> None:
        """Note who is alive at this look."""
        for place in people:
            if place.alive:
                place.lived += 1
                self._lived = [*(one for one in self._lived if one is not place), place][-PLACES:]

    def _may_be_the_candidate(self, person: _Place) -> bool:
        if person.looks <= PATIENCE:
            return True
        others = (one for one in self._lived if one is not person and within(one.box, person.box) < WITHIN)
        return sum(one.lived for one in others) < PATIENCE

    def _forget(self, seen: set[int]) -> None:
        for place in self._places:
            place.missing += id(place) not in seen
        kept = [place for place in self._places if not place.alive or place.missing <= FORGET]
        self._places = sorted(kept, key=lambda place: place.missing)[:PLACES]


def _area(box: Box) -> float:
    left, top, right, bottom = box
    return (right - left) * (bottom - top)
