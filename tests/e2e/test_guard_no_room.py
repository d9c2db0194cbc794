"""A home folder without room: what can't be written down isn't changed. Real file systems, guard and desktop.

The guard runs in a mount namespace of its own, where its data folder is a small disk that is full or read-only.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.channel import decode, encode
from app.contract import schema
from app.contract.policy import Capability, Lockdown, Policy
from app.messages import Engage, Engaged, Release, Released
from lockdown import select
from lockdown.rule_lists import builtin_rules
from tests.unit.shell_policies import policy_for
from tests.xserver import Desktop, x11_desktop

ROOT = Path(__file__).parents[2]
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
FULL = 'mount -t tmpfs -o size=64k tmpfs "$0" && cat /dev/zero > "$0/filler" 2> /dev/null; '
READ_ONLY = 'mount -t tmpfs -o size=64k,ro tmpfs "$0" && '
REASONS = {FULL: "No space left on device", READ_ONLY: "Read-only file system"}


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as made:
        yield made


def _policy() -> Policy:
    permit = tuple(sorted(builtin_rules(select.system()).names))
    return policy_for("http://127.0.0.1:1", lockdown=Lockdown(require=(), permit=permit))


def _state(desktop: Desktop) -> str:
    return desktop.run("setxkbmap", "-query") + desktop.run("xset", "q").split("Screen Saver:")[1].split("Colors")[0]


def _run_guard(desktop: Desktop, disk: str, folder: Path) -> tuple[Engaged, Released]:
    """Engage and release with a guard whose restore file lies on ``disk``; return what it answered."""
    folder.mkdir()
    guard = f'exec "{sys.executable}" "{ROOT}/tests/e2e/guard_shell.py" "$0/restore.json"'
    orders = b"".join(encode(order) + b"\n" for order in (Engage(policy=schema.dumps(_policy()).decode()), Release()))
    with subprocess.Popen(
        [*NAMESPACE, "sh", "-c", disk + guard, str(folder)],
        cwd=ROOT,
        env={**desktop.environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdin.write(orders)
        shell.stdin.flush()
        answers: list[object] = []
        for line in shell.stdout:
            if line.startswith(b"{"):
                answers.append(decode(line.strip()))
            if isinstance(answers and answers[-1], Released):
                break
        shell.stdin.close()
    (engaged,) = (answer for answer in answers if isinstance(answer, Engaged))
    (released,) = (answer for answer in answers if isinstance(answer, Released))
    return engaged, released


@pytest.mark.parametrize("disk", [FULL, READ_ONLY], ids=["full", "read-only"])
def test_what_can_not_be_written_down_is_not_changed(desktop: Desktop, tmp_path: Path, disk: str) -> None:
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False).returncode != 0:
        pytest.skip("a file system of its own needs more rights here")
    before = _state(desktop)
    engaged, released = _run_guard(desktop, disk, tmp_path / "home")
    for capability in (Capability.INPUT_GUARD, Capability.SLEEP_GUARD):
        assert engaged.missing[capability] == f"It was not engaged: {REASONS[disk]}."
    assert released.undone == released.failed == ()
    assert _state(desktop) == before
