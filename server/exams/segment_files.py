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
from server.storage.base import Place, SegmentStore, StorageFull

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


def located(store: SegmentStore, place: Place) -> Place | None:
    """Return the place where the segment's file does lie, none when it is lost; raises ``StorageFull``."""
    for one in (place, _earlier(place)):
        try:
            store.size(one)
        except FileNotFoundError:
            continue
        return one
    return None


def take_back(context: Context, place: Place) -> None:
    """Delete the file of an upload that nothing will ever speak of; what stays goes with the session."""
    try:
        context.store.delete(place)
    except (StorageFull, OSError) as error:
        _log.warning("the file of a refused segment stays for now: %s", error)


def _earlier(place: Place) -> Place:
    return replace(place, record=None)
