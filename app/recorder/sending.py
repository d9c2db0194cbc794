"""Segments on their way up where live view sends their pieces: once, wherever the server has them all.

Called in the uploader's threads, which know nothing of it. Never decides that a segment arrived: the uploader checks
the server's receipt, whichever way it came; and whatever is in doubt is sent as a file.
"""

import logging
from pathlib import Path

from app.contract.errors import FairlockError, IntegrityError
from app.contract.sealing.records import Record
from app.recorder.client import ServerClient
from app.recorder.live_feed import LiveFeed

NOT_ALL_CAME = "E-LIVE"
NOT_UNDERSTOOD = frozenset({"E-RECORD", "E-FORMAT"})
"""What a server says of a record without a file where it knows no live view."""

_log = logging.getLogger("fairlock.recorder")


class SendOnce:
    """Sends the record alone of what ``feed`` delivered, else the file (``capture.uploader.SegmentTransport``)."""

    def __init__(self, client: ServerClient, feed: LiveFeed) -> None:
        self._client, self._feed = client, feed
        self._is_understood = True

    def put(self, record_jws: str, record: Record, path: Path) -> str:
        """Return the server's receipt; raises as ``ServerClient.put`` does."""
        place = record.epoch, record.track, record.sequence
        if self._is_understood and self._feed.delivered(place, record.size):
            try:
                return self._client.put_live(record_jws, record)
            except FairlockError as error:
                if not _is_of_the_record(error):
                    raise  # whoever is away, busy or in between would do no better with the file
                self._take(error)
        return self._client.put(record_jws, record, path)

    def _take(self, error: FairlockError) -> None:
        """Hear a refusal. It is of the record alone and says nothing of the file, which the server is to judge."""
        if error.code != NOT_ALL_CAME:
            self._is_understood = False
            _log.warning("segments are sent as files again: %s: %s", error.code, error)


def _is_of_the_record(error: FairlockError) -> bool:
    return isinstance(error, IntegrityError) or error.code in NOT_UNDERSTOOD | {NOT_ALL_CAME}
