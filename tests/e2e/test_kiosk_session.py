"""A testing centre's seat as it is: one candidate after another under the real compositor, and what is left of each."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import psutil
import pytest

from app.contract import canonical
from app.contract.codes import stored_form
from app.contract.incidents import Track
from app.contract.journal import EntryType
from app.contract.sealing.archive import open_export
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment
from app.contract.sealing.verify import verify_session
from app.demo.examine import Findings, examine
from app.demo.institution import EXAM
from app.demo.processes import Program, answers, free_port, server_command, wait_until
from app.recorder.marks import FINISHED, mark_handed_in
from tests.e2e.kiosk_seat import ACCOUNT, INSIDE, KIOSK, ROOT, Seat, require
from tests.e2e.stage import Stage, stage, write_camera, write_microphone

_ASK = "from lockdown import select; print(select.tier(), select.session_type())"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EXAM_S = 10
STRANGER, STRANGER_S = "sleep", "3"
# A program on the seat's display with all its variables, on its account even, but not started by its compositor.
FORGERY = (sys.executable, "-c", f"import sys; sys.path[:0] = ['{ROOT}']; {_ASK}")
PIN = "271828"
CUT_SHORT = "Grace Example"
DEADLINE_S = 150.0
PICTURES = INSIDE / "evidence" / "pictures"


@dataclass(slots=True)
class Day:
    """What a day at the seat left: a candidate whose turn a power cut ended, the next one, and the invigilator."""

    stage: Stage
    seat: Seat
    link_of: dict[str, str] = field(default_factory=dict)
    exit_codes: list[int] = field(default_factory=list)
    homes: list[list[str]] = field(default_factory=list)
    exam_picture: Path | None = None
    start_picture: Path | None = None
    forged: list[str] = field(default_factory=list)
    cut_short: dict[str, Any] = field(default_factory=dict)

    def row_of(self, candidate: str) -> dict[str, Any]:
        """Return what the server says of ``candidate``."""
        rows = self.stage.examiner.get("sessions")["sessions"]
        found: dict[str, Any] = next(row for row in rows if row["candidate"] == candidate)
        return found

    def evidence_of(self, candidate: str) -> tuple[Findings, list[np.ndarray[Any, Any]]]:
        """Open what the server has of ``candidate`` as an examiner would; also some pictures of the screen."""
        session = self.row_of(candidate)["session"]
        export = self.stage.folder / f"{session}.zip"
        self.stage.examiner.download(f"sessions/{session}/export", export)
        ours = self.stage.institution
        return examine(export, pin=ours.pin, private_key=ours.examiner_key), _screens(export, ours.examiner_key)


def _screens(export: Path, key: Any) -> list[np.ndarray[Any, Any]]:
    """Return the first picture of each segment of the screen."""
    segments: list[bytes] = []

    def look(record: Record, opened: OpenedSegment | None) -> None:
        if record.track is Track.SCREEN and opened is not None:
            segments.append(b"".join(opened.fragments))

    with open_export(export) as archive:
        verify_session(archive.manifest(), archive, pin=None, private_key=key, on_segment=look)
    return [_first_picture(segment, export.parent) for segment in segments]


def _first_picture(media: bytes, folder: Path) -> np.ndarray[Any, Any]:
    file = folder / "segment.mp4"
    file.write_bytes(media)
    with av.open(str(file)) as container:
        return next(container.decode(video=0)).to_ndarray(format="bgr24")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    require()
    folder = tmp_path_factory.mktemp("seat")
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    with stage(folder, exam_site=site) as running:
        command = [*server_command(), "demo-exam", "--port", str(port), "--gate", running.server]
        with Program("exam site", [*command, "--rehearse", str(EXAM_S)], folder / "exam.log") as exam:
            wait_until(lambda: answers(f"{site}/"), what="The exam site", program=exam)
            yield _a_day(running, folder / "place")


def _a_day(running: Stage, place: Path) -> Day:
    place.mkdir()
    added = running.examiner.post(f"exams/{EXAM}/candidates", {"name": "Alan Second"})["link"]
    pin = canonical.b64(stored_form(PIN))
    codes = f'[links]\nK7QF = "{running.institution.link}"\nM2XA = "{added}"\n'
    seat = Seat(place, f'account = "fairlock-kiosk"\npin = "{pin}"\n{codes}')
    write_camera(place / "camera.avi")
    write_microphone(place / "microphone.wav")
    day = Day(running, seat)
    samples = ["--sample-camera", str(INSIDE / "camera.avi"), "--sample-microphone", str(INSIDE / "microphone.wav")]
    arguments = ["--rehearse", "--prefer-samples", *samples, "--screenshots", str(PICTURES)]
    with seat.turn(*arguments) as turn:
        _sit_down(day, turn, "k7qf")
        _until(seat.shows_exam, "the first exam", day)
        (seat.home / "notes.txt").write_text("what the next candidate must not find")
        _until(lambda: _has_recorded(seat, Track.SCREEN), "something to be recorded", day)
        _cut_the_power()
    shutil.rmtree(seat.evidence / "pictures")
    with seat.turn(*arguments) as turn:
        day.start_picture = _sit_down(day, turn, "m2xa")
        _until(seat.shows_exam, "the second exam", day)
        day.exam_picture = seat.picture(turn, "exam.png")
        seat.join(turn, STRANGER, STRANGER_S)
        day.exit_codes.append(turn.wait(DEADLINE_S))
    day.cut_short = day.row_of(CUT_SHORT)
    (folder,) = (path for path in (seat.evidence / "data" / "sessions").iterdir() if not (path / FINISHED).exists())
    mark_handed_in(folder)  # as if the power had been cut a little later: what is left is nobody's to go on with
    with seat.turn() as turn:
        _started(day, turn)
        _until((folder / FINISHED).exists, "what was handed in to be sent", day)
        day.forged = seat.join(turn, *FORGERY).stdout.split()
        seat.join(turn, "xdotool", "key", "Tab", "space")
        _type(seat, turn, "314159")
        _until(lambda: _ends_by(seat, turn, PIN), "the PIN to end the kiosk", day)
        day.exit_codes.append(turn.wait(DEADLINE_S))
    return day


def _has_recorded(seat: Seat, track: Track) -> bool:
    """Whether a piece of ``track`` is on the disk: more than what a segment begins with."""
    with suppress(FileNotFoundError):  # a segment that is whole gets another name
        begun = (seat.evidence / "data" / "sessions").glob(f"*/spool/*-{track}-*")
        return any(path.stat().st_size > 8_192 for path in begun)
    return False


def _ends_by(seat: Seat, turn: "subprocess.Popen[bytes]", pin: str) -> bool:
    """Type ``pin`` as an invigilator does whom a wrong one made wait: until it counts."""
    if turn.poll() is None:
        _type(seat, turn, pin)
    with suppress(subprocess.TimeoutExpired):
        turn.wait(1)
    return turn.poll() is not None


def _started(day: Day, turn: "subprocess.Popen[bytes]") -> None:
    """Wait for the start page, and note what is in the fresh home."""

    def has_page() -> bool:
        assert turn.poll() is None, day.seat.log()
        found = day.seat.join(turn, "xdotool", "search", "--onlyvisible", "--name", "^Fairlock$")
        return found.returncode == 0

    _until(has_page, "the start page", day)
    day.homes.append(sorted(entry.name for entry in day.seat.home.iterdir()))


def _sit_down(day: Day, turn: "subprocess.Popen[bytes]", code: str) -> Path:
    _started(day, turn)
    picture = day.seat.picture(turn, "start.png")
    _type(day.seat, turn, "wrong")
    _type(day.seat, turn, code)
    return picture


def _type(seat: Seat, turn: "subprocess.Popen[bytes]", words: str) -> None:
    seat.join(turn, "xdotool", "type", "--delay", "40", words)
    seat.join(turn, "xdotool", "key", "Return")


def _cut_the_power() -> None:
    """End everything of the seat's account at once, as a power cut does."""
    for process in psutil.process_iter():
        try:
            if process.uids().real == ACCOUNT:
                process.send_signal(signal.SIGKILL)
        except psutil.Error:
            continue


def _until(condition: Callable[[], bool], what: str, day: Day) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}\n{day.seat.log()}"
        time.sleep(0.2)


def test_a_turn_ends_with_its_exam_and_with_86_when_the_invigilator_ended_the_kiosk(day: Day) -> None:
    assert day.exit_codes == [0, 86], day.seat.log()


def test_each_candidate_finds_a_clean_home(day: Day) -> None:
    assert len(day.homes) == 3
    assert not [name for names in day.homes for name in names if not name.startswith(".")], day.homes


def test_the_evidence_is_whole_and_of_tier_a(day: Day) -> None:
    findings, _ = day.evidence_of("Alan Second")
    assert findings.verdict.chain == "intact", findings.verdict.faults
    assert findings.verdict.complete
    (lock,) = findings.bodies(EntryType.LOCKDOWN)
    assert (lock["tier"], lock["platform"], lock["doubts"]) == ("A", "linux-kiosk", [])
    held = set(_texts(lock["holding"]))
    assert {"kiosk", "input_guard", "clipboard_guard", "process_watch", "window_watch", "display_watch"} <= held, lock


def test_somebody_who_joins_the_seat_is_seen_and_the_environment_makes_no_seat(day: Day) -> None:
    findings, _ = day.evidence_of("Alan Second")
    names = [str(body["facts"]["name"]) for body in findings.incidents if body["kind"] == "process_unknown"]  # type: ignore[index,call-overload]
    assert {STRANGER, "sh"} & set(names), "neither it nor the shell that became it was seen"
    assert day.forged == ["C", "wayland"]


def _texts(value: object) -> Sequence[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def test_the_recorded_screen_shows_the_exam(day: Day) -> None:
    findings, screens = day.evidence_of("Alan Second")
    assert findings.decoded_seconds["screen"] >= EXAM_S - 3
    assert day.exam_picture is not None
    seen = cv2.imread(str(day.exam_picture))
    assert seen is not None
    assert screens
    for screen in screens:
        rows, columns = screen.shape[:2]
        difference = cv2.absdiff(cv2.resize(seen, (columns, rows), interpolation=cv2.INTER_AREA), screen)
        assert screen.std() > 10, "a black or empty screen was recorded"
    assert float(np.mean(difference)) < 25, "the last pictures are far from what the display showed"


def test_who_lost_a_turn_to_a_power_cut_may_go_on(day: Day) -> None:
    assert f"Exam of {CUT_SHORT}" in day.seat.log(), "no turn came across it"
    assert (day.cut_short["ended"], day.cut_short["complete"]) == (False, False)


def test_what_was_handed_in_before_a_power_cut_is_sent_by_the_next_turn(day: Day) -> None:
    findings, _ = day.evidence_of(CUT_SHORT)
    assert findings.verdict.chain == "intact", findings.verdict.faults
    assert findings.verdict.complete, day.seat.log()
    assert findings.recorded_seconds["screen"] > 0


def test_the_seat_s_program_files_name_nothing_that_is_not_there(tmp_path: Path) -> None:
    """The unit as systemd itself reads it, over the files as they are installed."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    units = Path("/usr/lib/systemd/system")
    root = tmp_path / "root"
    shutil.copytree(units, root / units.relative_to("/"), symlinks=True)
    subprocess.run([str(KIOSK / "install.sh"), "--root", str(root), "--fairlock", "/usr/bin/env"], check=True)
    command = ["systemd-analyze", "verify", "--man=no", f"--root={root}", "fairlock-kiosk.service"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    unit = (root / "usr/lib/systemd/system/fairlock-kiosk.service").read_text()
    entry = (root / "usr/share/wayland-sessions/fairlock-kiosk.desktop").read_text()
    for named in re.findall(r"^Exec\w*=\+?(\S+)$", unit + entry, re.MULTILINE):
        assert os.access(root / named.lstrip("/"), os.X_OK), named


def test_what_the_administrator_wrote_is_not_overwritten(tmp_path: Path) -> None:
    command = [str(KIOSK / "install.sh"), "--root", str(tmp_path), "--fairlock", "/usr/bin/env"]
    subprocess.run(command, check=True)
    (tmp_path / "etc/fairlock/kiosk.toml").write_text("mine")
    subprocess.run(command, check=True)
    assert (tmp_path / "etc/fairlock/kiosk.toml").read_text() == "mine"
