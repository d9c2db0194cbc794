"""One suite that defines "works" for every backend of lockdown: the fake, X11 on a real X server, and the parts of
Windows and macOS on computers that answer call by call (``tests/native_cases.py``).

A *measure* must hold after it is engaged, say so truthfully, be written down before it changes anything, and be
undone by replaying what was written, twice without harm. A *watch* must be quiet while nothing happens, report what
happens once, and raise when it can't look any more.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.clock import ManualClock, SystemClock
from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind
from app.external import run_external
from lockdown import select
from lockdown.capabilities import Finding, Measure, Undo, unsupported
from lockdown.fake import FakeDesktop, FakeMeasure, FakeTable, FakeWatch
from lockdown.processes import PsutilTable
from lockdown.restore import RestoreFile
from lockdown.rule_lists import builtin_rules
from lockdown.watch import ProcessScanner
from tests import native_cases
from tests.capability_cases import MeasureCase, WatchCase
from tests.xserver import Desktop, wait_for, x11_desktop

if select.system() == "linux":
    from Xlib import X, Xatom

    from lockdown.linux_x11.clipboard import OWN_TEXT, ClosedClipboard
    from lockdown.linux_x11.displays import RandrDisplays
    from lockdown.linux_x11.keys import ConsoleKeys
    from lockdown.linux_x11.server import XServer
    from lockdown.linux_x11.sleep import ScreenSaverOff
    from lockdown.linux_x11.windows import FocusWatch

NOBODY_IS_OWN = lambda _pid: False  # noqa: E731  (a value handed to several constructors)


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as desktop:
        yield desktop


@pytest.fixture
def file(tmp_path: Path) -> RestoreFile:
    return RestoreFile(tmp_path / "restore.json")


@pytest.fixture
def servers(desktop: Desktop) -> "Iterator[Callable[[], XServer]]":
    """Opens connections to the X server and closes them at the end."""
    opened: list[XServer] = []

    def connect() -> "XServer":
        opened.append(XServer(desktop.display))
        return opened[-1]

    yield connect
    for server in opened:
        server.close()


# --- measures ------------------------------------------------------------------------------------------------------


def _fake_measure() -> MeasureCase:
    desktop = FakeDesktop()
    desktop.settings["keys"] = "free"
    return MeasureCase(
        make=lambda: FakeMeasure(desktop, "keys"),
        state=lambda: dict(desktop.settings),
        undone_by_somebody=lambda: desktop.settings.update(keys="free"),
        replayers={"fake-keys": desktop.replay},
    )


def _console_keys(desktop: Desktop, connect: "Callable[[], XServer]") -> MeasureCase:
    desktop.run("setxkbmap", "-layout", "de", "-option", "", "-option", "compose:ralt")
    return MeasureCase(
        make=lambda: ConsoleKeys(connect(), run_external),
        # The key map that is in force, not the name of the option.
        state=lambda: desktop.run("xkbcomp", "-w0", desktop.display, "-"),
        undone_by_somebody=lambda: desktop.run("setxkbmap", "-option", "", "-option", "compose:ralt"),
        replayers=select.replayers(run_external),
    )


def _screen_saver(desktop: Desktop, connect: "Callable[[], XServer]") -> MeasureCase:
    desktop.run("xset", "s", "123", "45")
    return MeasureCase(
        make=lambda: ScreenSaverOff(connect()),
        state=lambda: desktop.run("xset", "q").partition("Screen Saver:")[2].partition("Colors:")[0],
        undone_by_somebody=lambda: desktop.run("xset", "s", "123", "45"),
        replayers=select.replayers(run_external),
    )


def _clipboard(desktop: Desktop, connect: "Callable[[], XServer]") -> MeasureCase:
    looker = connect()

    def owners() -> tuple[bool, bool]:
        clipboard = looker.display.intern_atom("CLIPBOARD")
        found = [looker.display.get_selection_owner(name) for name in (clipboard, Xatom.PRIMARY)]
        return found[0] != X.NONE, found[1] != X.NONE

    return MeasureCase(
        make=lambda: ClosedClipboard(connect(), PsutilTable(), ManualClock(), NOBODY_IS_OWN),
        state=owners,
        undone_by_somebody=lambda: _own_clipboard(connect()),
        replayers={},
        ends_with_process=True,
    )


def _own_clipboard(server: "XServer") -> Any:
    window = server.root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    window.set_selection_owner(server.display.intern_atom("CLIPBOARD"), X.CurrentTime)
    server.display.sync()
    return window


@pytest.fixture(params=["fake", "x11 console keys", "x11 screen saver", "x11 clipboard", *native_cases.MEASURES])
def measure_case(request: pytest.FixtureRequest) -> MeasureCase:
    if request.param in native_cases.MEASURES:
        return native_cases.MEASURES[request.param]()
    if request.param == "fake":
        return _fake_measure()
    if select.system() != "linux":
        pytest.skip("X11 is a desktop of Linux")
    desktop, servers = request.getfixturevalue("desktop"), request.getfixturevalue("servers")
    make = {"x11 console keys": _console_keys, "x11 screen saver": _screen_saver, "x11 clipboard": _clipboard}
    return make[request.param](desktop, servers)


def test_planning_changes_nothing(measure_case: MeasureCase) -> None:
    before = measure_case.state()
    measure = measure_case.make()
    undos = measure.plan()
    assert measure_case.state() == before
    assert not measure.holds()
    assert bool(undos) != measure_case.ends_with_process
    assert all(undo.kind in measure_case.replayers and undo.says for undo in undos)


def test_it_holds_after_engaging_and_replaying_restores(measure_case: MeasureCase, file: RestoreFile) -> None:
    before = measure_case.state()
    measure = measure_case.make()
    file.engage(measure)
    assert measure.holds()
    assert measure_case.state() != before
    measure.release()
    measure.release()
    assert file.replay(measure_case.replayers).failed == ()
    assert measure_case.state() == before
    assert not measure.holds()


def test_the_undo_is_on_disk_before_the_change(
    measure_case: MeasureCase, file: RestoreFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = measure_case.state()
    measure = measure_case.make()
    planned, really_engage = tuple(measure.plan()), measure.engage
    seen: list[tuple[Sequence[Undo], object]] = []

    def engage() -> None:
        seen.append((file.pending(), measure_case.state()))
        really_engage()

    monkeypatch.setattr(measure, "engage", engage)
    file.engage(measure)
    assert seen == [(planned, before)]
    measure.release()
    file.replay(measure_case.replayers)


def test_replaying_after_a_crash_is_harmless_however_often(measure_case: MeasureCase, file: RestoreFile) -> None:
    before = measure_case.state()
    measure = measure_case.make()
    file.engage(measure)
    written = file.path.read_bytes() if file.path.exists() else b""
    measure.release()
    for _ in range(2):
        if written:
            # The crash came after the undo and before the file was removed.
            file.path.write_bytes(written)
        assert file.replay(measure_case.replayers).failed == ()
        assert measure_case.state() == before


def test_replaying_what_was_written_but_never_done_is_harmless(measure_case: MeasureCase, file: RestoreFile) -> None:
    before = measure_case.state()
    measure = measure_case.make()

    class Interrupted:
        """The crash came after the write and before the change."""

        plan = measure.plan
        holds = measure.holds
        release = measure.release

        def engage(self) -> None:
            """Do not get that far."""

    file.engage(Interrupted())
    assert measure_case.state() == before
    assert file.replay(measure_case.replayers).failed == ()
    assert measure_case.state() == before


def test_it_notices_that_somebody_undid_it_and_can_be_engaged_again(
    measure_case: MeasureCase, file: RestoreFile
) -> None:
    before = measure_case.state()
    measure = measure_case.make()
    file.engage(measure)
    somebody = measure_case.undone_by_somebody()
    assert not measure.holds()
    measure.engage()
    assert measure.holds()
    measure.release()
    file.replay(measure_case.replayers)
    assert measure_case.state() == before
    del somebody


# --- watches -------------------------------------------------------------------------------------------------------


def _fake_watch() -> WatchCase:
    watch = FakeWatch((), (), [Finding(kind=IncidentKind.CLIPBOARD, facts={"a": "b"})])

    @contextmanager
    def happens_by_script() -> Iterator[None]:
        yield

    return WatchCase(watch=watch, provoke=happens_by_script, kind=IncidentKind.CLIPBOARD, blind=None)


def _fake_programs() -> WatchCase:
    table = FakeTable()
    clock = ManualClock()

    @contextmanager
    def start_a_program() -> Iterator[None]:
        table.start("anydesk", pid=300)
        yield

    watch = ProcessScanner(table, builtin_rules("linux"), clock, own_root=100)
    return WatchCase(watch=watch, provoke=start_a_program, kind=IncidentKind.PROCESS_FOUND, blind=None)


def _focus(desktop: Desktop, connect: "Callable[[], XServer]") -> WatchCase:
    server = connect()
    return WatchCase(
        watch=FocusWatch(server, PsutilTable(), SystemClock(), NOBODY_IS_OWN),
        provoke=lambda: desktop.program("xterm", "-e", "sleep", "60"),
        kind=IncidentKind.FOCUS_LOST,
        blind=server.close,
    )


def _displays(desktop: Desktop, connect: "Callable[[], XServer]") -> WatchCase:
    @contextmanager
    def another_monitor() -> Iterator[None]:
        desktop.run("xrandr", "--setmonitor", "RIGHT", "640/170x800/200+640+0", "none")
        yield
        desktop.run("xrandr", "--delmonitor", "RIGHT")

    server = connect()
    watch = RandrDisplays(server)
    return WatchCase(watch=watch, provoke=another_monitor, kind=IncidentKind.DISPLAY_CHANGED, blind=server.close)


def _clipboard_watch(desktop: Desktop, connect: "Callable[[], XServer]") -> WatchCase:
    @contextmanager
    def another_owner() -> Iterator[None]:
        _own_clipboard(connect())
        yield

    server = connect()
    watch = ClosedClipboard(server, PsutilTable(), ManualClock(), NOBODY_IS_OWN)
    watch.engage()
    return WatchCase(watch=watch, provoke=another_owner, kind=IncidentKind.CLIPBOARD, blind=server.close)


@pytest.fixture(params=["fake", "fake programs", "x11 focus", "x11 displays", "x11 clipboard", *native_cases.WATCHES])
def watch_case(request: pytest.FixtureRequest) -> WatchCase:
    if request.param in native_cases.WATCHES:
        return native_cases.WATCHES[request.param]()
    if request.param == "fake":
        return _fake_watch()
    if request.param == "fake programs":
        return _fake_programs()
    if select.system() != "linux":
        pytest.skip("X11 is a desktop of Linux")
    desktop, servers = request.getfixturevalue("desktop"), request.getfixturevalue("servers")
    make = {"x11 focus": _focus, "x11 displays": _displays, "x11 clipboard": _clipboard_watch}
    return make[request.param](desktop, servers)


def test_a_watch_is_quiet_then_reports_once(watch_case: WatchCase) -> None:
    assert list(watch_case.watch.observe()) == []
    assert list(watch_case.watch.observe()) == []
    found: list[Finding] = []

    def look() -> bool:
        found.extend(watch_case.watch.observe())
        return bool(found)

    with watch_case.provoke():
        wait_for(look, watch_case.kind)
        assert {finding.kind for finding in found} == {watch_case.kind}
        assert all(text for finding in found for text in finding.facts.values())
        assert list(watch_case.watch.observe()) == []


def test_a_watch_that_can_not_look_says_so(watch_case: WatchCase) -> None:
    if watch_case.blind is None:
        pytest.skip("this watch has nothing to lose")
    watch_case.watch.observe()
    watch_case.blind()
    with pytest.raises(Unsupported):
        watch_case.watch.observe()
    if isinstance(watch_case.watch, Measure):
        watch_case.watch.release()


def test_the_fake_can_fail_too() -> None:
    with pytest.raises(Unsupported, match="gone"):
        FakeWatch(unsupported("It is gone.")).observe()


# --- what only X11 can show ----------------------------------------------------------------------------------------

on_linux = pytest.mark.skipif(select.system() != "linux", reason="X11 is a desktop of Linux")


@on_linux
def test_whoever_pastes_gets_our_own_text(servers: "Callable[[], XServer]") -> None:
    guard = ClosedClipboard(servers(), PsutilTable(), ManualClock(), NOBODY_IS_OWN)
    guard.engage()
    pasting = servers()
    window = pasting.root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    names = {name: pasting.display.intern_atom(name) for name in ("CLIPBOARD", "UTF8_STRING", "TARGETS", "PLACE")}
    for target, length in (("UTF8_STRING", len(OWN_TEXT)), ("TARGETS", 5)):
        window.convert_selection(names["CLIPBOARD"], names[target], names["PLACE"], X.CurrentTime)
        pasting.display.flush()
        wait_for(lambda: guard.observe() or pasting.display.pending_events(), "an answer")
        assert pasting.display.next_event().property == names["PLACE"]
        answer = window.get_full_property(names["PLACE"], X.AnyPropertyType)
        assert len(answer.value) == length


@on_linux
def test_text_selected_in_our_own_window_is_taken_away_without_a_report(servers: "Callable[[], XServer]") -> None:
    guard = ClosedClipboard(servers(), PsutilTable(), ManualClock(), lambda _pid: True)
    guard.engage()
    _own_clipboard(servers())
    assert not guard.holds()
    assert guard.observe() == ()
    assert guard.holds()


@on_linux
def test_a_war_over_the_clipboard_is_reported_now_and_then_with_its_count(servers: "Callable[[], XServer]") -> None:
    clock = ManualClock()
    guard = ClosedClipboard(servers(), PsutilTable(), clock, NOBODY_IS_OWN)
    guard.engage()
    other = servers()
    reports: list[Finding] = []
    for _ in range(30):
        _own_clipboard(other)
        reports.extend(guard.observe())
        clock.advance(0.5)
    assert [finding.facts["changes"] for finding in reports] == ["1", "10", "10"]


@on_linux
def test_a_display_that_is_gone_has_nothing_to_undo(tmp_path: Path) -> None:
    file = RestoreFile(tmp_path / "restore.json")
    with x11_desktop("640x480x24") as passing:
        server = XServer(passing.display)
        for measure in (ConsoleKeys(server, run_external), ScreenSaverOff(server)):
            file.engage(measure)
        server.close()
    done = file.replay(select.replayers(run_external))
    assert len(done.undone) == 2
    assert done.failed == ()


@on_linux
def test_a_program_is_asked_to_close_its_windows(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", desktop.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
    table = PsutilTable()
    with desktop.program("xterm", "-e", "sleep", "60") as xterm:
        wait_for(lambda: "0x" in desktop.run("xprop", "-root", "_NET_CLIENT_LIST"), "the window")
        program = table.look(xterm.pid)
        assert program is not None
        ask = select.window_closer()
        assert ask(program)

        def has_ended() -> bool:
            # Asked again and again: a terminal that is still starting does not hear it.
            ask(program)
            return xterm.poll() is not None

        wait_for(has_ended, "the end of the program")
        assert not ask(program)
