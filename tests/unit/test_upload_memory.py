"""Ten thousand waiting segments, some as large as a segment may be, cost an upload little memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.contract.sealing.segment import MAX_SEGMENT
from tests.unit.upload_memory import fill

WAITING = 10_000
SENT = 60
MOST_MIB = 64


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak in a file")
def test_a_large_backlog_takes_little_memory(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    fill(spool, number=WAITING, size=2_000, large=MAX_SEGMENT)
    command = [sys.executable, "-m", "tests.unit.upload_memory", str(spool), str(WAITING), str(SENT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert float(done.stdout) < MOST_MIB
    print(f"grew by {float(done.stdout):.1f} MiB")
