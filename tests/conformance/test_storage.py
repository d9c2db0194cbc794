"""What every store of segments must do; each implementation runs through the same list."""

import errno
import os
import re
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from app.contract.incidents import Track
from server import settings
from server.storage.base import GrantPlace, Place, SegmentStore, StorageFull, Stored
from server.storage.drafts import ABANDONED_S
from server.storage.filesystem import FileStore
from server.storage.s3 import S3Store
from tests.s3_server import S3Server

PLACE = Place(session="session-1", epoch=0, track=Track.CAMERA, sequence=7)


@pytest.fixture(params=["filesystem", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SegmentStore:
    """Each kind of store as the server opens it."""
    if request.param == "s3":
        (tmp_path / settings.NAME).write_text(request.getfixturevalue("s3_server").settings())
    return settings.open_store(settings.load(tmp_path / settings.NAME), tmp_path)


def _store(store: SegmentStore, place: Stored, *blocks: bytes) -> tuple[int, bytes]:
    upload = store.begin(place)
    for block in blocks:
        upload.write(block)
    finished = upload.finish()
    upload.publish()
    upload.discard()
    return finished


def _read(store: SegmentStore, place: Stored) -> bytes:
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
    upload = store.begin(PLACE)
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


def test_rivals_for_one_place_have_files_of_their_own(store: SegmentStore) -> None:
    one, other = (replace(PLACE, record=sha256(name).digest()) for name in (b"one", b"other"))
    _store(store, PLACE, b"from before")
    for place, data in ((one, b"one"), (other, b"the other")):
        _store(store, place, data)
    assert [_read(store, place) for place in (one, other, PLACE)] == [b"one", b"the other", b"from before"]
    store.delete(other)
    assert _read(store, one) == b"one"
    store.shred(PLACE.session, 100)
    for place in (one, PLACE):
        with pytest.raises(FileNotFoundError):
            store.size(place)


def test_two_uploads_at_a_time_are_apart(store: SegmentStore) -> None:
    one, other = store.begin(PLACE), store.begin(PLACE)
    one.write(b"one")
    other.write(b"other")
    for upload in (one, other):
        upload.finish()
    other.publish()
    one.discard()
    assert _read(store, PLACE) == b"other"


def test_readers_never_see_half_of_anything(store: SegmentStore) -> None:
    """Two segments take turns in one place; whoever reads meanwhile gets one of them, whole."""
    whole = {bytes([number]) * 3_000_000 for number in (1, 2)}
    _store(store, PLACE, *whole.copy())
    _store(store, PLACE, next(iter(whole)))
    done = threading.Event()

    def write() -> None:
        for _ in range(4):
            for one in whole:
                _store(store, PLACE, one)
        done.set()

    def read() -> int:
        seen = 0
        while not done.is_set() or not seen:
            try:
                assert _read(store, PLACE) in whole
                seen += 1
            except StorageFull:
                continue  # an S3 store says that the object was replaced
        return seen

    with ThreadPoolExecutor(3) as threads:
        writing = threads.submit(write)
        readers = [threads.submit(read) for _ in range(2)]
        writing.result()
        assert all(reader.result() for reader in readers)


def test_reading_far_into_a_long_segment(store: SegmentStore) -> None:
    whole = os.urandom(2_500_000)
    _store(store, PLACE, whole)
    with store.open(PLACE) as file:
        for start, length in ((2_400_000, 200_000), (1_048_570, 20), (0, 5), (2_499_999, 1), (2_500_000, 1)):
            file.seek(start)
            assert file.read(length) == whole[start : start + length]


def test_no_segment_is_held_in_memory(store: SegmentStore) -> None:
    """In and out, of a long one."""
    block, blocks = os.urandom(256 * 1024), 96
    _store(store, PLACE, block)  # what is loaded and connected once is not the segment's
    tracemalloc.start()
    try:
        upload = store.begin(PLACE)
        for _ in range(blocks):
            upload.write(block)
        assert upload.finish()[0] == blocks * len(block)
        upload.publish()
        with store.open(PLACE) as file:
            while file.read(len(block)):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * len(block)


def test_empty_upload_is_an_empty_segment(store: SegmentStore) -> None:
    assert _store(store, PLACE) == (0, sha256().digest())
    assert (store.size(PLACE), _read(store, PLACE)) == (0, b"")


def test_shredding_takes_all_of_one_session_and_nothing_of_another(store: SegmentStore) -> None:
    places = [
        Place(session=session, epoch=0, track=Track.CAMERA, sequence=sequence)
        for session in ("session-1", "session-11")
        for sequence in range(3)
    ]
    for place in places:
        _store(store, place, b"x" * 5_000)
    wraps = GrantPlace(session="session-1", grant="grant-1")
    _store(store, wraps, b"wrapped keys")
    assert _read(store, wraps) == b"wrapped keys"
    waiting = store.begin(places[0])
    waiting.write(b"half")
    waiting.finish()
    for _ in range(2):
        store.shred("session-1", 100)
    gone: list[Stored] = [*places[:3], wraps]
    for shredded in gone:
        with pytest.raises(FileNotFoundError):
            store.size(shredded)
    assert all(store.size(place) == 5_000 for place in places[3:])
    waiting.discard()


def test_a_bucket_that_keeps_versions_keeps_none_of_what_was_shredded(s3_server: S3Server, tmp_path: Path) -> None:
    client, bucket = s3_server.client(), "versions"
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store = S3Store(client, bucket=bucket, prefix="", drafts=tmp_path)
    for text in (b"first", b"second"):
        _store(store, PLACE, text)
    client.delete_object(Bucket=bucket, Key="sessions/session-1/0-camera-7.fls")  # a mark, under which both are kept
    assert len(client.list_object_versions(Bucket=bucket)["Versions"]) == 2
    waiting = store.begin(PLACE)
    waiting.finish()
    store.shred("session-1", 0)
    with pytest.raises(StorageFull):
        waiting.publish()  # what it had sent was thrown away
    waiting.discard()
    left = client.list_object_versions(Bucket=bucket)
    assert not {"Versions", "DeleteMarkers"} & set(left)


def test_parts_that_nobody_goes_on_with_are_thrown_away(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once by who sent them; by the next start where that was killed, once nobody can be sending them."""
    client, bucket = s3_server.client(), "parts"
    client.create_bucket(Bucket=bucket)

    def left() -> int:
        return len(client.list_multipart_uploads(Bucket=bucket).get("Uploads", ()))

    store = S3Store(client, bucket=bucket, prefix="", drafts=tmp_path)
    discarded, killed = store.begin(PLACE), store.begin(PLACE)
    for upload in (discarded, killed):
        upload.write(b"half")
        upload.finish()
    assert left() == 2
    discarded.discard()
    assert left() == 1
    S3Store(client, bucket=bucket, prefix="", drafts=tmp_path)
    assert left() == 1, "another server may still be sending it"
    monkeypatch.setattr("server.storage.s3.ABANDONED_S", -60)
    S3Store(client, bucket=bucket, prefix="", drafts=tmp_path)
    assert left() == 0
    killed.discard()


def test_an_object_under_a_lock_is_told_and_the_others_are_deleted(s3_server: S3Server, tmp_path: Path) -> None:
    client, bucket = s3_server.client(), "locked"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    store = S3Store(client, bucket=bucket, prefix="", drafts=tmp_path)
    places = [Place(session="session-1", epoch=0, track=Track.CAMERA, sequence=sequence) for sequence in range(3)]
    for place in places:
        _store(store, place, b"sealed")
    key = "sessions/session-1/0-camera-0.fls"
    client.put_object_legal_hold(Bucket=bucket, Key=key, LegalHold={"Status": "ON"})
    with pytest.raises(StorageFull, match="still holds 1 object"):
        store.shred("session-1", 0)
    assert [one["Key"] for one in client.list_object_versions(Bucket=bucket)["Versions"]] == [key]
    client.put_object_legal_hold(Bucket=bucket, Key=key, LegalHold={"Status": "OFF"})
    store.shred("session-1", 0)
    assert "Versions" not in client.list_object_versions(Bucket=bucket)


@pytest.mark.parametrize("session", ["../escape1", "a/../../b1", "", "/etc/passwd", "x" * 65])
def test_no_session_leads_out_of_the_store(store: SegmentStore, session: str) -> None:
    with pytest.raises(ValueError, match=re.escape("is not a session id")):
        store.open(Place(session=session, epoch=0, track=Track.CAMERA, sequence=0))


def test_files_keep_what_was_published_and_clear_what_was_abandoned(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    _store(store, PLACE, b"kept")
    abandoned, fresh = store.begin(PLACE), store.begin(PLACE)
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


def test_the_second_name_that_a_killed_server_left_goes_at_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    killed, under_way = store.begin(PLACE), store.begin(PLACE)
    for upload in (killed, under_way):
        upload.write(b"whole")
        upload.finish()
    killed.publish()  # and not discarded: it was killed here
    again = FileStore(tmp_path)
    (left,) = (tmp_path / "incoming").iterdir()
    assert left == under_way._draft.path
    assert _read(again, PLACE) == b"whole"


def test_a_server_that_starts_takes_no_name_that_another_one_still_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = Path.hardlink_to
    synced: list[int] = []

    def overtaken(self: Path, target: Path) -> None:
        link(self, target)
        FileStore(tmp_path)
        assert list((tmp_path / "incoming").iterdir()) == []

    store = FileStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "hardlink_to", overtaken)
        patch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
        _store(store, PLACE, b"kept")
    path = tmp_path / "sessions" / "session-1" / "0-camera-7.fls"
    assert path.stat().st_ino in synced, "its bytes are on the disk before there is a receipt"
    assert _read(store, PLACE) == b"kept"


def test_a_file_that_may_have_a_receipt_is_not_replaced_by_one_that_is_not_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path)
    _store(store, PLACE, b"acknowledged")
    synced: list[bytes] = []

    def sync(_descriptor: int) -> None:
        synced.append(_read(store, PLACE))

    second = store.begin(PLACE)
    second.write(b"once more")
    second.finish()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", sync)
        second.publish()
    second.discard()
    assert synced == [b"acknowledged", b"once more"]
    assert _read(store, PLACE) == b"once more"


def test_files_are_published_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    store = FileStore(tmp_path)
    _store(store, PLACE, b"renamed")
    assert _read(store, PLACE) == b"renamed"
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_draft_that_goes_while_a_store_is_opened_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export or a second server is started beside one that stores segments."""
    (tmp_path / "incoming").mkdir()
    going, staying = (tmp_path / "incoming" / name for name in ("going", "staying"))
    for path in (going, staying):
        path.write_bytes(b"half")
        os.utime(path, (0, 0))
    stat = Path.stat

    def late(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if self == going:
            going.unlink()
        return stat(self, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", late)
    FileStore(tmp_path)
    assert not os.listdir(tmp_path / "incoming")  # noqa: PTH208  (without a look at each)


def test_full_disk_is_told_as_one(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full to stand in for a full disk")
    store = FileStore(tmp_path)
    upload = store.begin(PLACE)
    descriptor = os.open("/dev/full", os.O_WRONLY)
    os.dup2(descriptor, upload._draft._file.fileno())
    os.close(descriptor)
    with pytest.raises(StorageFull, match="No space left"):
        upload.write(b"x" * 1_000_000)
    upload.discard()
