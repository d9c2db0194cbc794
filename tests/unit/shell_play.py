"""A whole session of the shell for tests: real screens and a real tab; the test plays the other processes."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app import messages as m
from app.clock import ManualClock
from app.contract import schema
from app.contract.actions import Action, ActionKind
from app.contract.agreement import Agreement
from app.contract.incidents import IncidentKind
from app.contract.policy import Policy
from app.contract.session import SessionState
from app.shell import theme
from app.shell.checking import Machine
from app.shell.controller import Controller
from app.shell.guard_side import GuardSide
from app.shell.kiosk import ShellWindow
from app.shell.recorder_side import RecorderSide
from app.shell.rehearsal import Rehearsal
from app.shell.stage import Stage
from tests.unit.shell_parts import PATIENCE_MS, Listener, Site, dressed, site
from tests.unit.shell_policies import policy_for

S = SessionState
DECOY = m.ProcessInfo(pid=7, name="decoy", path="/opt/decoy", rule="list: decoy")


class Play:
    """One session on a stage, driven from both sides."""

    def __init__(self, policy: Policy, *, rehearse: bool = False) -> None:
        self.policy = policy
        self.granted: Agreement | None = None
        self.breaks_ms, self.tries = 0, 0  # used up before the application was started
        self.clock = ManualClock()
        self.window = ShellWindow(self.clock, windowed=True)
        self.stage = Stage(self.window, dressed(theme.LIGHT))
        machine = Machine(platform="xcb", sandbox=True, displays=1)
        self.controller = Controller(self.stage, self.clock, machine, Rehearsal(is_on=rehearse, pace_ms=1))
        self.recorder, self.guard = Listener(), Listener()
        self.r = RecorderSide(self.controller, self.recorder, link="fairlock://x", program_token=bytes(32))
        self.g = GuardSide(self.controller, self.guard)
        self.codes: list[int] = []
        self.actions = 0
        self.controller.finished.connect(self.codes.append)

    def state(self) -> SessionState:
        return self.controller.session.state

    def start(self) -> None:
        self.window.show_ordinary()
        self.controller.start(self.r, self.g)

    def join(self, *, entry: str = "/", elapsed_s: int = 0) -> None:
        self.start()
        self.joined = m.Joined(
            session="s",
            candidate="Kim Lee",
            policy=schema.dumps(self.policy).decode(),
            entry_url=self.policy.browser.start_url.rstrip("/") + entry,
            elapsed_ms=elapsed_s * 1000,
            agreement=schema.dumps(self.granted).decode() if self.granted is not None else "",
            breaks_ms=self.breaks_ms,
            tries=self.tries,
        )
        self.r.receive(self.joined)

    def check(self, *, ok: bool = True, programs: tuple[m.ProcessInfo, ...] = ()) -> None:
        self.stage.acknowledged.emit()
        self.r.receive(m.Check(name="Camera", ok=ok, blocking=True, message="The camera works."))
        self.r.receive(m.ChecksDone(sources={"camera": "sample"}, models={}))
        self.g.receive(m.ProcessesFound(processes=programs))
        self.g.receive(m.Examined(tier="B", concerns=()))

    def lock(self, qtbot: QtBot) -> None:
        self.stage.proceed.emit()
        self.r.receive(m.RecordingStarted())
        self.g.receive(m.Engaged(holding=("process_watch",), missing={}))
        qtbot.waitUntil(lambda: self.state() is not S.LOCKING, timeout=PATIENCE_MS)

    def run(self, qtbot: QtBot, *, entry: str = "/") -> None:
        self.join(entry=entry)
        self.check()
        with qtbot.waitSignal(self.stage.exam_loaded, timeout=PATIENCE_MS):
            self.lock(qtbot)

    def status(self, *, frozen: bool) -> None:
        self.r.receive(m.Status(online=True, frozen=frozen, pending_bytes=0, segments=0, incidents=0))

    def act(self, kind: ActionKind, **arguments: str) -> None:
        self.actions += 1
        action = Action(id=str(self.actions), session="s", kind=kind, arguments=arguments, issuer="Ada", issued_ms=0)
        self.r.receive(m.ActionArrived(action=action))

    def restart_recorder(self) -> Listener:
        """Lose the recorder; return the next one, which ``recorder`` is not."""
        self.r.lost()
        again = Listener()
        self.r.restarted(again)
        return again

    def incidents(self) -> list[IncidentKind]:
        return [report.kind for report in self.recorder.of(m.Report)]

    def words(self) -> str:
        QApplication.processEvents()  # widgets added to a layout are shown by an event
        page = self.window.pages.currentWidget()
        assert page is not None
        return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page))


@contextmanager
def playing(policy: Policy, application: QApplication) -> Iterator[Play]:
    """Return a session, and take its screens down afterwards."""
    made = Play(policy)
    yield made
    made.stage.dispose()
    made.window.deleteLater()
    application.processEvents()


def exam_sites() -> Iterator[Site]:
    """Serve an exam's pages: the fixture ``exam_site`` of the modules that play a session."""
    with site() as served:
        yield served


def plays(qapp: QApplication, exam_site: Site) -> Iterator[Play]:
    """Play a session with a plain policy: the fixture ``play``."""
    with playing(policy_for(exam_site.origin), qapp) as made:
        yield made
