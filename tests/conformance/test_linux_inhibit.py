"""The real systemd-inhibit on a bus of its own, where python-dbusmock's login manager answers as systemd's does.

A machine without a running systemd has no login manager to ask; what is real here is the program, the bus, and the
descriptor that holds the request until its last owner closes it.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from app.external import hold_external
from lockdown.linux_system.awake import INHIBITORS, LOGIND, Inhibitor

PYTHON = "/usr/bin/python3"  # python-dbusmock is a package of the system
LIMIT_S = 60.0
ADDRESS = "DBUS_SYSTEM_BUS_ADDRESS"
MANAGER = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")


@pytest.fixture
def bus() -> Iterator[str]:
    """The address of a bus with a login manager on it."""
    for program in ("dbus-daemon", "busctl", "systemd-inhibit"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if subprocess.run([PYTHON, "-c", "import dbusmock"], check=False, capture_output=True).returncode:
        pytest.skip("python3-dbusmock is not installed")
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    mock = subprocess.Popen([PYTHON, "-m", "dbusmock", "--system", "--template", "logind"], env={ADDRESS: address})
    try:
        _wait(lambda: mock.poll() is None and _asked(address, "ListInhibitors") is not None)
        yield address
    finally:
        for process in (mock, daemon):
            process.terminate()
            process.wait(LIMIT_S)
        daemon.stdout.close()


def test_systemd_inhibit_holds_sleep_off_until_it_is_released(bus: str) -> None:
    measure = Inhibitor(partial(hold_external, ("env", f"{ADDRESS}={bus}", *INHIBITORS[LOGIND]), timeout_s=LIMIT_S))
    measure.engage()
    try:
        assert measure.holds()
        listed = _asked(bus, "ListInhibitors") or ""
        assert '"idle:sleep" "Fairlock" "An exam is running" "block"' in listed
    finally:
        measure.release()
    assert not measure.holds()
    _wait(lambda: "Fairlock" not in (_asked(bus, "ListInhibitors") or "Fairlock"))


def _asked(address: str, method: str) -> str | None:
    done = subprocess.run(
        ["busctl", "--system", "call", *MANAGER, method],
        env={ADDRESS: address, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)
