"""The largest segment files: what is beyond the format's limits is refused at once, as the console does."""

import struct
from pathlib import Path

import pytest

from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing.archive import open_export
from app.contract.sealing.segment import MAX_FRAGMENTS, MAX_SEGMENT, parse
from app.contract.sealing.verify import verify_session
from tests.vectors.granting import CASES

NAME = "segments/0-camera-0.fls"


def preamble() -> bytes:
    """Return a sound segment's file up to its header's end."""
    data = CASES["ok"].build().files[NAME]
    return data[: 8 + struct.unpack(">I", data[4:8])[0]]


def test_a_file_larger_than_any_segment_is_bad_format_and_nothing_else_is_said_of_it(tmp_path: Path) -> None:
    draft = CASES["ok"].build()
    (tmp_path / "segments").mkdir()
    (tmp_path / "manifest.json").write_bytes(draft.manifest())
    for name, data in draft.files.items():
        (tmp_path / name).write_bytes(data)
    with (tmp_path / NAME).open("r+b") as file:
        file.truncate(MAX_SEGMENT + 1)
    with open_export(tmp_path) as export:
        verdict = verify_session(export.manifest(), export, pin=None, private_key=None)
    assert [(fault.outcome, fault.where) for fault in verdict.faults] == [(Outcome.BAD_FORMAT, NAME)]


def test_a_larger_file_is_refused_where_no_archive_did() -> None:
    with pytest.raises(IntegrityError, match="is larger than"):
        parse(preamble().ljust(MAX_SEGMENT + 1, b"\0"))


def test_a_file_of_more_fragments_than_a_record_may_speak_of_is_refused() -> None:
    start = preamble()
    assert len(parse(start + bytes(4 * MAX_FRAGMENTS)).fragments) == MAX_FRAGMENTS
    with pytest.raises(IntegrityError, match="more than 1000000 fragments"):
        parse(start + bytes(4 * MAX_FRAGMENTS + 4))
