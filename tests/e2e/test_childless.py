"""Programs that were started before Fairlock by the same process are not taken for parts of it."""

import os
import signal
import subprocess
import sys

import pytest

if not hasattr(os, "fork"):
    pytest.skip("there a program can't become another one and keep its children", allow_module_level=True)

BEGIN = "from app import childless; childless.make_sure(); import os, psutil, sys, time; "
SAY = "print(os.getpid(), os.getppid(), len(psutil.Process().children(recursive=True)), flush=True); "
WITH_A_CHILD = 'sleep 60 >&- & echo $!; exec "$0" -c "$1"'


def _start(code: str) -> tuple["subprocess.Popen[str]", int]:
    """Run ``code`` in a process that had a child before it became Python; return it and the child's id."""
    process = _popen(WITH_A_CHILD, BEGIN + SAY + code)
    (child,) = _said(process)
    return process, child


def _popen(script: str, code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(["sh", "-c", script, sys.executable, code], stdout=subprocess.PIPE, text=True, bufsize=1)


def _said(process: "subprocess.Popen[str]") -> list[int]:
    assert process.stdout is not None
    return [int(word) for word in process.stdout.readline().split()]


def test_a_child_from_before_is_none_of_ours_and_the_end_is_passed_on() -> None:
    process, child = _start("sys.exit(3)")
    with process:
        own, parent, children = _said(process)
        assert (parent, children) == (process.pid, 0)
        assert own != process.pid
        assert process.wait(20) == 3
    os.kill(child, signal.SIGKILL)


def test_a_child_that_has_ended_changes_nothing() -> None:
    wait = "import os; os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT); "
    with _popen('(exit 0) & exec "$0" -c "$1"', wait + BEGIN + SAY) as process:
        assert _said(process)[0] == process.pid
        assert process.wait(20) == 0


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 128 + signal.SIGTERM), (None, 128 + signal.SIGKILL)])
def test_who_waits_passes_on_the_wish_to_end_and_says_how_it_was(sent: signal.Signals | None, code: int) -> None:
    process, child = _start("time.sleep(60)")
    with process:
        own = _said(process)[0]
        if sent is None:
            os.kill(own, signal.SIGKILL)
        else:
            process.send_signal(sent)
        assert process.wait(20) == code
    os.kill(child, signal.SIGKILL)
