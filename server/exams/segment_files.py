"""Where the file of a stored segment lies: under its record, or, from before there was that, under its place alone.

Runs in worker threads, never inside a transaction: a store may take its time.
"""

import logging
from dataclasses import replace
from typing import BinaryIO

from app.contract.incidents import Track
from app.contract.sealing.segment import MAX_HEADER
from server.context import Context
from server.db.models import Segment
from server.storage.base import Place, SegmentStore, StorageFull, Stored, path_of

HEAD_BYTES = MAX_HEADER + 8
"""What holds the wrapped keys of a segment."""

_log = logging.getLogger("fairlock.storage")


def place_of(row: Segment) -> Place:
    """Return the place that a row speaks of."""
    return Place(
        session=row.session,
        epoch=row.epoch,
        track=Track(row.track),
        sequence=row.sequence,
        record=row.record_digest,
    )


def opened(store: SegmentStore, place: Place) -> BinaryIO:
    """Open a segment for reading; raises ``FileNotFoundError`` or ``StorageFull``."""
    try:
        return store.open(place)
    except FileNotFoundError:
        return store.open(_earlier(place))


def located(store: SegmentStore, session: str, places: list[Place]) -> list[tuple[Place, int] | None]:
    """Return where each segment's file does lie and its bytes, none for one that is lost; raises ``StorageFull``.

    The store is asked once for all of the session: thousands of questions would take a distant one minutes.
    """
    held = store.held(session)

    def found(place: Place) -> tuple[Place, int] | None:
        for one in (place, _earlier(place)):
            if (size := held.get(path_of(one))) is not None:
                return one, size
        return None

    return [found(place) for place in places]


def take_back(context: Context, place: Stored) -> None:
    """Delete the file of an upload that nothing will ever speak of; what stays goes with the session."""
    try:
        context.store.delete(place)
    except (StorageFull, OSError) as error:
        _log.warning("the file of a refused upload stays for now: %s", error)


def _earlier(place: Place) -> Place:
    return replace(place, record=None)
