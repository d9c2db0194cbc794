"""A spool on real small disks: read-only, full, without names for new files; and a clock that jumps by days."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from capture.recovery import recover
from capture.segmenter import Segmenter
from tests.unit.capture_parts import Workshop

ROOT = Path(__file__).parents[2]
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
DAY_S = 86_400


def on_disk(options: str, what: str, folder: Path) -> str:
    """Run ``tests.e2e.room_child`` where ``folder`` is a disk with these options; return what it prints."""
    script = f'mount -t tmpfs -o {options} tmpfs "$0" && exec "{sys.executable}" -m tests.e2e.room_child {what} "$0"'
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", script, str(folder)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("size=64m", r"\d+"),
        ("size=64m,ro", r"E-DISK-WRITE The recording can't be written to .*: Read-only file system\. See that .*"),
        ("size=64m,nr_inodes=1", r"E-DISK-FULL The disk takes no new file in .*\. Delete .*"),
    ],
)
def test_room_is_asked_for_before_the_exam(options: str, says: str, tmp_path: Path) -> None:
    assert re.fullmatch(says, on_disk(options, "ask", tmp_path))


def test_a_disk_that_takes_no_new_file_for_a_while(tmp_path: Path) -> None:
    told = on_disk("size=64m,nr_inodes=12", "record", tmp_path)
    counted = re.fullmatch(r"taken (\d+) refused True kept (\d+) after True", told)
    assert counted is not None, told
    assert int(counted[1]) == int(counted[2]) > 20


@pytest.mark.parametrize("jumps", [(DAY_S, -2 * DAY_S), (-DAY_S, 2 * DAY_S)])
def test_a_clock_that_jumps_by_days(jumps: tuple[float, float], tmp_path: Path) -> None:
    clock = ManualClock()
    workshop = Workshop(tmp_path, clock=clock)
    segmenter = workshop.segmenter(Track.CAMERA)
    at_ms = 0
    for jump in (*jumps, 0):
        at_ms = record_for(segmenter, clock, at_ms, 7_000)
        clock.jump_wall(jump)
    workshop.close()  # as a crash does: the last segment is open
    again = Workshop(tmp_path, clock=clock, epoch=1)
    (late,) = recover(again.spool, again.chain, again.clock).segments
    records = again.chain_on_disk()
    assert [record.start_ms for record in records] == [0, 5_000, 10_000, 15_000, 20_000]
    assert sum(bool(piece) for record in records for piece in again.open(record).fragments) == at_ms // 250
    assert 0 <= late[0].duration_ms <= 60_000
    assert all(record.duration_ms <= 5_000 for record in records[:-1])
    again.close()


def record_for(segmenter: Segmenter, clock: ManualClock, at_ms: int, lasting_ms: int) -> int:
    for now_ms in range(at_ms, at_ms + lasting_ms, 250):
        segmenter.push_plain(f"piece {now_ms}".encode(), now_ms)
        clock.advance(0.25)
    return at_ms + lasting_ms
