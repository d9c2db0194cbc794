"""What a segmenter tells while it writes: each piece once it is in the file, with its place there, and no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.contract.incidents import Track
from capture.chain import Place
from capture.fragments import Fragment
from capture.segmenter import Segmenter
from capture.spool import SpoolFull, file_stem
from tests.unit.capture_parts import Workshop


class Copies:
    """Puts the files together from what was told, and looks whether they grew by exactly that."""

    def __init__(self, workshop: Workshop) -> None:
        self._folder = workshop.spool.folder
        self.files: dict[Place, bytearray] = {}

    def take(self, place: Place, offset: int, data: bytes) -> None:
        copy = self.files.setdefault(place, bytearray())
        assert offset == len(copy)
        copy += data
        assert (self._folder / f"{file_stem(place)}.part").read_bytes() == copy


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.close()


def push(segmenter: Segmenter, start_ms: int) -> None:
    data = start_ms.to_bytes(4, "big") * 250
    segmenter.push(
        Fragment(track=Track.CAMERA, data=data, start_ms=start_ms, duration_ms=1_000, opens_segment=True),
    )


def test_each_file_is_told_from_its_preamble_to_its_final_fragment(workshop: Workshop) -> None:
    copies = Copies(workshop)
    segmenter = workshop.segmenter(Track.CAMERA, init=b"init", on_written=copies.take)
    for start_ms in range(0, 12_000, 1_000):
        push(segmenter, start_ms)
    segmenter.close()
    assert len(workshop.closed) == len(copies.files) == 3
    for record, _ in workshop.closed:
        place = record.epoch, record.track, record.sequence
        assert (workshop.spool.folder / f"{file_stem(place)}.fls").read_bytes() == copies.files[place]


def test_what_the_disk_did_not_take_is_not_told(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = Copies(workshop)
    segmenter = workshop.segmenter(Track.CAMERA, on_written=copies.take)
    push(segmenter, 0)
    with monkeypatch.context() as full:
        full.setattr("capture.spool.write_all", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(SpoolFull):
            push(segmenter, 1_000)
    push(segmenter, 2_000)
    segmenter.close()
    sizes = {record.sequence: record.size for record, _ in workshop.closed}
    assert {place[2]: len(copy) for place, copy in copies.files.items()} == sizes
    assert [record.complete for record, _ in workshop.closed] == [False, True]
