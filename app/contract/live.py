"""Live view: pieces of segments on their way from the application through the server to whoever watches.

::

    { u32 length ‖ u8 kind ‖ u8 track ‖ u16 epoch ‖ u32 sequence ‖ u32 offset ‖ data }*

``length`` counts what follows it; 0 is a sign of life and holds nothing. ``track`` is SFrame's key id. A ``FILE`` piece
is what stands in the segment's file from ``offset`` on, byte for byte; an ``OPENING`` is the session's signed word on
the file's header (``records.Opening``) and goes before the file's first byte. The server opens none of them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import TRACK_KEY_IDS, Track

MAX_DATA = 2 * 1024 * 1024
"""Bytes of one piece at most. A second of camera takes some 40 KiB; who sends more can't be watched live."""
MAX_PUSH = 4 * 1024 * 1024
"""Bytes of pieces that the application sends at a time."""
MAX_PIECES = 256
"""Pieces and signs of life of one push at most: a million empty ones would take a second to count. Who reads a stream
takes as many as come: what a server keeps for who comes late is a burst of more."""
MEDIA = (Track.CAMERA, Track.SCREEN, Track.MICROPHONE)
"""The tracks that can be watched. Journal and pictures are read when their segments are there."""
SIGN_OF_LIFE = struct.pack(">I", 0)

_HEAD = struct.Struct(">BBHII")
_TRACKS = {TRACK_KEY_IDS[track]: track for track in MEDIA}


class PieceKind(IntEnum):
    """What a piece holds."""

    FILE = 1
    OPENING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some bytes of one segment."""

    kind: PieceKind
    track: Track
    epoch: int
    sequence: int
    offset: int
    data: bytes

    @property
    def place(self) -> tuple[int, int]:
        """Return epoch and sequence, by which a track's segments are in order."""
        return self.epoch, self.sequence


def encode(piece: Piece) -> bytes:
    """Return a piece as it travels."""
    return head(piece) + piece.data


def head(piece: Piece) -> bytes:
    """Return what goes before the data of a piece as it travels."""
    packed = _HEAD.pack(piece.kind, TRACK_KEY_IDS[piece.track], piece.epoch, piece.sequence, piece.offset)
    return struct.pack(">I", len(packed) + len(piece.data)) + packed


def decode(data: bytes) -> Sequence[Piece]:
    """Read one push; raises ``IntegrityError`` (``BAD_FORMAT``) where it holds no whole pieces, or too many."""
    rest = bytearray(data)
    pieces = take(rest, at_most=MAX_PIECES)
    if rest:
        raise IntegrityError(Outcome.BAD_FORMAT, "the last piece is cut off")
    return pieces


def take(buffer: bytearray, *, at_most: int | None = None) -> list[Piece]:
    """Take the whole pieces off the front of what has come so far; raises ``IntegrityError`` (``BAD_FORMAT``).

    ``at_most`` counts pieces and signs of life.
    """
    pieces: list[Piece] = []
    at = seen = 0
    while at + 4 <= len(buffer):
        seen += 1
        if at_most is not None and seen > at_most:
            raise IntegrityError(Outcome.BAD_FORMAT, f"more than {at_most} pieces came at a time")
        (length,) = struct.unpack_from(">I", buffer, at)
        if length > _HEAD.size + MAX_DATA:
            raise IntegrityError(Outcome.BAD_FORMAT, f"a piece claims {length} bytes")
        if at + 4 + length > len(buffer):
            break
        if length:
            pieces.append(_read(bytes(buffer[at + 4 : at + 4 + length])))
        at += 4 + length
    del buffer[:at]
    return pieces


def _read(frame: bytes) -> Piece:
    if len(frame) < _HEAD.size:
        raise IntegrityError(Outcome.BAD_FORMAT, "a piece is too short")
    kind, key_id, epoch, sequence, offset = _HEAD.unpack_from(frame)
    track = _TRACKS.get(key_id)
    if track is None or kind not in (PieceKind.FILE, PieceKind.OPENING):
        raise IntegrityError(Outcome.BAD_FORMAT, f"a piece of kind {kind} of track {key_id} is not known")
    return Piece(
        kind=PieceKind(kind),
        track=track,
        epoch=epoch,
        sequence=sequence,
        offset=offset,
        data=frame[_HEAD.size :],
    )
