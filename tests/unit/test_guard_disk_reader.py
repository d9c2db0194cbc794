"""The guard's thread that reads: whatever a disk answers, the next item is read."""

import threading

import pytest

from app.guard import disk_reader
from app.guard.disk_reader import DiskReader
from tests.xserver import DEADLINE_S


def test_it_reads_in_order_and_goes_on_after_an_error() -> None:
    seen: list[int] = []

    def read(number: int) -> None:
        seen.append(number)
        if number == 1:
            raise OSError("this disk")

    reader = DiskReader("reading", 10, read)
    assert all(reader.offer(number) for number in range(3))
    assert reader.stop() == []
    assert seen == [0, 1, 2]
    assert not reader.offer(3)


def test_what_it_has_no_room_for_is_refused_and_what_it_did_not_begin_is_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disk_reader, "JOIN_S", 0.01)
    begun, gate = threading.Event(), threading.Event()
    seen: list[int] = []

    def read(number: int) -> None:
        seen.append(number)
        begun.set()
        gate.wait(DEADLINE_S)

    reader = DiskReader("reading", 2, read)
    assert reader.offer(0)
    assert begun.wait(DEADLINE_S)
    assert [reader.offer(number) for number in (1, 2, 3)] == [True, True, False]
    assert reader.stop() == [1, 2]
    gate.set()
    assert seen == [0]


def test_one_that_never_read_has_nothing_to_wait_for() -> None:
    assert DiskReader("reading", 1, print).stop() == []
