"""News of new programs: by the kernel's events where it tells them, else by the last process id, else by the list."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from lockdown import select
from lockdown.births import Births, Polling
from lockdown.linux_programs import births as linux_births
from lockdown.linux_programs.births import NewPrograms
from tests.unit.programs_on_disk import SLEEP
from tests.xserver import wait_for

LONG_S = 30.0
on_linux = pytest.mark.skipif(select.system() != "linux", reason="nothing to lose: the kernel tells on Linux only")


def _events() -> NewPrograms:
    births = NewPrograms()
    if not births.tells_all:
        births.close()
        pytest.skip("needs more rights: this kernel tells only root of new programs")
    return births


MAKERS: dict[str, Callable[[], Births]] = {"list": Polling}
if select.system() == "linux":
    MAKERS |= {"events": _events, "last id": lambda: NewPrograms(events=False)}


@pytest.fixture(params=MAKERS)
def births(request: pytest.FixtureRequest) -> Iterator[Births]:
    made = MAKERS[request.param]()
    yield made
    made.close()


def _run() -> int:
    with subprocess.Popen([SLEEP, "0"]) as process:
        return process.pid


def test_a_program_that_started_is_never_missed(births: Births) -> None:
    births.since()
    for _ in range(5):
        pid = _run()
        told: set[int] = set()

        def is_told(pid: int = pid, told: set[int] = told) -> bool:
            news = births.since()
            told.update(news or ())
            return news is None or pid in told  # not known: whoever asked compares the list

        wait_for(is_told, "the news")


def test_waiting_ends_at_once_when_nobody_looks_any_more(births: Births) -> None:
    births.since()
    waiting = threading.Thread(target=lambda: births.wait(LONG_S))
    waiting.start()
    births.interrupt()
    waiting.join(LONG_S / 2)
    assert not waiting.is_alive()
    births.wait(LONG_S)  # and from now on


def test_closing_without_having_looked_leaves_nothing_open(births: Births) -> None:
    births.interrupt()
    births.close()


@on_linux
def test_waiting_ends_when_a_program_starts() -> None:
    births = _events()
    births.since()
    woken = threading.Event()

    def wait() -> None:
        births.wait(LONG_S)
        woken.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_for(lambda: _run() and woken.is_set(), "waking up", LONG_S / 2)
    waiting.join()
    births.close()


@on_linux
def test_threads_wake_nobody() -> None:
    """A browser starts and names threads all the time; the filter in the socket keeps them from us."""
    _events().close()
    heard = linux_births.listen()
    assert heard is not None
    with heard:
        for _ in range(20):
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()
        pid, told = _run(), set[int]()

        def is_told() -> bool:
            try:
                while True:
                    about = linux_births._processes(heard.recv(4096))
                    assert about, "something else than a new or changed program came through"
                    told.update(about)
            except BlockingIOError:
                return pid in told

        wait_for(is_told, "the news")
        assert os.getpid() not in told


@on_linux
def test_without_the_kernels_news_it_is_known_whether_anything_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_births, "_CONNECTOR", 99)  # no such protocol
    births = NewPrograms()
    assert not births.tells_all
    births.since()
    _run()
    assert births.since() is None
    births.close()


@on_linux
def test_a_kernel_that_takes_the_wish_and_stays_silent_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is in a container: only the acknowledgement says that somebody will answer."""
    monkeypatch.setattr(linux_births, "_LISTEN", linux_births._IGNORE + 40)
    monkeypatch.setattr(linux_births, "_ACKNOWLEDGED", 0xDEAD)
    assert linux_births.listen() is None
