"""Pieces of live view are read from a stream or refused as the vectors say, like in the console."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import Track
from app.contract.live import Piece, PieceKind, take

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "live.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_pieces(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    if vector["says"] == "ok":
        assert _read(data) == [_piece(**said) for said in vector["pieces"]]
        return
    with pytest.raises(IntegrityError) as refusal:
        _read(data)
    assert refusal.value.outcome == vector["says"]


def _read(data: bytes) -> list[Piece]:
    rest = bytearray(data)
    pieces = take(rest)
    if rest:
        raise IntegrityError(Outcome.BAD_FORMAT, "the last piece is cut off")
    return pieces


def _piece(kind: str, track: str, data: str, **place: int) -> Piece:
    return Piece(kind=PieceKind[kind.upper()], track=Track(track), data=bytes.fromhex(data), **place)
