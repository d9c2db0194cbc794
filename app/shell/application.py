"""Composition of the shell: Qt, the two other processes, the stage and the controller; read it top to bottom.

GUI thread. Everything is taken down in the opposite order, whatever happens.
"""

import logging
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

# Must be imported before the QApplication exists.
from PySide6 import QtWebEngineWidgets  # noqa: F401
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app import launch
from app.clock import SystemClock
from app.contract.incidents import IncidentKind
from app.contract.session import Event
from app.contract.tiers import Tier
from app.shell import text, theme
from app.shell.appearance import Appearance
from app.shell.arrival import Arrival
from app.shell.bridge import Bridge
from app.shell.checking import Machine
from app.shell.children import enter
from app.shell.controller import Controller
from app.shell.course import ExitCode
from app.shell.garbage import freed_here
from app.shell.guard_side import GuardSide
from app.shell.kiosk import ShellWindow
from app.shell.options import ShellOptions
from app.shell.recorder_side import RecorderSide
from app.shell.rehearsal import Rehearsal
from app.shell.stage import Stage
from app.supervisor import Child, Supervisor
from lockdown import select

RECORDER, GUARD = "recorder", "guard"
STOP_S = 8.0
SIGNAL_CHECK_MS = 250
_log = logging.getLogger("fairlock.shell")


def run(options: ShellOptions, started: launch.Launch) -> int:
    """Show the window, run the session, return the exit code."""
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Fairlock")
    application.setQuitOnLastWindowClosed(False)
    look = Appearance(application, theme.choose(options.theme))
    clock = SystemClock()
    with ExitStack() as stack:
        stack.enter_context(freed_here())
        bridge = Bridge()
        stack.callback(bridge.close)
        supervisor = Supervisor()
        stack.callback(supervisor.stop, STOP_S)
        window = ShellWindow(clock, windowed=options.windowed, alone=select.tier() == Tier.A)
        badges = (text.DEMONSTRATION,) if options.rehearse else ()
        stage = Stage(window, look, badges=badges, photographs=options.screenshots)
        stack.callback(stage.dispose)
        link = options.link
        if options.station is not None and not link:
            window.show_ordinary()
            waited = Arrival(stage, options.station, clock).wait()
            if waited is None:
                return int(ExitCode.LEFT)
            link = waited
        recorder_child = _spawn(supervisor, bridge, RECORDER, options.recorder_entry, options.recorder_options)
        guard_child = _spawn(supervisor, bridge, GUARD, options.guard_entry, options.guard_options)
        machine = Machine(
            platform=application.platformName(),
            sandbox=started.sandbox,
            displays=len(application.screens()),
            absent=select.absent(),
            tier=select.tier(),
            doubts=select.doubts(),
        )
        controller = Controller(stage, clock, machine, Rehearsal(is_on=options.rehearse))
        controller.closes_itself = options.station is not None
        token = secrets.token_bytes(32)
        recorder = RecorderSide(controller, recorder_child, link=link, program_token=token)
        guard = GuardSide(controller, guard_child)
        _connect(bridge, {RECORDER: recorder, GUARD: guard})
        facts = launch.describe(started)
        if facts:
            controller.reports.note(IncidentKind.ENVIRONMENT, facts, source="shell.launch")
        controller.finished.connect(application.exit)  # not quit(): Qt asks the windows first, and the kiosk says no
        stack.enter_context(_ending_on_signals(controller))
        window.show_ordinary()
        controller.start(recorder, guard)
        return application.exec()


def _spawn(supervisor: Supervisor, bridge: Bridge, name: str, entry: str, options: object) -> Child:
    return supervisor.spawn(
        name,
        enter,
        entry,
        options,
        on_message=partial(bridge.post_message, name),
        on_closed=partial(bridge.post_closed, name),
        on_restarted=partial(bridge.post_restarted, name),
        on_given_up=partial(bridge.post_given_up, name),
    )


def _connect(bridge: Bridge, sides: dict[str, RecorderSide | GuardSide]) -> None:
    bridge.message.connect(lambda name, message: sides[name].receive(message))
    bridge.closed.connect(lambda name: sides[name].lost())
    bridge.restarted.connect(lambda name, child: sides[name].restarted(child))
    bridge.given_up.connect(lambda name: sides[name].given_up())


@contextmanager
def _ending_on_signals(controller: Controller) -> Iterator[None]:
    """A log-out or Ctrl-C ends the exam in order: unlock, send, end.

    Python looks at signals only between its own instructions, so a timer makes sure that there are some.
    """

    def end(_number: int, _frame: object) -> None:
        QTimer.singleShot(0, controller, lambda: controller.session.fail(Event.FATAL, text.ASKED_TO_END))

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    wake = QTimer()
    wake.timeout.connect(lambda: None)
    wake.start(SIGNAL_CHECK_MS)
    try:
        yield
    finally:
        wake.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
