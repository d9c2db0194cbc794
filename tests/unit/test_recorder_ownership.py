"""A session's folder belongs to one process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.contract.errors import UserFacing
from app.recorder.ownership import owned

HOLDER = """
import sys
from pathlib import Path
from app.clock import SystemClock
from app.recorder.ownership import owned
with owned(Path(sys.argv[1]), SystemClock()):
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "session")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "mine\n"
        with pytest.raises(UserFacing, match="still working"), owned(tmp_path / "session", ManualClock()):
            pass
        holder.kill()
        holder.wait()
    with owned(tmp_path / "session", ManualClock(), patience_s=0):
        pass
