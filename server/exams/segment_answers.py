"""Answers with a stored segment or with one range of its bytes (RFC 9110 section 14, a single range)."""

import re
from collections.abc import Generator
from typing import Annotated, BinaryIO

from fastapi import Depends, Header, Path, Request
from fastapi.responses import Response, StreamingResponse

from app.contract.canonical import MAX_INTEGER, b64
from app.contract.incidents import Track
from server.context import Context
from server.db.models import Segment
from server.exams import losses, segment_files
from server.exams.store_threads import streamed
from server.refused import Refused
from server.storage.base import Place

BLOCK = 256 * 1024

Number = Annotated[int, Path(ge=0, le=MAX_INTEGER)]
"""What a record can say of a segment's place; no database could keep more."""


# In the event loop: there is nothing to wait for.
async def _place(session: str, epoch: Number, track: Track, sequence: Number) -> Place:
    return Place(session=session, epoch=epoch, track=track, sequence=sequence)


Placed = Annotated[Place, Depends(_place)]
"""The place that a route's path names."""

Range = Annotated[str | None, Header(alias="Range")]


def segment_answer(request: Request, context: Context, place: Place, wanted: str | None) -> Response:
    """Return the segment at ``place``; raises ``Refused`` 404 for one that is not stored. Runs in a thread."""
    with context.database.read() as tx:
        row = tx.get(Segment, (place.session, place.epoch, place.track.value, place.sequence))
        if row is None:
            raise Refused(404, "E-SESSION-UNKNOWN", "no such segment")
        size, digest, place = row.size, row.digest, segment_files.place_of(row)
    try:
        file = segment_files.opened(context.store, place)
    except FileNotFoundError:
        losses.report(context, place.session, [place])
        raise Refused(404, "E-STORAGE", "the file of this segment is lost") from None
    headers = {"ETag": f'"{b64(digest)}"', "Accept-Ranges": "bytes", "Cache-Control": "private, max-age=3600"}
    span = _span(wanted, size)
    if span is None:
        file.close()
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = span
    headers["Content-Length"] = str(last - first + 1)
    partial = (first, last) != (0, size - 1)
    if partial:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(
        streamed(request, _bytes(file, first, last)),
        status_code=206 if partial else 200,
        headers=headers,
        media_type="application/octet-stream",
    )


def _span(wanted: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and last byte to send, or none when the range lies outside; what isn't understood is ignored."""
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", wanted or "")
    if match is None or match.group(0) == "bytes=-":
        return 0, size - 1
    start, stop = match.groups()
    if not start:
        return (max(0, size - int(stop)), size - 1) if int(stop) else None
    first, last = int(start), min(int(stop) if stop else size - 1, size - 1)
    return (first, last) if first <= last else None


def _bytes(file: BinaryIO, first: int, last: int) -> Generator[bytes, None, None]:
    with file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block
