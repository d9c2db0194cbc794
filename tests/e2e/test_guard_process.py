"""A real guard process: decoys are found and closed, and everything is undone however the shell ends."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from app.channel import decode, encode
from app.contract import schema
from app.contract.incidents import IncidentKind
from app.contract.legible import fact
from app.contract.policy import POLICY_VERSION, Browser, Capability, Lockdown, Policy, Recipient, Server, Treatment
from app.messages import (
    CloseProcesses,
    Concern,
    Engage,
    Engaged,
    Examine,
    Examined,
    ProcessesClosed,
    ProcessesFound,
    Release,
    Released,
    Report,
    Seen,
)
from lockdown import select
from lockdown.rule_lists import builtin_rules
from tests.unit.programs_on_disk import copy, unique
from tests.xserver import DEADLINE_S, Desktop, end, wait_for, x11_desktop

ROOT = Path(__file__).parents[2]
M = TypeVar("M")

# A name of the built-in list that nothing else on a machine which runs tests is likely to have.
DECOY = "krdc"
on_linux = pytest.mark.skipif(select.system() != "linux", reason="nothing to lose: only on Linux")


def _policy(*prohibit: str, grace_ms: int = 1_000, unknown: Treatment = Treatment.IGNORE) -> str:
    """A policy that permits every built-in name but the decoy's: the tests must not close a developer's browser."""
    builtin = builtin_rules(select.system()).names
    policy = Policy(
        version=POLICY_VERSION,
        exam="exam",
        title="Exam",
        institution="School",
        issued_ms=0,
        expires_ms=1,
        server=Server(url="http://127.0.0.1:1", token_key=b"k", receipt_key=bytes(32)),
        browser=Browser(
            start_url="http://127.0.0.1:1/", allow=("http://127.0.0.1:1",), submit_url="http://127.0.0.1:1/s"
        ),
        lockdown=Lockdown(
            prohibit=prohibit,
            permit=tuple(sorted(builtin - {DECOY})),
            close_grace_ms=grace_ms,
            unknown_programs=unknown,
        ),
        recipients=(Recipient(id="x" * 43, name="Examiner", key=bytes(65)),),
    )
    return schema.dumps(policy).decode()


class Shell:
    """The stand-in for the shell, as a process, and what its guard said."""

    def __init__(self, restore_file: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("guard_shell.py")), str(restore_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**environment, "PYTHONPATH": str(ROOT)},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, name="shell-output")
        self._reader.start()
        wait_for(self._started, "the guard's start")
        self.guard = psutil.Process(int(self._started()[0].split()[1]))

    def _started(self) -> list[str]:
        """The line that names the guard; its own first words may come before it."""
        return [line for line in self.lines if line.startswith("guard ")]

    def send(self, message: object) -> None:
        """Send an order to the guard."""
        assert self.process.stdin is not None
        self.process.stdin.write(encode(message) + b"\n")
        self.process.stdin.flush()

    def messages(self, cls: type[M]) -> list[M]:
        """Return what the guard sent of one type."""
        decoded = [decode(line.encode()) for line in self.lines if line.startswith("{")]
        return [message for message in decoded if isinstance(message, cls)]

    def answer(self, cls: type[M], order: object) -> M:
        """Send ``order`` and return the next message of type ``cls``."""
        before = len(self.messages(cls))
        self.send(order)
        wait_for(lambda: len(self.messages(cls)) > before, cls.__name__)
        return self.messages(cls)[before]

    def reports(self, kind: IncidentKind) -> list[Report]:
        """Return the incidents of one kind that the guard saw."""
        return [seen.report for seen in self.messages(Seen) if seen.report.kind is kind]

    def last_hands(self) -> list[psutil.Process]:
        """Return what stands by to undo; a watch may just be running some other program."""
        return [child for child in self.guard.children() if "--multiprocessing-fork" in _words(child)]

    def close(self) -> None:
        """End it without its will, and its guard if it is still there."""
        end_of_input = self.process.stdin
        if end_of_input is not None and self.process.poll() is None:
            end_of_input.close()
            self.process.wait(DEADLINE_S)
        end(self.process)
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.decode().strip())


@pytest.fixture
def decoys(tmp_path: Path) -> "Iterator[Callable[[str], subprocess.Popen[bytes]]]":
    """Starts copies of ``sleep`` under other names."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> "subprocess.Popen[bytes]":
        path = tmp_path / name
        shutil.copy2("/bin/sleep", path)
        started.append(subprocess.Popen([path, "120"]))
        return started[-1]

    yield start
    for process in started:
        end(process)


@contextmanager
def _shell(restore_file: Path, environment: dict[str, str]) -> Iterator[Shell]:
    shell = Shell(restore_file, environment)
    try:
        yield shell
    finally:
        shell.close()


def _no_desktop() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}


@pytest.fixture
def headless(tmp_path: Path) -> Iterator[Shell]:
    """A shell and its guard without a desktop."""
    with _shell(tmp_path / "restore.json", _no_desktop()) as shell:
        yield shell


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    with x11_desktop() as desktop:
        yield desktop


def test_a_prohibited_program_is_found_and_then_closed(
    headless: Shell, decoys: "Callable[[str], subprocess.Popen[bytes]]"
) -> None:
    decoy = decoys(DECOY)
    found = headless.answer(ProcessesFound, CloseProcesses(policy=_policy(), close=False))
    assert [(p.pid, p.name, p.rule) for p in found.processes] == [(decoy.pid, DECOY, "remote-desktop")]
    assert decoy.poll() is None
    done = headless.answer(ProcessesClosed, CloseProcesses(policy=_policy(), close=True))
    assert [p.pid for p in done.closed] == [decoy.pid]
    assert done.left == ()
    assert decoy.wait(DEADLINE_S) == -signal.SIGTERM


def test_a_renamed_copy_is_caught_by_its_hash(
    headless: Shell, tmp_path: Path, decoys: "Callable[[str], subprocess.Popen[bytes]]"
) -> None:
    # A program of our own, so that the hash does not hit every sleep on the machine.
    program = tmp_path / "fairlock-notes"
    shutil.copy2("/bin/sleep", program)
    with program.open("ab") as file:
        file.write(os.urandom(16))
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    renamed = subprocess.Popen([program, "120"])
    innocent = decoys("fairlock-other-notes")
    try:
        policy = _policy(f"sha256:{digest}")
        done = headless.answer(ProcessesClosed, CloseProcesses(policy=policy, close=True))
        assert [p.pid for p in done.closed] == [renamed.pid]
        assert innocent.poll() is None
    finally:
        end(renamed)


@pytest.fixture
def with_decoy_installed(tmp_path: Path) -> Iterator[Shell]:
    """A shell and its guard where the decoy is installed, not running."""
    unique(tmp_path / "bin" / DECOY)
    environment = {**_no_desktop(), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    with _shell(tmp_path / "restore.json", environment) as shell:
        yield shell


@on_linux
def test_a_renamed_copy_of_an_installed_program_is_closed_though_nobody_listed_its_hash(
    with_decoy_installed: Shell, tmp_path: Path, decoys: "Callable[[str], subprocess.Popen[bytes]]"
) -> None:
    shell = with_decoy_installed
    before = subprocess.Popen([copy(tmp_path / "bin" / DECOY, tmp_path / "home/essay"), "120"])
    innocent = decoys("fairlock-other-notes")
    try:
        done = shell.answer(ProcessesClosed, CloseProcesses(policy=_policy(), close=True))
        assert [(p.pid, p.name, p.rule) for p in done.closed] == [(before.pid, "essay", "remote-desktop")]
        assert done.closed[0].copy_of == DECOY
        shell.answer(Engaged, Engage(policy=_policy()))
        during = subprocess.Popen([tmp_path / "home/essay", "120"])
        wait_for(lambda: shell.reports(IncidentKind.PROCESS_CLOSED), "the report of closing")
        (found,) = shell.reports(IncidentKind.PROCESS_FOUND)
        assert (found.facts["pid"], found.facts["by"], found.facts["copy_of"]) == (str(during.pid), "copy", DECOY)
        assert during.wait(DEADLINE_S) == -signal.SIGTERM
        assert innocent.poll() is None
    finally:
        end(before)


def test_a_script_that_only_mentions_the_name_is_left_alone(headless: Shell, tmp_path: Path) -> None:
    script = tmp_path / f"{DECOY}.py"
    script.write_text("import time; time.sleep(120)")
    mention = subprocess.Popen([sys.executable, script, DECOY])
    try:
        found = headless.answer(ProcessesFound, CloseProcesses(policy=_policy(), close=False))
        assert mention.pid not in [p.pid for p in found.processes]
    finally:
        end(mention)


def test_a_program_started_during_the_exam_is_reported_and_closed(
    headless: Shell, decoys: "Callable[[str], subprocess.Popen[bytes]]"
) -> None:
    engaged = headless.answer(Engaged, Engage(policy=_policy()))
    assert engaged.holding == (Capability.PROCESS_WATCH,)
    assert "desktop session" in engaged.missing[Capability.KIOSK]
    decoy = decoys(DECOY)
    wait_for(lambda: headless.reports(IncidentKind.PROCESS_CLOSED), "the report of closing")
    (found,) = headless.reports(IncidentKind.PROCESS_FOUND)
    assert found.facts["pid"] == str(decoy.pid)
    assert found.facts["sha256"] == hashlib.sha256(Path("/bin/sleep").read_bytes()).hexdigest()
    assert decoy.wait(DEADLINE_S) == -signal.SIGTERM


@on_linux
def test_programs_in_folders_with_odd_names_are_listed_told_and_closed(headless: Shell, tmp_path: Path) -> None:
    long = "/".join(["d" * 200] * 18)  # with the folder of the test just short of what the system takes
    places = [tmp_path / folder / DECOY for folder in (os.fsdecode(b"\xff"), "line\nfeed \x1b[2J", "plain", long)]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> set[str]:
        started.extend(subprocess.Popen([place, "120"]) for place in places)
        return {str(process.pid) for process in started[-len(places) :]}

    paths = {fact(str(copy(Path("/bin/sleep"), place))) for place in places}
    try:
        pids = start()
        found = headless.answer(ProcessesFound, CloseProcesses(policy=_policy(), close=False))
        assert {p.path for p in found.processes} == paths
        done = headless.answer(ProcessesClosed, CloseProcesses(policy=_policy(), close=True))
        assert ({str(p.pid) for p in done.closed}, done.left) == (pids, ())
        headless.answer(Engaged, Engage(policy=_policy()))
        pids = start()
        wait_for(lambda: len(headless.reports(IncidentKind.PROCESS_CLOSED)) >= len(places), "the reports of closing")
        for kind in (IncidentKind.PROCESS_CLOSED, IncidentKind.PROCESS_FOUND):
            assert {report.facts["pid"] for report in headless.reports(kind)} == pids
            assert {report.facts["path"] for report in headless.reports(kind)} == paths
        assert {process.wait(DEADLINE_S) for process in started} == {-signal.SIGTERM}
        assert "closed" not in headless.lines, "the guard is still there"
    finally:
        for process in started:
            end(process)


@on_linux
def test_a_crowd_of_programs_is_closed_and_does_not_break_the_guard(headless: Shell, tmp_path: Path) -> None:
    crowd = 700  # the channel carries 256 messages at once
    program = copy(Path("/bin/sleep"), tmp_path / DECOY)
    headless.answer(Engaged, Engage(policy=_policy()))
    started = [subprocess.Popen([program, "120"]) for _ in range(crowd)]

    def told(kind: IncidentKind) -> int:
        reports = headless.reports(kind)
        return sum(int(report.facts.get("further", 1)) for report in reports)

    try:
        assert {process.wait(DEADLINE_S) for process in started} == {-signal.SIGTERM}
        wait_for(lambda: told(IncidentKind.PROCESS_CLOSED) == crowd, "the number of those that were closed")
        assert told(IncidentKind.PROCESS_FOUND) == crowd
        assert len(headless.reports(IncidentKind.PROCESS_FOUND)) < crowd // 4
        assert "closed" not in headless.lines, "the guard is still there"
    finally:
        for process in started:
            end(process)


@on_linux
@pytest.mark.parametrize("folder", ["plain", os.fsdecode(b"\xff")], ids=["plain", "no UTF-8"])
def test_a_program_that_no_list_names_is_a_concern_before_the_exam_and_an_incident_during_it(
    desktop: Desktop, tmp_path: Path, folder: str
) -> None:
    xterm = shutil.which("xterm")
    assert xterm is not None
    policy = _policy(unknown=Treatment.REFUSE)
    program = copy(Path(xterm), tmp_path / folder / "fairlock-notes")
    with (
        _shell(tmp_path / "restore.json", desktop.environment) as shell,
        desktop.program(str(program), "-e", "sleep", "120") as notes,
    ):

        def minded() -> list[Concern]:
            examined = shell.answer(Examined, Examine(policy=policy))
            return [one for one in examined.concerns if one.kind is IncidentKind.PROCESS_UNKNOWN]

        wait_for(minded, "the concern")
        (concern,) = minded()
        assert concern.treatment is Treatment.REFUSE
        assert concern.signals == (fact(str(program)),)
        shell.answer(Engaged, Engage(policy=policy))
        wait_for(lambda: shell.reports(IncidentKind.PROCESS_UNKNOWN), "the incident")
        (report,) = shell.reports(IncidentKind.PROCESS_UNKNOWN)
        assert report.facts["pid"] == str(notes.pid)
        assert (report.facts["name"], report.facts["path"]) == ("fairlock-notes", fact(str(program)))
        assert notes.poll() is None, "told, never closed"


def test_where_windows_can_not_be_seen_that_is_said(headless: Shell) -> None:
    headless.answer(Engaged, Engage(policy=_policy(unknown=Treatment.RECORD)))
    reasons = [report.facts["reason"] for report in headless.reports(IncidentKind.CAPABILITY_MISSING)]
    assert any("have a window" in reason for reason in reasons)


def test_a_misspelt_rule_makes_the_watch_missing_not_silent(headless: Shell) -> None:
    engaged = headless.answer(Engaged, Engage(policy=_policy("sha265:00")))
    assert "sha265:00" in engaged.missing[Capability.PROCESS_WATCH]
    assert engaged.holding == ()


def _options(desktop: Desktop) -> str:
    return desktop.run("setxkbmap", "-query")


def _saver_timeout(desktop: Desktop) -> str:
    return desktop.run("xset", "q").split("timeout:")[1].split()[0]


def test_engage_holds_the_desktop_and_release_gives_it_back(desktop: Desktop, tmp_path: Path) -> None:
    restore_file = tmp_path / "restore.json"
    before = (_options(desktop), _saver_timeout(desktop))
    with _shell(restore_file, desktop.environment) as shell:
        engaged = shell.answer(Engaged, Engage(policy=_policy()))
        held = {"input_guard", "clipboard_guard", "process_watch", "window_watch", "display_watch", "remote_watch"}
        held |= {"device_watch", "sleep_guard"}
        assert set(engaged.holding) == held
        assert set(engaged.missing) == {"capture_shield"}
        assert "srvrkeys:none" in _options(desktop)
        assert _saver_timeout(desktop) == "0"
        assert restore_file.exists()
        released = shell.answer(Released, Release())
        assert len(released.undone) == 2
        assert released.failed == ()
        assert (_options(desktop), _saver_timeout(desktop)) == before
        assert not restore_file.exists()


def test_the_one_who_takes_the_focus_is_named(desktop: Desktop, tmp_path: Path) -> None:
    with _shell(tmp_path / "restore.json", desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=_policy()))
        with desktop.program("xterm", "-e", "sleep", "60"):
            wait_for(lambda: shell.reports(IncidentKind.FOCUS_LOST), "the report of the focus")
        assert shell.reports(IncidentKind.FOCUS_LOST)[0].facts["name"] == "xterm"


@pytest.mark.parametrize("ending", ["kill", "suspend"])
def test_when_the_shell_dies_everything_is_undone_and_the_guard_ends(
    desktop: Desktop, tmp_path: Path, ending: str
) -> None:
    restore_file = tmp_path / "restore.json"
    before = (_options(desktop), _saver_timeout(desktop))
    with ExitStack() as stack:
        shell = stack.enter_context(_shell(restore_file, desktop.environment))
        shell.answer(Engaged, Engage(policy=_policy()))
        assert (_options(desktop), _saver_timeout(desktop)) != before
        if ending == "kill":
            shell.process.kill()
        else:
            shell.process.send_signal(signal.SIGSTOP)
            stack.callback(shell.process.send_signal, signal.SIGCONT)
        wait_for(lambda: (_options(desktop), _saver_timeout(desktop)) == before, "the undo")
        wait_for(lambda: not _runs(shell.guard), "the guard's end")
        assert not restore_file.exists()


def test_the_last_hand_undoes_what_a_killed_guard_left(desktop: Desktop, tmp_path: Path) -> None:
    restore_file = tmp_path / "restore.json"
    before = (_options(desktop), _saver_timeout(desktop))
    with _shell(restore_file, desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=_policy()))
        (hand,) = shell.last_hands()
        assert os.getsid(hand.pid) == hand.pid, "what is sent to the process group of the application must not reach it"
        shell.guard.kill()
        wait_for(lambda: (_options(desktop), _saver_timeout(desktop)) == before, "the undo")
        wait_for(lambda: not _runs(hand), "the last hand's end")
        assert not restore_file.exists()


def test_a_last_hand_that_is_killed_does_no_harm_and_is_replaced(desktop: Desktop, tmp_path: Path) -> None:
    before = (_options(desktop), _saver_timeout(desktop))
    with _shell(tmp_path / "restore.json", desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=_policy()))
        (hand,) = shell.last_hands()
        hand.kill()
        wait_for(lambda: [one for one in shell.last_hands() if one != hand], "another last hand")
        assert "srvrkeys:none" in _options(desktop)
        assert shell.answer(Released, Release()).failed == ()
        assert (_options(desktop), _saver_timeout(desktop)) == before


def test_what_is_undone_during_the_exam_is_put_back_and_reported(desktop: Desktop, tmp_path: Path) -> None:
    """``fairlock restore`` works at any time: it is the way out if all else fails."""
    restore_file = tmp_path / "data" / "restore.json"
    restore_file.parent.mkdir(mode=0o700)
    before = (_options(desktop), _saver_timeout(desktop))
    with _shell(restore_file, desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=_policy()))
        held = (_options(desktop), _saver_timeout(desktop))
        environment = {**desktop.environment, "FAIRLOCK_HOME": str(tmp_path)}
        command = [sys.executable, "-m", "app", "restore"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert "Console keys work again." in done.stdout
        wait_for(lambda: (_options(desktop), _saver_timeout(desktop)) == held, "what was undone to be put back")
        both = [Capability.INPUT_GUARD, Capability.SLEEP_GUARD]
        wait_for(lambda: sorted(_put_back(shell)) == both, "the reports")
        assert shell.answer(Released, Release()).failed == ()
        assert (_options(desktop), _saver_timeout(desktop)) == before


def _put_back(shell: Shell) -> list[str]:
    reports = shell.reports(IncidentKind.CAPABILITY_MISSING)
    return [report.facts["capability"] for report in reports if "put back" in report.facts["reason"]]


def test_the_next_start_undoes_what_nobody_could(desktop: Desktop, tmp_path: Path) -> None:
    restore_file = tmp_path / "restore.json"
    before = (_options(desktop), _saver_timeout(desktop))
    with _shell(restore_file, desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=_policy()))
        shell.guard.suspend()  # so that it makes no other last hand
        for process in (*shell.last_hands(), shell.guard):
            process.kill()
        wait_for(lambda: "closed" in shell.lines, "the notice that the guard is gone")
    assert (_options(desktop), _saver_timeout(desktop)) != before
    assert restore_file.exists()
    with _shell(restore_file, desktop.environment) as shell:
        wait_for(lambda: shell.reports(IncidentKind.ENVIRONMENT), "the report of what was restored")
        assert (_options(desktop), _saver_timeout(desktop)) == before
        assert not restore_file.exists()


def test_a_guard_asked_to_end_undoes_everything_and_ignores_ctrl_c(desktop: Desktop, tmp_path: Path) -> None:
    before = (_options(desktop), _saver_timeout(desktop))
    with _shell(tmp_path / "restore.json", desktop.environment) as shell:
        shell.answer(Engaged, Engage(policy=_policy()))
        shell.guard.send_signal(signal.SIGINT)
        shell.answer(Engaged, Engage(policy=_policy()))
        shell.guard.send_signal(signal.SIGTERM)
        wait_for(lambda: not _runs(shell.guard), "the guard's end")
        assert (_options(desktop), _saver_timeout(desktop)) == before


def _words(process: psutil.Process) -> list[str]:
    """Return the command of a process, none of one that has ended meanwhile."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
