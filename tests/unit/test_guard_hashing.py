"""Hashes come later, from a thread of their own, and the watch judges anew when they are there."""

import threading

from app.clock import ManualClock
from app.contract.policy import Lockdown
from app.guard.hashing import HashesLater
from lockdown.fake import FakeTable
from lockdown.processes import Program
from lockdown.rule_lists import builtin_rules, with_policy
from lockdown.watch import ProcessScanner
from tests.xserver import wait_for

HASH = "ab" * 32
DEADLINE_S = 20.0


class SlowDisk(FakeTable):
    """Reads nothing until it is let; notes the threads that read."""

    def __init__(self) -> None:
        super().__init__()
        self.may_read = threading.Event()
        self.readers: set[str] = set()

    def sha256(self, program: Program) -> str | None:
        self.readers.add(threading.current_thread().name)
        assert self.may_read.wait(DEADLINE_S)
        return super().sha256(program)


def test_the_watch_does_not_wait_for_the_disk_and_finds_by_hash_all_the_same() -> None:
    table = SlowDisk()
    hashes = HashesLater(table)
    rules = with_policy(builtin_rules("linux"), Lockdown(prohibit=(f"sha256:{HASH}",)))
    scanner = ProcessScanner(table, rules, ManualClock(), own_root=100, hashes=hashes)
    table.hashes["/opt/notes/notes"] = HASH
    table.start("notes", pid=300)
    table.start("other", pid=301)
    assert scanner.find_new() == []
    assert scanner.find_new() == []
    table.may_read.set()
    found: list[int] = []

    def look() -> bool:
        found.extend(match.program.pid for match in scanner.find_new())
        return bool(found)

    wait_for(look, "the match by hash")
    assert found == [300]
    assert table.readers == {"guard-hashing"}
    hashes.stop()


def test_stopping_what_never_started_is_nothing() -> None:
    hashes = HashesLater(FakeTable())
    assert hashes.settled() == frozenset()
    hashes.stop()
    assert hashes.sha256(FakeTable().start("notes", pid=300)) is None
