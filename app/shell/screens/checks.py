"""The checks: one line per check, the programs to be closed, and what to do about what is not right."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.messages import Check, ProcessInfo
from app.shell import text
from app.shell.announcing import announce
from app.shell.appearance import Appearance
from app.shell.screens import parts
from app.shell.screens.base import Screen
from app.shell.screens.pictures import Picture
from app.shell.screens.preview import PreviewCard


def check_line(check: Check) -> QFrame:
    """Return one check: sign, name, sentence."""
    if check.ok:
        sign, tone, state = "check", "good", text.CHECK_PASSED
    elif check.blocking:
        sign, tone, state = "cross", "bad", text.CHECK_BLOCKS
    else:
        sign, tone, state = "warning", "warn", text.CHECK_WARNS
    line = parts.frame("line")
    across = parts.row(line, spacing=14)
    across.setContentsMargins(18, 6, 18, 6)
    across.addWidget(Picture(sign, tone, 20), 0, Qt.AlignmentFlag.AlignTop)
    across.addWidget(parts.label(check.name, "name", wrap=False), 0, Qt.AlignmentFlag.AlignTop)
    across.addWidget(parts.label(check.message, "" if check.ok else tone), 1, Qt.AlignmentFlag.AlignTop)
    return parts.readable(line, f"{check.name}: {state}", check.message)


class ChecksScreen(Screen):
    """Shows the checks as they come in. What is not right is announced; what is, can be read by Tab."""

    proceed = Signal()
    again = Signal()
    left = Signal()
    picked = Signal(object, str)

    def __init__(self, look: Appearance, *, badges: Sequence[str] = ()) -> None:
        super().__init__(look, step=2, title=text.CHECKS_TITLE, subtitle=text.CHECKS_LINE, badges=badges, wide=True)
        self._card = parts.frame("card")
        self._lines = parts.column(self._card, spacing=0)
        self._lines.setContentsMargins(0, 6, 0, 6)
        self._shown: dict[str, QWidget] = {}
        self._programs = parts.frame("card")
        self._programs.hide()
        self._program_lines = parts.column(self._programs, spacing=6, margin=18)
        self.middle.addWidget(self._programs)  # above the rest: it is what the candidate has to act on
        self.preview = PreviewCard()
        self.preview.picked.connect(self.picked)
        self.middle.addWidget(self.preview)
        self.middle.addWidget(self._card)
        self.result = parts.label(text.CHECKS_RUNNING, "muted")
        self.middle.addWidget(self.result)
        self.leave_button = self.add_button(text.CHECKS_LEAVE, way_out=True)
        self.again_button = self.add_button(text.CHECKS_AGAIN)
        self.go_button = self.add_button(text.CHECKS_GO, "primary")
        self.leave_button.clicked.connect(self.left)
        self.again_button.clicked.connect(self.again)
        self.go_button.clicked.connect(self.proceed)
        self.restart()

    def restart(self) -> None:
        """Forget what was shown: the checks run again."""
        for shown in self._shown.values():
            shown.deleteLater()
        self._shown.clear()
        self._programs.hide()
        self._card.hide()
        self.preview.restart()
        self._say(text.CHECKS_RUNNING, "muted", go=False, again=False)

    def show_check(self, check: Check) -> None:
        """Show one result; a later one of the same name replaces it."""
        line = check_line(check)
        old = self._shown.get(check.name)
        if old is not None:
            self._lines.replaceWidget(old, line)
            old.hide()  # it would stay in sight until it is deleted
            old.deleteLater()
        else:
            self._lines.addWidget(line)
        self._shown[check.name] = line
        self._card.show()
        if not check.ok:
            announce(self, f"{line.accessibleName()}. {check.message}")

    def show_programs(self, programs: Sequence[ProcessInfo], *, grace_s: float, still_running: bool) -> None:
        """Show what has to be closed, once per program."""
        while (item := self._program_lines.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._programs.setVisible(bool(programs))
        if not programs:
            return
        self._program_lines.addWidget(parts.label(text.PROGRAMS_HEADING, "heading"))
        words = text.PROGRAMS_LEFT if still_running else text.PROGRAMS_LINE.format(seconds=f"{grace_s:.0f}")
        self._program_lines.addWidget(parts.label(words, "bad" if still_running else ""))
        self._program_lines.addSpacing(4)
        names = sorted({(text.program_name(program.name, program.copy_of), program.path) for program in programs})
        for name, path in names:
            self._program_lines.addWidget(_program_line(name, path))
        announce(self, f"{text.PROGRAMS_HEADING}: {text.join_words([name for name, _ in names])}. {words}")

    def show_result(self, *, good: bool, programs: bool, take_focus: bool = True) -> None:
        """All checks are in; where somebody is just picking a device, the focus stays."""
        self.go_button.setText(text.CHECKS_CLOSE if programs else text.CHECKS_GO)
        self.go_button.setAccessibleName(self.go_button.text())
        words = text.CHECKS_GOOD if good else text.CHECKS_BAD
        self._say("" if good and programs else words, "good" if good else "bad", go=good, again=True)
        if take_focus:
            (self.go_button if good else self.again_button).setFocus()

    def show_closing(self) -> None:
        """The programs are being ended."""
        self._say(text.CHECKS_RUNNING, "muted", go=False, again=False)

    def _say(self, words: str, role: str, *, go: bool, again: bool) -> None:
        self.result.setText(words)
        parts.set_role(self.result, role)
        announce(self, words)
        if not go and not again:
            self.leave_button.setFocus()  # the others are about to be switched off, and the keyboard must be somewhere
        self.go_button.setEnabled(go)
        self.again_button.setEnabled(again)


def _program_line(name: str, path: str) -> QFrame:
    line = parts.frame("line")
    across = parts.row(line, spacing=10)
    across.addWidget(Picture("program", "muted", 20), 0, Qt.AlignmentFlag.AlignTop)
    words = parts.column(spacing=0)
    words.addWidget(parts.label(name, "heading"))
    words.addWidget(parts.label(_breakable(path), "muted"))
    across.addLayout(words, 1)
    return parts.readable(line, name, path)


def _breakable(path: str) -> str:
    """Return ``path`` with places where a line may end, invisible ones: a path has no blanks."""
    return path.replace("/", "/\u200b").replace("\\", "\\\u200b")
