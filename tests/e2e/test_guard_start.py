"""A guard that has much to undo when it starts is heard while it does so."""

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from app.channel import decode
from app.guard import process
from app.guard.duty import Duty
from app.guard.options import GuardOptions

DEADLINE_S = 60.0


def _guard_with_much_to_undo(connection: "Connection[bytes, bytes]", restore_file: Path, undone: Event) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Duty, "undo_leftovers", lambda _duty: undone.wait(2 * DEADLINE_S))
        process.main(connection, GuardOptions(restore_file=restore_file))


def test_a_heartbeat_comes_before_the_leftovers_are_undone(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    undone = context.Event()
    ours, theirs = context.Pipe(duplex=True)
    guard = context.Process(target=_guard_with_much_to_undo, args=(theirs, tmp_path / "restore.json", undone))
    guard.start()
    theirs.close()
    try:
        assert ours.poll(DEADLINE_S)
        assert decode(ours.recv_bytes()) is None
    finally:
        undone.set()
        ours.close()
        guard.join(DEADLINE_S)
        alive = guard.is_alive()
        guard.kill()
    assert not alive
