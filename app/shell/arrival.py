"""A candidate sits down at a testing centre's seat: waits for the exam's code or link, or for the invigilator's PIN.

GUI thread, before the session and its other processes exist. Nothing is locked by the window yet: the kiosk session
itself is what keeps the candidate here.
"""

from PySide6.QtCore import QEventLoop, QObject

from app.contract.errors import UserFacing
from app.contract.times import Clock
from app.shell import text
from app.shell.quitting import Answer, QuitCode
from app.shell.screens.overlay import Question
from app.shell.stage import Stage
from app.station import Station


class Arrival(QObject):
    """Shows the start page until it has a link, or the invigilator has ended the kiosk."""

    def __init__(self, stage: Stage, station: Station, clock: Clock) -> None:
        super().__init__()
        self._stage = stage
        self._station = station
        self._pin = QuitCode(station.pin, clock)
        self._link: str | None = None
        self._loop = QEventLoop()
        self.screen = stage.show_start(
            seat=station.seat, has_own=bool(station.own_link), may_end=station.pin is not None
        )
        self.screen.entered.connect(self.enter)
        self.screen.own_wanted.connect(lambda: self.enter(station.own_link))
        self.screen.left.connect(lambda: self._ask_for_pin(text.PIN_LINE))
        self.screen.field.setFocus()

    def wait(self) -> str | None:
        """Return the link of the exam to open; ``None`` when the invigilator ends the kiosk."""
        self._loop.exec()
        return self._link

    def enter(self, entered: str) -> None:
        """Go on with what was entered, if it is an exam."""
        try:
            self._link = self._station.link_for(entered)
        except UserFacing as error:
            self.screen.refuse(str(error))
            return
        self._loop.quit()

    def _ask_for_pin(self, line: str) -> None:
        question = Question(title=text.PIN_TITLE, line=line, yes=text.PIN_GO, no=text.CANCEL, field="", secret=True)
        self._stage.overlay.put(question, self._take_pin)

    def _take_pin(self, pin: str | None) -> None:
        if pin is None:
            self.screen.field.setFocus()
            return
        if self._pin.attempt(pin) is not Answer.RIGHT:
            self._ask_for_pin(text.PIN_WRONG)
            return
        if self._station.release_file is not None:
            self._station.release_file.touch(mode=0o600)
        self._loop.quit()
