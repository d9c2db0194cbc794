"""Segmenter, spool and recovery: what was sealed opens again, also after a crash, a full quota and a full disk."""

import os
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.records import Record
from capture.durable import write_all
from capture.encoder import AudioEncoder
from capture.fake import FakeMicrophone
from capture.fragments import Fragment
from capture.recovery import recover
from capture.spool import Spool, SpoolFull
from tests.unit.capture_parts import SESSION, Workshop, film, picture_times, sound_length


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.close()


def piece(start_ms: int, size: int = 1_000, *, opens: bool = True) -> Fragment:
    return Fragment(track=Track.CAMERA, data=os.urandom(size), start_ms=start_ms, duration_ms=250, opens_segment=opens)


def test_sealed_segments_open_and_decode(workshop: Workshop) -> None:
    encoder, fragments = film(workshop.clock, workshop.origin, seconds=15)
    segmenter = workshop.segmenter(Track.CAMERA, mime=encoder.mime, init=encoder.init)
    assert all(segmenter.push(fragment) for fragment in fragments)
    segmenter.close()

    records = [record for record, _ in workshop.closed]
    assert [(r.sequence, r.start_ms, r.duration_ms, r.complete) for r in records] == [
        (0, 0, 5_000, True),
        (1, 5_000, 5_000, True),
        (2, 10_000, 5_000, True),
    ]
    for record in records:
        opened = workshop.open(record)
        assert opened.complete
        assert opened.header.mime == encoder.mime
        assert opened.fragments[0] == encoder.init
        assert opened.fragments[-1] == b""
        times = picture_times(b"".join(opened.fragments))
        assert len(times) == 75
        assert times[0] == pytest.approx(record.start_ms / 1000, abs=0.002)
    assert all(b.previous == jws.digest(token) for (_, token), (b, _) in pairwise(workshop.closed))


def test_sealed_sound_opens_and_decodes(workshop: Workshop) -> None:
    source, encoder = FakeMicrophone(workshop.clock), AudioEncoder(workshop.origin)
    source.open()
    segmenter = workshop.segmenter(Track.MICROPHONE, mime=encoder.mime, init=encoder.init)
    for _ in range(300):
        for fragment in encoder.encode(source.read()):
            segmenter.push(fragment)
    for fragment in encoder.finish():
        segmenter.push(fragment)
    segmenter.close()
    lengths = [sound_length(b"".join(workshop.open(record).fragments))[1] for record, _ in workshop.closed]
    assert lengths[0] == pytest.approx(5 * 48_000, abs=960)
    assert sum(lengths) == pytest.approx(6 * 48_000, abs=1_920)


def test_a_segment_is_cut_only_where_one_can_open(workshop: Workshop) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    assert not segmenter.push(piece(0, opens=False))
    for start in range(250, 12_000, 250):
        segmenter.push(piece(start, opens=start == 250 or start in (3_000, 6_000, 11_500)))
    segmenter.close()
    assert [(r.start_ms, r.duration_ms) for r, _ in workshop.closed] == [(250, 5_750), (6_000, 5_500), (11_500, 500)]


def test_plain_pieces_are_cut_by_time_and_on_demand(workshop: Workshop) -> None:
    segmenter = workshop.segmenter(Track.JOURNAL)
    for at_ms in (100, 2_000, 5_200, 5_300):
        segmenter.push_plain(b"{%d}" % at_ms, at_ms)
    assert [workshop.open(r).fragments for r, _ in workshop.closed] == [(b"{100}", b"{2000}", b"")]
    segmenter.cut_if_due(10_000)
    assert len(workshop.closed) == 1
    segmenter.cut_if_due(10_200)
    assert len(workshop.closed) == 2
    segmenter.cut()
    assert len(workshop.closed) == 2
    with pytest.raises(ValueError, match="empty"):
        segmenter.push_plain(b"", 0)


def test_pending_is_oldest_first_and_a_receipt_frees_the_file(workshop: Workshop) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    for start in range(0, 20_000, 5_000):
        segmenter.push(piece(start))
    segmenter.close()
    pending = workshop.spool.pending()
    assert [job.record.sequence for job in pending] == [0, 1, 2, 3]
    assert workshop.spool.pending_bytes() == sum(job.path.stat().st_size for job in pending)
    workshop.spool.mark_received(pending[0].record_digest, "receipt")
    assert not pending[0].path.exists()
    assert workshop.spool.receipt(pending[0].record_digest) == "receipt"
    assert [job.record.sequence for job in workshop.spool.pending()] == [1, 2, 3]
    totals = workshop.spool.totals()
    assert (totals.received, totals.pending) == (1, 3)
    assert workshop.spool.pending_bytes() == totals.pending_bytes


def test_a_full_quota_closes_what_is_open_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, quota_bytes=20_000)
    segmenter = workshop.segmenter(Track.CAMERA)
    for start in range(0, 4_000, 250):
        segmenter.push(piece(start))
    with pytest.raises(SpoolFull):
        segmenter.push(piece(4_000, size=10_000))
    assert [(r.complete, r.fragments) for r, _ in workshop.closed] == [(True, 17)]
    assert len(workshop.open(workshop.closed[0][0]).fragments) == 17
    with pytest.raises(SpoolFull):
        segmenter.push(piece(4_250, size=10_000))
    for job in workshop.spool.pending():
        workshop.spool.mark_received(job.record_digest, "receipt")
    segmenter.push(piece(5_000, size=10_000))
    segmenter.close()
    assert workshop.closed[-1][0].complete
    assert workshop.spool.pending_bytes() <= 20_000
    workshop.close()


def test_a_full_disk_is_told_and_loses_nothing_that_was_written(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    segmenter.push(piece(0))

    def half(descriptor: int, data: bytes) -> None:
        write_all(descriptor, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("capture.spool.write_all", half)
        with pytest.raises(SpoolFull):
            segmenter.push(piece(250))
    segmenter.push(piece(500))
    segmenter.close()
    (torn, _), (after, _) = workshop.closed
    assert (torn.sequence, torn.complete, torn.fragments) == (0, False, 1)
    assert (after.sequence, after.complete) == (1, True)
    assert len(workshop.open(torn).fragments) == 1
    assert workshop.spool.pending_bytes() == workshop.spool.totals().pending_bytes


def test_a_segment_that_got_no_fragment_gives_its_number_back(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    with monkeypatch.context() as full:
        full.setattr("capture.spool.write_all", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(SpoolFull):
            segmenter.push(piece(0))
    segmenter.push(piece(250))
    segmenter.close()
    assert [(r.sequence, r.start_ms, r.complete) for r, _ in workshop.closed] == [(0, 250, True)]


# --- what a crash leaves ----------------------------------------------------------------------------------------------


def next_epoch(before: Workshop) -> Workshop:
    before.close()
    return Workshop(before.folder, clock=before.clock, epoch=before.epoch + 1)


def test_a_torn_part_is_cut_to_its_whole_fragments(workshop: Workshop) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    for start in range(0, 1_000, 250):
        segmenter.push(piece(start))
    part = workshop.spool.folder / "0-camera-0.part"
    whole = part.stat().st_size
    with part.open("ab") as file:
        file.write(b"\0\0\4\0torn")
    after = next_epoch(workshop)
    found = recover(after.spool, after.chain, after.clock)
    assert (len(found.segments), found.torn_bytes, found.empty) == (1, 8, 0)
    record, token = found.segments[0]
    assert (record.epoch, record.sequence, record.complete, record.size) == (0, 0, False, whole)
    jws.verify(Record, token, after.key.public_key(), typ="fairlock-record+v1")
    opened = after.open(record)
    assert (len(opened.fragments), opened.complete) == (4, False)
    assert [job.record for job in after.spool.pending()] == [record]
    after.close()


@pytest.mark.parametrize("tail", [b"\0" * 4_096, b"\0\0\0\x20" + b"\xff" * 32])
def test_zeros_and_rubbish_after_a_power_cut_are_not_fragments(workshop: Workshop, tail: bytes) -> None:
    segmenter = workshop.segmenter(Track.SCREEN)
    segmenter.push(piece(0))
    with (workshop.spool.folder / "0-screen-0.part").open("ab") as file:
        file.write(tail)
    after = next_epoch(workshop)
    found = recover(after.spool, after.chain, after.clock)
    assert found.torn_bytes == len(tail)
    assert len(after.open(found.segments[0][0]).fragments) == 1
    after.close()


def test_a_part_without_a_whole_fragment_is_removed(workshop: Workshop) -> None:
    (workshop.spool.folder / "0-camera-0.part").write_bytes(b"FLS1\0\0\1\0{")
    found = recover(workshop.spool, workshop.chain, workshop.clock)
    assert (found.empty, found.segments) == (1, [])
    assert not list(workshop.spool.folder.glob("*.part"))


def test_a_crash_between_the_record_and_the_rename_makes_no_second_record(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    segmenter.push(piece(0))
    with monkeypatch.context() as crash:
        crash.setattr(workshop.spool, "commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            segmenter.close()
    after = next_epoch(workshop)
    found = recover(after.spool, after.chain, after.clock)
    assert after.chain.count == 1
    assert found.segments[0][0].complete
    assert [job.record_jws for job in after.spool.pending()] == [found.segments[0][1]]
    after.close()


def test_a_crash_between_the_final_fragment_and_the_record_is_complete(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    segmenter.push(piece(0))
    with monkeypatch.context() as crash:
        crash.setattr(workshop.chain, "append", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            segmenter.close()
    after = next_epoch(workshop)
    record, _ = recover(after.spool, after.chain, after.clock).segments[0]
    assert record.complete
    assert after.open(record).complete
    after.close()


def test_a_destroyed_index_is_rebuilt_from_the_files(workshop: Workshop) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    for start in range(0, 15_000, 5_000):
        segmenter.push(piece(start))
    segmenter.close()
    workshop.close()
    for file in workshop.spool.folder.glob("index.sqlite*"):
        file.write_bytes(b"not a database, not at all" * 100)
    after = Workshop(workshop.folder, clock=workshop.clock, epoch=1)
    found = recover(after.spool, after.chain, after.clock)
    assert sorted(token for _, token in found.segments) == sorted(token for _, token in workshop.closed)
    assert after.chain.count == 3
    assert len(after.spool.pending()) == 3
    after.close()


def test_segments_on_their_way_are_passed_over(workshop: Workshop) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    for start in range(0, 20_000, 5_000):
        segmenter.push(piece(start))
    segmenter.close()
    jobs = workshop.spool.pending()
    first, second, third = (job.record_digest for job in jobs[:3])
    assert workshop.spool.pending(1, without={first, third}) == [jobs[1]]
    assert workshop.spool.pending(2, without={second}) == [jobs[0], jobs[2]]
    assert workshop.spool.pending(without={job.record_digest for job in jobs}) == []


def test_a_received_file_that_a_crash_left_is_deleted_at_the_next_start(workshop: Workshop) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    segmenter.push(piece(0))
    segmenter.close()
    job = workshop.spool.pending()[0]
    workshop.spool.mark_received(job.record_digest, "receipt", keep_file=True)
    assert job.path.exists()
    Spool(workshop.spool.folder, session=SESSION, quota_bytes=1, clock=ManualClock()).close()
    assert not job.path.exists()


def test_an_index_on_a_full_disk_keeps_the_part_for_later(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = workshop.segmenter(Track.CAMERA)
    segmenter.push(piece(0))

    class Full:
        def __enter__(self) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        def __exit__(self, *_: object) -> None: ...

    with monkeypatch.context() as full:
        full.setattr(workshop.spool, "_index", Full())
        with pytest.raises(SpoolFull):
            segmenter.close()
    segmenter.push(piece(5_000))
    segmenter.close()
    assert [(r.sequence, r.complete) for r, _ in workshop.closed] == [(0, True), (1, True)]
    assert workshop.chain.count == 2
    assert len(workshop.spool.pending()) == 2
