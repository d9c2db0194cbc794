"""Programs with a window that no list names: told once each, and nobody else is. Memory, and a real X server."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.clock import ManualClock
from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind
from app.contract.policy import Lockdown, Treatment
from app.guard.strangers import StrangerWatch, concerns
from app.messages import Concern
from lockdown import select
from lockdown.capabilities import unsupported
from lockdown.fake import FakeTable
from lockdown.processes import Identity, PsutilTable
from lockdown.rule_lists import builtin_rules, with_policy
from lockdown.unknown import UnknownPrograms, WindowOwners
from lockdown.watch import ProcessScanner
from tests.unit.programs_on_disk import copy
from tests.xserver import Desktop, wait_for, x11_desktop

if select.system() == "linux":
    from lockdown.linux_x11.clients import Clients
    from lockdown.linux_x11.server import XServer

OWN_ROOT = 100


class Owners:
    """Windows that exist because a test says so."""

    def __init__(self, *pids: int) -> None:
        self.shown = set(pids)
        self.fails: Unsupported | None = None
        self.closed = 0

    def pids(self) -> frozenset[int]:
        if self.fails is not None:
            raise self.fails
        return frozenset(self.shown)

    def close(self) -> None:
        self.closed += 1


class Rig:
    """A desktop of memory: what runs, and which of it has a window."""

    def __init__(self, lockdown: Lockdown | None = None) -> None:
        self.table = FakeTable()
        self.table.start("fairlock", pid=OWN_ROOT)
        self.owners = Owners()
        rules = with_policy(builtin_rules("linux"), lockdown or Lockdown())
        scanner = ProcessScanner(self.table, rules, ManualClock(), own_root=OWN_ROOT)
        self.unknown = UnknownPrograms(self.table, rules, scanner, self.owners, own_root=OWN_ROOT)

    def show(self, name: str, pid: int, *, user: str = "1000", parent: int = 1, path: str = "") -> None:
        """Start a program that has a window."""
        self.table.start(name, pid=pid, user=user, parent=parent, path=path)
        self.owners.shown.add(pid)

    def names(self) -> list[str]:
        """Return what is new."""
        return [program.name for program in self.unknown.find_new()]


def test_an_unknown_program_with_a_window_is_told_once() -> None:
    rig = Rig()
    rig.show("editor", 300)
    rig.table.start("no-window", pid=301)
    (finding,) = rig.unknown.observe()
    assert finding.kind is IncidentKind.PROCESS_UNKNOWN
    assert finding.facts == {"name": "editor", "path": "/opt/editor/editor", "pid": "300"}
    assert rig.unknown.observe() == []


def test_several_processes_of_one_program_count_once_and_a_new_program_in_an_old_process_counts() -> None:
    rig = Rig()
    rig.show("editor", 300)
    rig.show("editor", 301)
    assert rig.names() == ["editor"]
    rig.table.start("game", pid=301)
    assert rig.names() == ["game"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("anydesk", {}),
        ("calculator", {}),
        ("gnome-shell", {}),
        ("orca", {}),
        ("daemon", {"user": "0"}),
        ("QtWebEngineProcess", {"parent": OWN_ROOT}),
    ],
    ids=["prohibited", "permitted", "system", "assistive", "another user's", "our own"],
)
def test_what_a_list_names_is_not_unknown(name: str, more: dict[str, Any]) -> None:
    rig = Rig(Lockdown(permit=("calculator",)))
    rig.show(name, 300, **more)
    assert rig.names() == []


def test_what_is_permitted_by_its_original_name_is_not_unknown() -> None:
    rig = Rig(Lockdown(permit=("original:org.gnome.Calculator",)))
    rig.show("renamed", 300, path="/app/bin/renamed")
    rig.table.identities["/app/bin/renamed"] = Identity(original_name="org.gnome.Calculator")
    assert rig.names() == []


@pytest.mark.parametrize(
    ("treatment", "told", "kept_out"),
    [
        (Treatment.IGNORE, 0, False),
        (Treatment.RECORD, 0, False),
        (Treatment.WARN, 1, False),
        (Treatment.REFUSE, 1, True),
    ],
)
def test_before_the_exam_the_candidate_is_told_what_to_close(treatment: Treatment, told: int, kept_out: bool) -> None:
    rig = Rig()
    rig.show("editor", 300)
    rig.show("game", 301)
    found = concerns(rig.unknown, treatment)
    assert len(found) == told
    for concern in found:
        assert concern.kind is IncidentKind.PROCESS_UNKNOWN
        assert concern.signals == ("/opt/editor/editor", "/opt/game/game")
        assert "editor, game" in concern.says
        assert "close them" in concern.says
        assert ("does not start" in concern.says) == kept_out


@pytest.mark.parametrize(("treatment", "warnings"), [(Treatment.RECORD, 0), (Treatment.WARN, 1), (Treatment.REFUSE, 1)])
def test_during_the_exam_each_is_an_incident_and_a_refusal_is_a_warning(treatment: Treatment, warnings: int) -> None:
    rig = Rig()
    warned: list[Concern] = []
    watch = StrangerWatch(rig.unknown, treatment, warned.append)
    rig.show("editor", 300)
    assert [finding.facts["name"] for finding in watch.observe()] == ["editor"]
    assert watch.observe() == []
    assert [concern.treatment for concern in warned] == [Treatment.WARN] * warnings
    watch.interrupt()
    watch.wait(60)
    watch.close()
    assert rig.owners.closed == 1


def test_who_can_not_see_windows_any_more_says_so() -> None:
    rig = Rig()
    rig.owners.fails = unsupported("The X server closed the connection.")
    with pytest.raises(Unsupported):
        rig.unknown.observe()
    assert concerns(rig.unknown, Treatment.WARN) == ()


# --- a real X server -----------------------------------------------------------------------------------------------

on_linux = pytest.mark.skipif(select.system() != "linux", reason="X11 is a desktop of Linux")


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as desktop:
        yield desktop


@pytest.fixture
def owners(desktop: Desktop) -> Iterator[WindowOwners]:
    clients = Clients(XServer(desktop.display))
    yield clients
    clients.close()


@on_linux
def test_who_has_a_window_is_seen_and_forgotten_when_it_closes(desktop: Desktop, owners: WindowOwners) -> None:
    with desktop.program("xterm", "-e", "sleep", "60") as xterm:
        wait_for(lambda: xterm.pid in owners.pids(), "the window")
        with desktop.program("sleep", "60") as windowless:
            assert windowless.pid not in owners.pids()
    wait_for(lambda: xterm.pid not in owners.pids(), "the end of the window")


@on_linux
def test_a_window_that_no_window_manager_knows_counts(desktop: Desktop, owners: WindowOwners) -> None:
    with desktop.program("xterm", "-xrm", "XTerm*overrideRedirect: true", "-e", "sleep", "60") as hidden:
        wait_for(lambda: hidden.pid in owners.pids(), "the window")


@on_linux
def test_a_closed_x_server_is_said() -> None:
    with x11_desktop("640x480x24") as passing:
        clients = Clients(XServer(passing.display))
        clients.pids()
    with pytest.raises(Unsupported):
        clients.pids()
    clients.close()


@on_linux
def test_a_real_program_that_no_list_names_is_told(
    desktop: Desktop, owners: WindowOwners, tmp_path_factory: pytest.TempPathFactory
) -> None:
    xterm = shutil.which("xterm")
    assert xterm is not None
    notes = copy(Path(xterm), tmp_path_factory.mktemp("programs") / "fairlock-notes")
    rules = builtin_rules("linux")
    table = PsutilTable()
    scanner = ProcessScanner(table, rules, ManualClock(), own_root=1 << 30)
    unknown = UnknownPrograms(table, rules, scanner, owners, own_root=1 << 30)
    with desktop.program(str(notes), "-e", "sleep", "60") as program:
        found: list[int] = []

        def look() -> bool:
            found.extend(each.pid for each in unknown.find_new())
            return bool(found)

        wait_for(look, "the unknown program")
        assert found == [program.pid], "the window manager is a part of the system"
