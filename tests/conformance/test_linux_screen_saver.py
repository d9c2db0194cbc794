"""What asks a desktop's screen saver over a real message bus: asked, held, and gone when whoever asked is gone.

The bus is the system's own, started for the test; the saver on it is a stand-in that does what the specification says.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest

from app.contract.errors import Unsupported
from lockdown.linux_system import desktop, session_bus
from lockdown.linux_system.awake import Awake, Inhibitor
from lockdown.linux_system.bus_messages import Service, call
from lockdown.linux_system.screen_saver import SAVERS, WHO, WHY, Asked, savers
from lockdown.linux_system.session_bus import SessionBus

ROOT = Path(__file__).parents[2]
SERVICE = Path(__file__).parent / "screen_saver_service.py"
PYTHON = "/usr/bin/python3"  # the bindings of GLib are packages of the system
LIMIT_S = 60.0
ADDRESS = "DBUS_SESSION_BUS_ADDRESS"
SAVER = SAVERS[0]
STARTED = "started"

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def _start(stack: ExitStack, *command: str, **environment: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"PATH": os.defpath, **environment}
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    return process


def _heard(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def bus(stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment that names a bus of its own, on which nobody is; it would start a saver if it were asked to."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed")
    if subprocess.run([PYTHON, "-c", "from gi.repository import Gio"], check=False, capture_output=True).returncode:
        pytest.skip("python3-gi is not installed")
    monkeypatch.setattr(session_bus, "LIMIT_S", LIMIT_S)  # the machine that tests may be busy
    services = tmp_path / "dbus-1" / "services"
    services.mkdir(parents=True)
    lines = ("[D-BUS Service]", f"Name={SAVER.name}", f"Exec=/usr/bin/touch {tmp_path / STARTED}", "")
    (services / f"{SAVER.name}.service").write_text("\n".join(lines))
    command = ("dbus-daemon", "--session", "--nofork", "--print-address")
    return {ADDRESS: _heard(_start(stack, *command, XDG_DATA_HOME=str(tmp_path)))}


@pytest.fixture
def saver_on(stack: ExitStack, bus: dict[str, str]) -> Start:
    """Start a screen saver, and return it when it has its name."""

    def start(saver: Service, *how: str) -> "subprocess.Popen[str]":
        made = _start(stack, PYTHON, str(SERVICE), saver.name, saver.path, saver.interface, *how, **bus)
        assert _heard(made) == "ready"
        return made

    return start


@pytest.mark.parametrize("saver", SAVERS, ids=lambda saver: saver.name)
def test_a_request_stands_until_it_is_taken_back(saver_on: Start, bus: dict[str, str], saver: Service) -> None:
    assert savers(bus) == []
    running = saver_on(saver)
    assert savers(bus) == [saver]
    measure = Inhibitor(partial(Asked, saver, bus))
    assert not measure.holds()
    measure.engage()
    measure.engage()
    assert _heard(running) == f"+ {WHO}: {WHY}"
    assert measure.holds()
    measure.release()
    measure.release()
    assert _heard(running) == "-"
    assert not measure.holds()


def test_where_a_saver_runs_it_is_asked_with_the_rest(
    saver_on: Start, bus: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS, bus[ADDRESS])
    running = saver_on(SAVER)
    measure = desktop.awake({})
    assert isinstance(measure, Awake)
    measure.engage()
    assert _heard(running) == f"+ {WHO}: {WHY}"
    assert SAVER.name not in measure.limit
    measure.release()
    assert _heard(running) == "-"


def test_a_request_ends_with_a_killed_process(saver_on: Start, bus: dict[str, str], stack: ExitStack) -> None:
    running = saver_on(SAVER)
    code = (
        "import os, time; from lockdown.linux_system import screen_saver\n"
        "asked = screen_saver.Asked(screen_saver.SAVERS[0], os.environ)\n"
        "print('asked', flush=True); time.sleep(600)"
    )
    asking = _start(stack, sys.executable, "-c", code, **bus)
    assert _heard(asking) == "asked"
    assert _heard(running).startswith("+")
    asking.send_signal(signal.SIGKILL)
    assert _heard(running) == "-"


@pytest.mark.parametrize(
    "command",
    [
        ("busctl", "--user", "call", SAVER.name, SAVER.path, SAVER.interface, "Inhibit", "ss", WHO, WHY),
        (
            *("gdbus", "call", "--session", "--dest", SAVER.name, "--object-path", SAVER.path),
            *("--method", f"{SAVER.interface}.Inhibit", WHO, WHY),
        ),
    ],
    ids=["busctl", "gdbus"],
)
def test_what_the_systems_programs_ask_for_ends_with_the_call(
    saver_on: Start, bus: dict[str, str], stack: ExitStack, command: tuple[str, ...]
) -> None:
    """Why the connection is ours."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    running = saver_on(SAVER)
    assert _start(stack, *command, **bus).wait(LIMIT_S) == 0
    assert [_heard(running), _heard(running)] == [f"+ {WHO}: {WHY}", "-"]


def test_a_saver_that_is_gone_is_noticed_and_another_one_asked(saver_on: Start, bus: dict[str, str]) -> None:
    first = saver_on(SAVER)
    measure = Inhibitor(partial(Asked, SAVER, bus))
    measure.engage()
    first.kill()
    first.wait(LIMIT_S)
    with pytest.raises(Unsupported, match="NameHasNoOwner"):
        _engage_anew(measure)
    second = saver_on(SAVER)
    measure.engage()
    assert _heard(second).startswith("+")
    assert measure.holds()
    measure.release()


def _engage_anew(measure: Inhibitor) -> None:
    """The bus may not have heard yet that a service it lost is gone."""
    while True:
        measure.holds()
        measure.engage()


def test_asking_has_one_deadline_and_each_look_its_own(
    saver_on: Start, bus: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bus that answers each of the three calls just in time would hold others up for three times as long."""
    saver_on(SAVER)
    now_s, slow = 0.0, False

    def call_slowly(serial: int, service: Service, method: str, texts: Sequence[str]) -> bytes:
        nonlocal now_s
        now_s += 0.4 * LIMIT_S if slow else 0.0
        return call(serial, service, method, texts)

    monkeypatch.setattr(session_bus, "monotonic", lambda: now_s)
    monkeypatch.setattr(session_bus, "call", call_slowly)
    asked = Asked(SAVER, bus)
    slow = True
    assert [asked.is_running for _look in range(4)] == [True] * 4
    asked.end()
    with pytest.raises(Unsupported, match="does not answer"):
        Asked(SAVER, bus)


def test_no_saver_is_started_that_does_not_run(bus: dict[str, str], tmp_path: Path) -> None:
    assert savers(bus) == []
    with pytest.raises(Unsupported, match="NameHasNoOwner"):
        Asked(SAVER, bus)
    connection = SessionBus(bus)
    with pytest.raises(Unsupported, match=r"ServiceUnknown|NameHasNoOwner"):
        connection.call(SAVER, "Inhibit", WHO, WHY)
    connection.close()
    assert not (tmp_path / STARTED).exists()


def test_a_saver_that_refuses_is_unsupported(saver_on: Start, bus: dict[str, str]) -> None:
    saver_on(SAVER, "refuse")
    with pytest.raises(Unsupported, match="AccessDenied"):
        Asked(SAVER, bus)


@pytest.mark.parametrize(
    "environment",
    [{}, {ADDRESS: "unix:path=/nonexistent"}, {ADDRESS: "tcp:host=localhost,port=1"}, {"XDG_RUNTIME_DIR": "/nowhere"}],
)
def test_without_a_bus_there_is_nobody_to_ask(environment: dict[str, str]) -> None:
    assert savers(environment) == ()
    with pytest.raises(Unsupported, match="message bus"):
        Asked(SAVER, environment)


@pytest.mark.parametrize("says", [b"", b"OK 1\r\n" + bytes(64), b"REJECTED\r\n", b"OK 1\r\nl" + b"\xff" * 64])
def test_a_bus_that_is_silent_or_says_nonsense_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(session_bus, "LIMIT_S", 0.2)
    speaking: list[socket.socket] = []

    def speak() -> None:
        speaking.append(listening.accept()[0])
        with suppress(OSError):  # whoever listened may have hung up by now, on a busy machine
            speaking[0].sendall(says)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "bus"))
        listening.listen()
        speaker = threading.Thread(target=speak)
        speaker.start()
        with pytest.raises(Unsupported, match="message bus"):
            SessionBus({"XDG_RUNTIME_DIR": str(tmp_path)})
        speaker.join()
        speaking[0].close()
