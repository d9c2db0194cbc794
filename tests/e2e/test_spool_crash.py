"""A recorder killed at any moment loses nothing that it said was on disk, and the next one continues its chain."""

import random
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.contract.incidents import Track
from app.contract.sealing import jws, keys
from app.contract.sealing.records import RECORD_TYPE, Record, genesis
from capture.fragments import Fragment
from capture.recovery import recover
from capture.segmenter import Segmenter
from capture.spool import SpoolFull
from tests.unit.capture_parts import POLICY_DIGEST, SESSION, Workshop, picture_times

ROOT = Path(__file__).parents[2]
KILLS = 8
SEED = 20_261_123


class Crashes:
    """What the killed recorders said: their keys, and every fragment that they acknowledged."""

    def __init__(self) -> None:
        self.keys: dict[str, Ed25519PublicKey] = {}
        self.epochs: dict[str, int] = {}
        self.acknowledged: Counter[str] = Counter()
        self.recovered = 0

    def one(self, folder: Path, epoch: int, after: int) -> None:
        """Run a recorder and kill it once it has acknowledged ``after`` fragments (and goes on acknowledging)."""
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.recording_child", str(folder), str(epoch)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        with child.stdout, child.stderr:
            key = keys.load_ed25519(bytes.fromhex(child.stdout.readline().decode()))
            self.keys[keys.key_id(key)], self.epochs[keys.key_id(key)] = key, epoch
            self.recovered += int(child.stdout.readline().split()[1])
            lines = [child.stdout.readline() for _ in range(after)]
            child.send_signal(signal.SIGKILL)
            lines += child.stdout.readlines()
            assert child.wait() == -signal.SIGKILL, child.stderr.read().decode()
        self.acknowledged += Counter(line.decode().strip() for line in lines if line.endswith(b"\n"))


def test_eight_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    moments = random.Random(SEED)  # noqa: S311  (seeded, so that a failure can be repeated)
    crashes = Crashes()
    for epoch in range(KILLS):
        crashes.one(tmp_path, epoch, after=moments.randint(3, 600))

    workshop = Workshop(tmp_path, epoch=KILLS)
    last = keys.key_id(workshop.key.public_key())
    crashes.keys[last], crashes.epochs[last] = workshop.key.public_key(), KILLS
    crashes.recovered += len(recover(workshop.spool, workshop.chain, workshop.clock).segments)
    records = check_chain(workshop, crashes.keys)
    late = [record for kid, record in records if crashes.epochs[kid] == record.epoch + 1]
    assert crashes.recovered >= len(late)  # the others had their record and lacked only their name
    assert {record.epoch for _, record in records} == set(range(KILLS))
    assert any(not record.complete for record in late)

    found: Counter[str] = Counter()
    for _, record in records:
        opened = workshop.open(record)
        assert opened.complete == record.complete
        pieces = opened.fragments[1:] if record.track is Track.CAMERA else opened.fragments
        found += Counter(f"{record.track} {sha256(piece).hexdigest()}" for piece in pieces)
        if record.track is Track.CAMERA and len(pieces) > 1 and not record.complete:
            assert len(picture_times(b"".join(opened.fragments))) == 3 * len(pieces)
    assert crashes.acknowledged - found == Counter()
    assert not list(workshop.spool.folder.glob("*.part"))
    assert workshop.spool.totals().pending == len(records)
    workshop.close()


def check_chain(workshop: Workshop, known: dict[str, Ed25519PublicKey]) -> list[tuple[str, Record]]:
    """Check signatures, links, digests, and that tracks count without a hole; return key ids and records."""
    previous, records = genesis(SESSION, POLICY_DIGEST), list[tuple[str, Record]]()
    for token in (workshop.folder / "chain.jws").read_text().splitlines():
        record = jws.verify(Record, token, known[jws.key_id_of(token)], typ=RECORD_TYPE)
        assert record.previous == previous
        data = (workshop.spool.folder / f"{record.epoch}-{record.track}-{record.sequence}.fls").read_bytes()
        assert (sha256(data).digest(), len(data)) == (record.digest, record.size)
        previous = jws.digest(token)
        records.append((jws.key_id_of(token), record))
    for epoch in range(KILLS):
        for track in (Track.CAMERA, Track.JOURNAL):
            numbers = sorted(r.sequence for _, r in records if (r.epoch, r.track) == (epoch, track))
            assert numbers == list(range(len(numbers)))
    return records


# --- a disk that is full ----------------------------------------------------------------------------------------------


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file of this process grow beyond 64 KiB: the kernel then refuses writes as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_refuses_writes_keeps_what_was_whole(tmp_path: Path, small_files: None) -> None:
    workshop = Workshop(tmp_path)
    segmenter = workshop.segmenter(Track.CAMERA)
    kept = push_until_full(segmenter, 5_000)
    for number in range(10):
        segmenter.push(piece(60_000 + number * 200, 5_000))
    segmenter.close()
    check_kept(workshop, kept)


def test_what_a_full_disk_interrupted_is_closed_at_the_end(tmp_path: Path, small_files: None) -> None:
    workshop = Workshop(tmp_path)
    segmenter = workshop.segmenter(Track.CAMERA)
    kept = push_until_full(segmenter, 5_000)
    with pytest.raises(SpoolFull):
        no_room_at_all(segmenter.close)
    segmenter.close()  # nothing came after it that would have begun another segment
    ((torn, _),) = workshop.closed
    assert (torn.sequence, torn.complete, len(workshop.open(torn).fragments)) == (0, False, kept)
    assert not list(workshop.spool.folder.glob("*.part"))
    workshop.close()


def no_room_at_all(do: Callable[[], None]) -> None:
    """Call ``do`` while no file may grow by a byte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        do()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB, where mounting one is allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        allowed = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("mounting a small file system needs more rights than this user has")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_keeps_what_was_whole_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 500_000)
    workshop = Workshop(small_disk)
    segmenter = workshop.segmenter(Track.CAMERA)
    kept = push_until_full(segmenter, 20_000)
    assert kept > 10
    with pytest.raises(SpoolFull):
        segmenter.push(piece(60_000, 20_000))
    ballast.unlink()
    for number in range(10):
        segmenter.push(piece(60_000 + number * 200, 5_000))
    segmenter.close()
    check_kept(workshop, kept)


def push_until_full(segmenter: Segmenter, size: int) -> int:
    """Push into one segment; return how many fragments there was room for."""
    for number in range(1_000):
        try:
            segmenter.push(piece(number, size))
        except SpoolFull:
            return number
    pytest.fail("the disk never was full")


def check_kept(workshop: Workshop, kept: int) -> None:
    """The first segment holds what was pushed before the disk was full, the second what came after."""
    (torn, _), (after, _) = workshop.closed
    assert (torn.sequence, torn.complete, len(workshop.open(torn).fragments)) == (0, False, kept)
    assert (after.sequence, after.complete, len(workshop.open(after).fragments)) == (1, True, 11)
    assert workshop.chain.count == 2
    workshop.close()


def piece(start_ms: int, size: int) -> Fragment:
    return Fragment(
        track=Track.CAMERA,
        data=b"\x55" * size,
        start_ms=start_ms,
        duration_ms=200,
        opens_segment=start_ms % 60_000 == 0,
    )
