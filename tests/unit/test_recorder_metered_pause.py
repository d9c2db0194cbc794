"""Recordings wait while the network is paid by volume; what the system says is asked of a real message bus."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.metered import NetworkManager
from app.recorder.metered_pause import FEW, MeteredPause
from capture.pressure import AFTER_S, CALM_S, Easing, Reading

PYTHON = "/usr/bin/python3"
"""The system's: it has the bindings of GLib."""

MANAGER = """
import sys
from gi.repository import Gio, GLib
about = Gio.DBusNodeInfo.new_for_xml(
    "<node><interface name='org.freedesktop.NetworkManager'>"
    "<property name='Metered' type='u' access='read'/></interface></node>")
def acquired(bus, name):
    codes = iter(sys.argv[2:])
    get = lambda *_: GLib.Variant("u", int(next(codes)))
    bus.register_object("/org/freedesktop/NetworkManager", about.interfaces[0], None, get, None)
def named(*_):
    print("ready", flush=True)
bus = Gio.DBusConnection.new_for_address_sync(
    sys.argv[1], Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
acquired(bus, "")
Gio.bus_own_name_on_connection(bus, "org.freedesktop.NetworkManager", 0, named, None)
GLib.MainLoop().run()
"""


class Network:
    """A network whose cost the test says."""

    def __init__(self) -> None:
        self.metered: bool | None = None

    def is_metered(self) -> bool | None:
        return self.metered


class Uploader:
    """Remembers whether it is held."""

    def __init__(self) -> None:
        self.held = False

    def hold(self, *, held: bool) -> None:
        self.held = held


def pause(network: Network, uploader: Uploader, waiting: list[int], said: list[tuple[bool, str]]) -> MeteredPause:
    return MeteredPause(
        network,
        uploader,
        waiting_bytes=lambda: waiting[0],
        quota_bytes=1_000,
        on_change=lambda held, reason: said.append((held, reason)),
    )


def test_it_holds_while_metered_and_says_each_change_once() -> None:
    network, uploader, said = Network(), Uploader(), list[tuple[bool, str]]()
    watch = pause(network, uploader, [0], said)
    for metered, held in ((None, False), (True, True), (True, True), (False, False), (None, False), (True, True)):
        network.metered = metered
        watch.look()
        assert (uploader.held, watch.holds) == (held, held)
    assert [held for held, _ in said] == [True, False, True]
    watch.stop()
    assert uploader.held is False
    assert said[-1] == (False, "the exam is over")


def test_evidence_is_worth_more_than_volume() -> None:
    network, uploader, waiting, said = Network(), Uploader(), [500], list[tuple[bool, str]]()
    network.metered = True
    watch = pause(network, uploader, waiting, said)
    watch.look()
    assert (uploader.held, watch.holds) == (True, True)
    waiting[0] = 501
    watch.look()
    assert (uploader.held, watch.holds) == (False, False)
    assert said[-1] == (False, "too much waits")
    waiting[0] = 334
    watch.look()
    assert uploader.held is False, "each turn sends enough that it does not waver"
    waiting[0] = 333
    watch.look()
    assert uploader.held is True


def test_where_it_waits_again_the_quality_comes_back() -> None:
    easing = Easing(lowest=3)

    def reading(at_s: float, spooled: float) -> Reading:
        return Reading(at_s=at_s, queued=0, busy=0, spooled=spooled, free_bytes=1 << 40)

    easing.read(reading(0, 0.7))
    easing.read(reading(AFTER_S, 0.7))
    assert easing.step == 1
    easing.read(reading(AFTER_S + 1, FEW))
    easing.read(reading(AFTER_S + 1 + CALM_S, FEW))
    assert easing.step == 0


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    if shutil.which("dbus-daemon") is None or shutil.which("busctl") is None:
        pytest.skip("no message bus on this machine: packaging/system_packages.sh develop brings dbus and systemd")
    address = f"unix:path={tmp_path / 'bus'}"
    command = ["dbus-daemon", "--session", "--nofork", f"--address={address}", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline()
        yield address
        daemon.terminate()


def test_networkmanagers_word_counts(bus: str) -> None:
    meaning = {0: None, 1: True, 2: False, 3: True, 4: False, 9: None}
    command = [PYTHON, "-c", MANAGER, bus, *map(str, meaning)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as manager:
        assert manager.stdout is not None
        assert manager.stdout.readline() == "ready\n", "the system's Python has no GLib: install python3-pyatspi"
        asked = NetworkManager([f"--address={bus}"])
        assert [asked.is_metered() for _ in meaning] == list(meaning.values())
        manager.terminate()


def test_where_nobody_answers_nobody_knows(bus: str) -> None:
    assert NetworkManager([f"--address={bus}"]).is_metered() is None
    assert NetworkManager(["--address=unix:path=/nowhere"]).is_metered() is None
