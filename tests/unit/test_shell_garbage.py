"""Cyclic garbage of the shell is freed in the GUI thread, whoever allocates."""

import gc
import threading

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.shell.garbage import collect, freed_here


class Cycle(QObject):
    """Garbage as soon as it is let go; says in which thread it was freed."""

    def __init__(self, freed_in: list[int]) -> None:
        super().__init__()
        self._freed_in = freed_in
        self._itself = self

    def __del__(self) -> None:
        self._freed_in.append(threading.get_ident())


def allocate() -> None:
    """Allocate until Python would have collected several times."""
    kept = [[number] for number in range(200_000)]
    del kept


def test_what_other_threads_allocate_frees_nothing_of_ours(qtbot: QtBot) -> None:
    freed_in: list[int] = []
    gc.enable()  # as in a program; tests of Qt are run without
    with freed_here():
        Cycle(freed_in)
        thread = threading.Thread(target=allocate)
        thread.start()
        thread.join()
        assert freed_in == []
        keeps = [[number] for number in range(2_000)]
        qtbot.waitUntil(lambda: freed_in == [threading.get_ident()], timeout=20_000)
        assert len(keeps) == 2_000
    assert gc.isenabled()


def test_nothing_is_collected_before_it_is_due(qtbot: QtBot) -> None:
    freed_in: list[int] = []
    with freed_here():
        gc.collect()
        Cycle(freed_in)
        collect()
        assert freed_in == []
        gc.collect()
        assert freed_in == [threading.get_ident()]
