"""Pieces of live view are read as they were written, however they come in, and nothing else is read."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract import live
from app.contract.errors import IntegrityError
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind

PIECES = st.builds(
    Piece,
    kind=st.sampled_from(PieceKind),
    track=st.sampled_from(live.MEDIA),
    epoch=st.integers(0, 10_000),
    sequence=st.integers(0, 10_000_000),
    offset=st.integers(0, 2**32 - 1),
    data=st.binary(max_size=300),
)


@given(st.lists(PIECES, max_size=20))
def test_what_is_written_is_read(pieces: list[Piece]) -> None:
    assert live.decode(b"".join(map(live.encode, pieces))) == pieces


@given(st.lists(PIECES, max_size=8), st.integers(1, 40))
def test_pieces_are_read_however_they_are_cut(pieces: list[Piece], step: int) -> None:
    stream = live.SIGN_OF_LIFE.join([b"", *map(live.encode, pieces), b""])
    buffer, read = bytearray(), list[Piece]()
    for at in range(0, len(stream), step):
        buffer += stream[at : at + step]
        read += live.take(buffer)
    assert read == pieces
    assert not buffer


def _framed(kind: int, track: int, data: bytes = b"") -> bytes:
    frame = struct.pack(">BBHII", kind, track, 0, 0, 0) + data
    return struct.pack(">I", len(frame)) + frame


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (_framed(3, 1), "kind 3 of track 1"),
        (_framed(1, 4), "kind 1 of track 4"),
        (_framed(1, 9), "kind 1 of track 9"),
        (struct.pack(">I", 5) + bytes(5), "too short"),
        (_framed(1, 1)[:-1], "cut off"),
        (_framed(1, 1) + b"\0", "cut off"),
        (struct.pack(">I", 12 + live.MAX_DATA + 1), "claims"),
        (live.SIGN_OF_LIFE * (live.MAX_PIECES + 1), "at a time"),
    ],
)
def test_what_is_no_piece_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(IntegrityError, match=why):
        live.decode(data)


def test_what_is_sealed_and_not_shown_live_has_no_piece() -> None:
    assert Track.JOURNAL not in live.MEDIA
    assert Track.PICTURES not in live.MEDIA
