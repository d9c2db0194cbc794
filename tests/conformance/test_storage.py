"""What every store of segments must do; each implementation runs through the same list."""

import os
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from app.contract.incidents import Track
from server.storage.base import Place, SegmentStore, StorageFull
from server.storage.filesystem import ABANDONED_S, FileStore

PLACE = Place(session="session-1", epoch=0, track=Track.CAMERA, sequence=7)


def _file_store(folder: Path) -> SegmentStore:
    return FileStore(folder)


@pytest.fixture(params=[_file_store], ids=["filesystem"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SegmentStore:
    make: Callable[[Path], SegmentStore] = request.param
    return make(tmp_path)


def _store(store: SegmentStore, place: Place, *blocks: bytes) -> tuple[int, bytes]:
    upload = store.begin()
    for block in blocks:
        upload.write(block)
    finished = upload.finish()
    upload.publish(place)
    upload.discard()
    return finished


def _read(store: SegmentStore, place: Place) -> bytes:
    with store.open(place) as file:
        return file.read()


def test_bytes_come_back_with_their_size_and_digest(store: SegmentStore) -> None:
    blocks = [os.urandom(100_000) for _ in range(5)]
    whole = b"".join(blocks)
    assert _store(store, PLACE, *blocks) == (len(whole), sha256(whole).digest())
    assert _read(store, PLACE) == whole
    assert store.size(PLACE) == len(whole)


def test_reading_can_start_anywhere(store: SegmentStore) -> None:
    _store(store, PLACE, b"0123456789")
    with store.open(PLACE) as file:
        file.seek(4)
        assert file.read(3) == b"456"


def test_nothing_is_there_before_publish(store: SegmentStore) -> None:
    upload = store.begin()
    upload.write(b"half")
    with pytest.raises(FileNotFoundError):
        store.open(PLACE)
    upload.finish()
    with pytest.raises(FileNotFoundError):
        store.size(PLACE)
    upload.discard()
    with pytest.raises(FileNotFoundError):
        store.open(PLACE)


def test_publish_replaces_as_a_whole(store: SegmentStore) -> None:
    _store(store, PLACE, b"first")
    with store.open(PLACE) as reader:
        _store(store, PLACE, b"second, longer")
        assert reader.read() == b"first"
    assert _read(store, PLACE) == b"second, longer"


def test_places_do_not_touch_each_other(store: SegmentStore) -> None:
    places = [
        Place(session=session, epoch=epoch, track=track, sequence=sequence)
        for session in ("session-1", "session-2")
        for epoch in (0, 1)
        for track in (Track.CAMERA, Track.SCREEN)
        for sequence in (1, 11)
    ]
    for place in places:
        _store(store, place, repr(place).encode())
    assert all(_read(store, place) == repr(place).encode() for place in places)
    store.delete(places[0])
    store.delete(places[0])
    with pytest.raises(FileNotFoundError):
        store.open(places[0])
    assert all(_read(store, place) == repr(place).encode() for place in places[1:])


def test_two_uploads_at_a_time_are_apart(store: SegmentStore) -> None:
    one, other = store.begin(), store.begin()
    one.write(b"one")
    other.write(b"other")
    for upload in (one, other):
        upload.finish()
    other.publish(PLACE)
    one.discard()
    assert _read(store, PLACE) == b"other"


@pytest.mark.parametrize("session", ["../escape1", "a/../../b1", "", "/etc/passwd", "x" * 65])
def test_no_session_leads_out_of_the_store(store: SegmentStore, session: str) -> None:
    with pytest.raises(ValueError, match=re.escape("is not a session id")):
        store.open(Place(session=session, epoch=0, track=Track.CAMERA, sequence=0))


def test_files_keep_what_was_published_and_clear_what_was_abandoned(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    _store(store, PLACE, b"kept")
    abandoned, fresh = store.begin(), store.begin()
    for upload in (abandoned, fresh):
        upload.write(b"half")
        upload.finish()
    old, young = sorted((tmp_path / "incoming").iterdir())
    long_ago = young.stat().st_mtime - ABANDONED_S - 60
    os.utime(old, (long_ago, long_ago))
    again = FileStore(tmp_path)
    assert list((tmp_path / "incoming").iterdir()) == [young]
    assert _read(again, PLACE) == b"kept"
    assert (tmp_path / "sessions" / "session-1" / "0-camera-7.fls").is_file()


def test_full_disk_is_told_as_one(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full to stand in for a full disk")
    store = FileStore(tmp_path)
    upload = store.begin()
    descriptor = os.open("/dev/full", os.O_WRONLY)
    os.dup2(descriptor, upload._file.fileno())
    os.close(descriptor)
    with pytest.raises(StorageFull, match="No space left"):
        upload.write(b"x" * 1_000_000)
    upload.discard()
