"""One of every screen, filled with what makes it long, for the tests that look at all of them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QWidget

from app.contract.agreement import AGREEMENT_VERSION, Agreement, Allowance
from app.contract.incidents import Track
from app.contract.policy import Capture
from app.messages import Check, DevicesOf, ProcessInfo
from app.shell import text
from app.shell.appearance import Appearance
from app.shell.screens.bar import ExamBar
from app.shell.screens.checks import ChecksScreen
from app.shell.screens.end import EndScreen
from app.shell.screens.ending import Ending
from app.shell.screens.exam import ExamScreen
from app.shell.screens.flush import FlushScreen
from app.shell.screens.notice import NoticeScreen
from app.shell.screens.progress import ProgressScreen
from capture.stills import jpeg
from tests.unit.shell_policies import POLICY

GRANTED = Agreement(
    version=AGREEMENT_VERSION,
    exam=POLICY.exam,
    candidate="Kim Lee",
    allowances=tuple(Allowance),
    extra_time_permille=250,
    breaks_s=900,
    issued_ms=1,
    expires_ms=2**50,
)


DEVICES = (
    DevicesOf(
        track=Track.CAMERA,
        names=("HD Webcam", "A camera with a very long name indeed (2)"),
        picked="HD Webcam",
        is_sample=False,
    ),
    DevicesOf(track=Track.MICROPHONE, names=("sample sound 1.wav",), picked="sample sound 1.wav", is_sample=True),
)


def checks(look: Appearance) -> ChecksScreen:
    """Some checks of each kind, and a program to be closed."""
    screen = ChecksScreen(look)
    for number in range(6):
        words = "A sentence that says what was found, and what to do about it if it is not right."
        screen.show_check(Check(name=f"Check {number}", ok=number not in (2, 4), blocking=number == 2, message=words))
    path = "/opt/a-vendor-with-a-long-name/and-a-product/bin/x"
    screen.show_programs([ProcessInfo(pid=1, name="x", path=path, rule="r")], grace_s=5, still_running=False)
    screen.preview.show_devices(DEVICES)
    screen.preview.show_preview(jpeg(np.full((240, 320, 3), 90, np.uint8)), -30)
    screen.show_result(good=True, programs=True)
    return screen


def exam(_look: Appearance, *, why: str = "frozen") -> ExamScreen:
    """The exam under its cover, with everything that the bar can show."""
    badges = ((text.DEMONSTRATION, ""), (text.SAMPLE_CAMERA, text.SAMPLE_CAMERA_LONG), (text.SAMPLE_MICROPHONE, ""))
    bar = ExamBar(title=POLICY.title * 3, candidate="Kim Lee", badges=badges, breaks=True, watched=True)
    screen = ExamScreen(bar)
    screen.bar.show_time(4000, left=True)
    screen.bar.show_battery(12, plugged=False)
    screen.bar.show_network(online=False, pending_bytes=5_000_000)
    screen.cover_up(why, "")
    return screen


def end(look: Appearance) -> EndScreen:
    """An end with something to say in every card."""
    failed = ("The screen saver could not be switched on again.",)
    undone = ("Console keys work again.", "The clipboard is free.")
    return EndScreen(
        look,
        Ending(
            title=text.END_TITLES["submit"],
            line="A line that says more.",
            good=True,
            upload=text.END_COMPLETE,
            undone=undone,
            failed=failed,
            closed=("anydesk", "obs"),
        ),
    )


def notice(look: Appearance) -> NoticeScreen:
    """The notice of a candidate who was granted everything, and who may be watched."""
    watched = replace(POLICY, capture=Capture(live_view=True))
    return NoticeScreen(look, watched, GRANTED, badges=(text.DEMONSTRATION,))


SCREENS: dict[str, Callable[[Appearance], QWidget]] = {
    "joining": lambda look: ProgressScreen(look, step=0, title="Joining", line="A line", cancel=True),
    "notice": notice,
    "checks": checks,
    "exam": exam,
    "break": lambda look: exam(look, why="break"),
    "flush": lambda look: FlushScreen(look, badges=(text.DEMONSTRATION,)),
    "end": end,
}
