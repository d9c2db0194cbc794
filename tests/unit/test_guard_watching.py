"""A watch that does not answer is told, once for each look, and nobody waits for it."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.contract.incidents import IncidentKind
from app.contract.policy import Capability
from app.guard.holding import Holding
from app.guard.programs import Closer
from app.guard.watching import STUCK_S
from lockdown.capabilities import Finding, HeldByShell, Part, Platform
from lockdown.fake import FakeTable
from lockdown.restore import RestoreFile

PATIENCE_S = 20.0


class Silent:
    """A watch whose look lasts until it is let go, as on a file system that does not answer."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.may_answer = threading.Semaphore(0)

    def observe(self) -> Sequence[Finding]:
        self.asked.release()
        self.may_answer.acquire()
        return ()


@pytest.fixture
def silent() -> Iterator[Silent]:
    watch = Silent()
    yield watch
    for _ in range(10):
        watch.may_answer.release()


def test_a_watch_that_does_not_answer_is_told(tmp_path: Path, silent: Silent) -> None:
    told: list[Finding] = []

    def tell(finding: Finding, _capability: Capability) -> None:
        told.append(finding)

    parts: dict[Capability, Part] = {**dict.fromkeys(Capability, HeldByShell()), Capability.PROCESS_WATCH: silent}
    desktop = Platform(name="fake", tier="B", parts=parts, replayers={})
    closer = Closer(FakeTable(), SystemClock(), tell, grace_s=0.1, ask_windows=lambda _program: False)
    holding = Holding(RestoreFile(tmp_path / "restore.json"), tell, lambda: False, desktop, closer)
    holding.watch({})
    try:
        for _look in range(2):
            assert silent.asked.acquire(timeout=PATIENCE_S)
            before = len(told)
            holding.look_after(time.monotonic())
            assert len(told) == before
            for _ in range(2):
                holding.look_after(time.monotonic() + STUCK_S)
            assert [finding.kind for finding in told[before:]] == [IncidentKind.CAPABILITY_MISSING]
            assert told[-1].facts == {"capability": "process_watch", "reason": "It has not answered for 30 seconds."}
            silent.may_answer.release()
    finally:
        holding.stop()
        silent.may_answer.release()
        holding.let_go()
