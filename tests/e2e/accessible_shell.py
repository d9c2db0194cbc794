"""The real stage with its real screens, led through a session by lines on stdin; says what was pressed.

Its argument is the file descriptor to say it on.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication

from app.clock import SystemClock
from app.messages import Check
from app.shell.appearance import Appearance
from app.shell.kiosk import ShellWindow
from app.shell.screens.ending import Ending
from app.shell.stage import Exam, Stage
from app.shell.theme import LIGHT
from tests.unit.shell_parts import site  # brings Qt's web view in before the QApplication exists
from tests.unit.shell_policies import policy_for
from tests.unit.shell_screens import GRANTED


def main(exam_site: str) -> int:
    """Show one screen after another."""
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Fairlock")
    stage = Stage(ShellWindow(SystemClock(), windowed=True), Appearance(application, LIGHT))
    policy = policy_for(exam_site)
    exam = Exam(policy=policy, candidate="Kim Lee", entry_url=f"{exam_site}/", sources={}, breaks=True)
    stage.acknowledged.connect(lambda: say("acknowledged"))
    stage.proceed.connect(lambda: say("proceed"))
    stage.exam_loaded.connect(lambda: say("loaded"))
    stage.break_wanted.connect(lambda: say("break"))
    stage.break_ended.connect(lambda: say("back"))
    stage.closed.connect(lambda: say("closed"))

    def checks() -> None:
        screen = stage.show_checks()
        screen.show_check(Check(name="Camera", ok=True, blocking=True, message="The camera works."))
        screen.show_check(Check(name="Disk", ok=False, blocking=False, message="Only 2 GB are free. Make some room."))
        screen.show_result(good=True, programs=False)

    def flush() -> None:
        stage.close_exam()
        stage.show_flush()

    steps: Mapping[str, Callable[[], object]] = {
        "notice": lambda: stage.show_notice(policy, replace(GRANTED, exam=policy.exam)),
        "checks": checks,
        "exam": lambda: stage.open_exam(exam),
        "frozen": lambda: stage.cover_exam("frozen", ""),
        "break": lambda: stage.cover_exam("break", ""),
        "uncover": stage.uncover_exam,
        "message": lambda: stage.show_message("Ada", "Ten minutes more for everybody."),
        "flush": flush,
        "end": lambda: stage.show_end(Ending(title="You have handed in", line="", good=True, upload="All is there.")),
    }

    def read() -> None:
        line = sys.stdin.readline().strip()
        if line:
            steps[line]()
            say(f"did {line}")
        else:
            application.exit(0)

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(read)
    stage.window.show_ordinary()
    stage.window.activateWindow()
    try:
        return application.exec()
    finally:
        stage.dispose()


def say(words: str) -> None:
    """Tell the test."""
    os.write(int(sys.argv[1]), f"{words}\n".encode())


if __name__ == "__main__":
    with site() as served:
        code = main(served.origin)
    sys.exit(code)
