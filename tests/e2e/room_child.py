"""Asks for room, or records until the disk takes no new file: ``python -m tests.e2e.room_child ask|record FOLDER``."""

import sys
from pathlib import Path

from app.contract.errors import UserFacing
from app.contract.incidents import Track
from capture.room import check_room
from capture.spool import SpoolFull
from tests.unit.capture_parts import Workshop


def main() -> None:
    """Print what is said to the candidate, or what became of the fragments."""
    folder = Path(sys.argv[2])
    print(ask(folder) if sys.argv[1] == "ask" else record(folder))


def ask(folder: Path) -> str:
    try:
        return str(check_room(folder, margin_bytes=1))
    except UserFacing as refusal:
        return f"{refusal.code} {refusal}"


def record(folder: Path) -> str:
    """Record while there are names for new files, then on when there are again; return how much is there."""
    workshop = Workshop(folder)
    fillers = [folder / f"filler-{number}" for number in range(2)]
    for filler in fillers:
        filler.touch()
    segmenter = workshop.segmenter(Track.CAMERA, segment_ms=1_000)
    taken, refused = 0, 0
    for at_ms in range(0, 20_000, 250):
        if at_ms == 15_000:
            for filler in fillers:
                filler.unlink()
        try:
            segmenter.push_plain(f"piece {at_ms}".encode(), at_ms)
            taken += 1
        except SpoolFull:
            refused += 1
    segmenter.close()
    kept = sum(bool(piece) for record, _ in workshop.closed for piece in workshop.open(record).fragments)
    return f"taken {taken} refused {refused > 0} kept {kept} after {workshop.closed[-1][0].start_ms >= 15_000}"


if __name__ == "__main__":
    main()
