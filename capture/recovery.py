"""What a crash left in the spool, put in order at the next start: every whole fragment gets its place in the chain.

Runs once, before anything is recorded, and again for a single file when a full disk interrupted a segment. Holds no
data key: it can tell whole fragments from torn ones by length and place, but can't open any.
"""

import os
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from app.contract import schema
from app.contract.errors import IntegrityError
from app.contract.incidents import TRACK_KEY_IDS
from app.contract.sealing import jws
from app.contract.sealing.records import FORMAT_VERSION, Record
from app.contract.sealing.segment import MAGIC, MAX_FRAGMENT, MAX_HEADER, SegmentHeader
from app.contract.sealing.sframe import TAG_BYTES, encode_header
from app.contract.times import Clock
from capture.chain import Chain
from capture.durable import sync_folder
from capture.spool import Spool

_LONGEST_SEGMENT_MS = 60_000


@dataclass(slots=True, kw_only=True)
class Recovered:
    """What was found: records with their JWS, bytes that were cut off, and files without a whole fragment."""

    segments: list[tuple[Record, str]] = field(default_factory=list)
    torn_bytes: int = 0
    empty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """The part of a file that is whole: its length, its fragments, and whether the last one is the final one."""

    header: SegmentHeader
    length: int
    fragments: int
    final: bool


def recover(spool: Spool, chain: Chain, clock: Clock) -> Recovered:
    """Give every file in the spool's folder its record and its row; ``chain`` signs with the new epoch's key."""
    found = Recovered()
    for path in sorted(spool.folder.glob("*.fls")):
        if not spool.knows(path.stem):
            _adopt(path, spool, chain, clock, found)
    for path in sorted(spool.folder.glob("*.part"), key=lambda part: (part.stat().st_mtime_ns, part.name)):
        _adopt(path, spool, chain, clock, found)
    return found


def salvage(path: Path, spool: Spool, chain: Chain, clock: Clock) -> Recovered:
    """Do the same for one ``.part`` file that could not be closed; raises ``OSError`` while the disk is full."""
    found = Recovered()
    _adopt(path, spool, chain, clock, found)
    return found


def _adopt(path: Path, spool: Spool, chain: Chain, clock: Clock, found: Recovered) -> None:
    data = path.read_bytes()
    whole = _whole_part(data)
    if whole is None or whole.header.session != spool.session or whole.fragments == 0:
        found.empty += 1
        found.torn_bytes += len(data)
        path.unlink()
        sync_folder(path.parent)
        return
    header = whole.header
    token = chain.find((header.epoch, header.track, header.sequence))
    if token is None:
        found.torn_bytes += len(data) - whole.length
        duration_ms = min(_LONGEST_SEGMENT_MS, max(0, path.stat().st_mtime_ns // 1_000_000 - header.utc_ms))
        _cut(path, whole.length)
        digest = sha256(memoryview(data)[: whole.length]).digest()
        closed_ms = clock.now().utc_ms
        token = chain.append(lambda previous: _record(whole, digest, previous, duration_ms, closed_ms))
    record = jws.unverified(Record, token)
    spool.commit(path, record, token)
    found.segments.append((record, token))


def _record(whole: _Whole, digest: bytes, previous: bytes, duration_ms: int, closed_ms: int) -> Record:
    header = whole.header
    return Record(
        version=FORMAT_VERSION,
        session=header.session,
        epoch=header.epoch,
        track=header.track,
        sequence=header.sequence,
        fragments=whole.fragments,
        size=whole.length,
        digest=digest,
        previous=previous,
        start_ms=header.start_ms,
        duration_ms=duration_ms,
        closed_ms=closed_ms,
        complete=whole.final,
    )


def _whole_part(data: bytes) -> _Whole | None:
    """Return how much of a file is whole fragments in order, or ``None`` where not even its header is.

    A power cut can leave zeros in place of data, so that a length alone proves nothing: each fragment must also
    begin with the SFrame header of its place.
    """
    if data[:4] != MAGIC or len(data) < 8:
        return None
    (length,) = struct.unpack(">I", data[4:8])
    if length > MAX_HEADER or 8 + length > len(data):
        return None
    try:
        header = schema.loads(SegmentHeader, data[8 : 8 + length])
    except IntegrityError:
        return None
    at, fragments, final = 8 + length, 0, False
    while not final and at + 4 <= len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        prefix = encode_header(TRACK_KEY_IDS[header.track], fragments)
        smallest = len(prefix) + TAG_BYTES
        if not smallest <= size <= MAX_FRAGMENT or at + 4 + size > len(data) or not data.startswith(prefix, at + 4):
            break
        # Only the final fragment is empty (``capture.segmenter``).
        at, fragments, final = at + 4 + size, fragments + 1, size == smallest
    return _Whole(header=header, length=at, fragments=fragments, final=final)


def _cut(path: Path, length: int) -> None:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.ftruncate(descriptor, length)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
