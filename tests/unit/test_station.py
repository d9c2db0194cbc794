"""A testing centre's seat: settings are read strictly, the start page takes codes and links, a PIN alone ends it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from app import kiosk, station
from app.clock import ManualClock
from app.contract import canonical
from app.contract.codes import stored_form
from app.contract.errors import UserFacing
from app.contract.wire import ExamLink
from app.shell import text, theme
from app.shell.appearance import Appearance
from app.shell.arrival import Arrival
from app.shell.kiosk import ShellWindow
from app.shell.stage import Stage
from app.station import Station
from tests.unit import shell_parts  # noqa: F401  (Qt without a screen)

LINK = ExamLink(server="https://exams.example", exam="algebra", invite="i", pin="p" * 43).url()
PIN = "271828"
STORED = stored_form(PIN)


def _read(tmp_path: Path, said: str) -> Station:
    file = tmp_path / "kiosk.toml"
    file.write_text(said)
    return station.read(file, seat="r1-07")


def test_what_the_settings_say(tmp_path: Path) -> None:
    pin = canonical.b64(STORED)
    read = _read(tmp_path, f'account = "x"\npin = "{pin}"\n[links]\nk7qf = "{LINK}"\nr1-07 = "{LINK}"\n')
    assert (read.pin, read.seat, read.own_link) == (STORED, "r1-07", LINK)
    assert read.link_for(" K7qF ") == LINK
    assert read.link_for(LINK) == LINK


def test_without_settings_only_links_are_taken_and_nothing_ends_the_kiosk(tmp_path: Path) -> None:
    read = station.read(tmp_path / "none.toml")
    assert (dict(read.links), read.pin, read.own_link) == ({}, None, "")
    assert read.seat


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("pinn = 'x'", "pinn"),
        ("pin = 'short'", "make-pin"),
        ("pin = 271828", "make-pin"),
        ("pin = '*'", "make-pin"),
        ("links = 'all'", "table of code = link"),
        ("[links]\nA = 1", "table of code = link"),
        ("[links]\nA = 'https://exams.example'", "under 'A' is no exam link"),
        ("not toml", "can't be read"),
    ],
)
def test_settings_that_mean_nothing_are_refused(said: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UserFacing, match=why) as refused:
        _read(tmp_path, said)
    assert refused.value.code == "E-SEAT"
    assert refused.value.advice


@pytest.mark.parametrize("entered", ["", "NOPE", "fairlock://join?server=x", "https://exams.example/"])
def test_what_is_no_exam_is_refused_with_a_sentence(entered: str) -> None:
    with pytest.raises(UserFacing) as refused:
        Station(links={"K7QF": LINK}).link_for(entered)
    assert refused.value.advice


def test_a_seat_takes_no_exam_that_a_candidate_made() -> None:
    seat = Station(links={"K7QF": LINK})
    whole = ExamLink.parse(LINK)
    other = replace(whole, exam="geometry", invite="j").url()
    assert seat.link_for(other) == other
    for strange in (replace(whole, server="https://mine.example"), replace(whole, pin="q" * 43)):
        with pytest.raises(UserFacing, match="not for exams from there"):
            seat.link_for(strange.url())
        assert Station().link_for(strange.url()) == strange.url()


@pytest.mark.parametrize(("first", "second", "code"), [(PIN, PIN, 0), ("12345", "12345", 1), (PIN, "271829", 1)])
def test_a_pin_is_kept_as_a_digest(
    first: str, second: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter([first, second])
    monkeypatch.setattr(kiosk, "getpass", lambda _prompt: next(typed))
    assert kiosk.main(["--make-pin"]) == code
    said = capsys.readouterr()
    assert PIN not in said.out
    assert said.out.startswith('pin = "') is (code == 0)
    assert bool(said.err) is (code != 0)


@pytest.fixture
def stage(qapp: QApplication) -> Iterator[Stage]:
    window = ShellWindow(ManualClock(), windowed=True)
    made = Stage(window, Appearance(qapp, theme.LIGHT))
    window.show_ordinary()
    yield made
    made.dispose()
    if shiboken6.isValid(window):
        shiboken6.delete(window)


class Seat:
    """The start page of a seat, and what somebody does there."""

    def __init__(self, stage: Stage, clock: ManualClock, release_file: Path) -> None:
        settings = Station(links={"K7QF": LINK, "R1-07": LINK}, pin=STORED, seat="r1-07", release_file=release_file)
        self.stage = stage
        self.arrival = Arrival(stage, settings, clock)

    def press(self, words: str) -> None:
        """Press a button of the page or of the question before it."""
        found = [one for one in self.stage.window.findChildren(QPushButton) if one.text() == words and one.isVisible()]
        found[-1].click()

    def answer(self, pin: str) -> None:
        """Type a PIN."""
        self.press(text.START_INVIGILATOR)
        self.stage.overlay.findChildren(QLineEdit)[-1].setText(pin)
        self.press(text.PIN_GO)

    def then(self, *steps: Callable[[], object]) -> str | None:
        """Do ``steps`` one after another while the page waits."""
        for delay, step in enumerate(steps):
            QTimer.singleShot(20 * (delay + 1), step)
        return self.arrival.wait()


def test_a_code_opens_its_exam_after_one_that_is_none(stage: Stage, tmp_path: Path) -> None:
    seat = Seat(stage, ManualClock(), tmp_path / "released")
    refusals: list[str] = []

    def wrong() -> None:
        seat.arrival.screen.field.setText("nope")
        seat.press(text.START_GO)
        refusals.append(seat.arrival.screen.refusal.text())

    def right() -> None:
        seat.arrival.screen.field.setText("k7qf")
        seat.arrival.screen.field.returnPressed.emit()

    assert seat.then(wrong, right) == LINK
    assert refusals[0].startswith("There is no exam under this code.")
    assert not (tmp_path / "released").exists()


def test_the_seat_s_own_exam_needs_no_code(stage: Stage, tmp_path: Path) -> None:
    seat = Seat(stage, ManualClock(), tmp_path / "released")
    assert seat.then(lambda: seat.press(text.START_OWN)) == LINK


def test_only_the_pin_ends_the_kiosk_and_a_wrong_one_makes_it_wait(stage: Stage, tmp_path: Path) -> None:
    clock = ManualClock()
    seat = Seat(stage, clock, tmp_path / "released")
    ended: list[bool] = []

    def note() -> None:
        ended.append((tmp_path / "released").exists())

    def again(pin: str) -> None:
        stage.overlay.findChildren(QLineEdit)[-1].setText(pin)
        seat.press(text.PIN_GO)

    steps = [
        lambda: seat.answer("314159"),
        note,
        lambda: again(PIN),
        note,
        lambda: clock.advance(3),
        lambda: again(PIN),
    ]
    assert seat.then(*steps) is None
    assert ended == [False, False]  # wrong, and then right but too soon
    assert (tmp_path / "released").exists()


def test_without_a_pin_there_is_no_way_out(stage: Stage) -> None:
    Arrival(stage, Station(seat="r1-07"), ManualClock())
    assert text.START_INVIGILATOR not in [button.text() for button in stage.window.findChildren(QPushButton)]


def test_alone_under_its_compositor_the_window_may_be_larger_than_a_display_and_covers_none(qapp: QApplication) -> None:
    for alone, fills in ((False, False), (True, True)):
        window = ShellWindow(ManualClock(), alone=alone)
        window.show()
        screen = window.screen().geometry()
        window.setGeometry(screen.adjusted(0, 0, screen.width(), 0))
        assert window._fills_screen() is fills
        window.allow_close()
        window.close()
        shiboken6.delete(window)  # its timers must not outlive it in an event loop of the tests that follow
    assert qapp is not None
