"""What makes a computer a seat: a declared account, the system's own compositor, and nobody else. Each lack is said."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.contract.incidents import IncidentKind
from lockdown.fake import FakeTable
from lockdown.linux_kiosk import seat
from lockdown.linux_kiosk.company import CompanyWatch

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs more rights: only root can declare a seat"
)
SYSTEM_PROGRAM = "/usr/bin/env"
ME = 40


class Station(FakeTable):
    """A seat as it should be, on the account that the test runs as; ``places`` are real files."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.places = seat.Places(declaration=folder / "fairlock" / "kiosk.toml", processes=folder / "proc")
        self.declare('account = "root"\n')
        for pid, name, parent in (
            (1, "systemd", 0),
            (20, "kiosk-session", 1),
            (30, "cage", 20),
            (ME, "fairlock", 30),
            (41, "recorder", ME),
            (50, "Xwayland", 1),
            (60, "fairlock", 20),  # it sends what an earlier candidate left
        ):
            self.start(name, pid=pid, parent=parent, path=SYSTEM_PROGRAM, user=self.own_user())
        compositor = folder / "bin" / "cage"
        compositor.parent.mkdir()
        compositor.touch(0o755)
        self.start("cage", pid=30, parent=20, path=str(compositor), user=self.own_user())
        self.start("sshd", pid=70, user="another")
        self.environ(b"XDG_RUNTIME_DIR=/run/user/990")

    def own_user(self) -> str:
        return str(os.geteuid())

    def declare(self, text: str) -> None:
        """Write the administrator's declaration."""
        self.places.declaration.parent.mkdir(exist_ok=True)
        self.places.declaration.write_text(text)

    def environ(self, *variables: bytes) -> None:
        """Write what the compositor was started with."""
        (self.places.processes / "30").mkdir(parents=True, exist_ok=True)
        (self.places.processes / "30" / "environ").write_bytes(b"\0".join(variables))

    def doubts(self) -> tuple[str, ...]:
        """Ask for the process of the application."""
        return seat.doubts(ME, self, self.places)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


@needs_root
def test_a_seat_as_it_should_be_leaves_no_doubt(station: Station) -> None:
    assert station.doubts() == ()


def _no_compositor(station: Station) -> None:
    station.start("openbox", pid=30, parent=20, path=SYSTEM_PROGRAM, user=station.own_user())


def _called_so(station: Station) -> None:
    station.start("cage", pid=30, parent=20, path=SYSTEM_PROGRAM, user=station.own_user())


def _own_compositor(station: Station, folder: Path) -> None:
    program = folder / "cage"
    program.touch()
    program.chmod(0o777)
    station.start("cage", pid=30, parent=20, path=str(program), user=station.own_user())


def _writable(station: Station) -> None:
    station.places.declaration.chmod(0o666)


@needs_root
@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda s, _: _no_compositor(s), "No kiosk compositor"),
        (lambda s, _: _called_so(s), "No kiosk compositor"),
        (_own_compositor, "does not belong to the system"),
        (lambda s, _: s.environ(b"DISPLAY=:0"), "inside another desktop"),
        (lambda s, _: s.environ(b"A=b", b"WAYLAND_DISPLAY=wayland-0"), "inside another desktop"),
        (lambda s, _: (s.places.processes / "30" / "environ").unlink(), "inside another desktop"),
        (lambda s, _: s.places.declaration.unlink(), "does not declare"),
        (lambda s, _: s.declare("account = 0"), "does not declare"),
        (lambda s, _: s.declare('account = "nobody-of-this-name"'), "does not declare"),
        (lambda s, _: s.declare("not toml"), "does not declare"),
        (lambda s, _: _writable(s), "others than root may change it"),
        (lambda s, _: s.places.declaration.parent.chmod(0o777), "others than root may change it"),
        (lambda s, _: s.declare('account = "nobody"'), "not the account"),
        (lambda s, _: s.start("xterm", pid=80, path=SYSTEM_PROGRAM, user=s.own_user()), "run on this account: xterm"),
        (lambda s, f: s.start("Xwayland", pid=80, path=str(f / "x"), user=s.own_user()), "this account: Xwayland"),
    ],
)
def test_each_lack_is_a_sentence(
    change: Callable[[Station, Path], object], doubt: str, station: Station, tmp_path: Path
) -> None:
    change(station, tmp_path)
    assert any(doubt in sentence for sentence in station.doubts()), station.doubts()


@needs_root
def test_a_terminal_below_the_compositor_s_parent_is_not_taken_for_the_session_of_another(station: Station) -> None:
    """Who opens the compositor by hand from a shell of another account gets no seat by it."""
    station.start("bash", pid=20, parent=1, path=SYSTEM_PROGRAM, user="another")
    assert any("fairlock" in sentence for sentence in station.doubts())  # the sender is nobody's child then


def test_who_comes_to_the_account_during_the_exam_is_told_once(station: Station) -> None:
    watch = CompanyWatch(ME, station)
    assert list(watch.observe()) == []
    station.start("recorder", pid=90, parent=41, path=SYSTEM_PROGRAM, user=station.own_user())
    station.start("cron", pid=91, parent=1, path=SYSTEM_PROGRAM, user="another")
    station.start("xterm", pid=92, parent=1, path=SYSTEM_PROGRAM, user=station.own_user())
    (finding,) = watch.observe()
    assert (finding.kind, finding.facts["name"], finding.facts["pid"]) == (IncidentKind.PROCESS_UNKNOWN, "xterm", "92")
    assert list(watch.observe()) == []
