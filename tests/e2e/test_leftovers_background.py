"""What an earlier exam left is sent by itself when the next one is prepared, and never in its way."""

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import httpx
import pytest

from app import messages as m
from app.clock import ManualClock, SystemClock
from app.contract.policy import Capture, Upload
from app.contract.times import Clock
from app.contract.wire import ExamLink
from app.recorder import background as background_module
from app.recorder import leftovers
from app.recorder.background import BackgroundUpload
from app.recorder.client import ServerClient
from app.recorder.detection import DetectionChoice
from app.recorder.joining import SavedSession, join, start_timeline
from app.recorder.leftovers import OnProgress
from app.recorder.marks import FINISHED, mark_handed_in
from app.recorder.options import RecorderOptions
from app.recorder.process import main as recorder_main
from app.recorder.recording import Recording, RecordingParts
from app.recorder.sources import Sources
from app.supervisor import Supervisor
from tests.e2e import server_rig
from tests.e2e.server_rig import Institution, timed

DEADLINE_S = 60.0
NOWHERE = "http://127.0.0.1:9"


class Network:
    """A network that costs nothing, or as much as the test says; tells when somebody has asked."""

    def __init__(self, *, metered: bool = False) -> None:
        self.metered, self.asked = metered, threading.Event()

    def is_metered(self) -> bool:
        self.asked.set()
        return self.metered


@pytest.fixture(autouse=True)
def _short_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_module, "NAP_S", 0.05)


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a server's folder as it is after ``init``, to be copied."""
    made = tmp_path_factory.mktemp("server") / "data"
    server_rig.prepare(made)
    return made


@pytest.fixture(scope="module")
def institution(data: Path, clock: ManualClock) -> Iterator[Institution]:
    with (
        timed(copytree(data, data.parent / "timed"), clock) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as http,
    ):
        institution = Institution(http)
        institution.sign_in()
        yield institution


def leave(home: Path, link: ExamLink, clock: Clock) -> Path:
    """Join, write a journal that no server takes, and be gone; return the session's folder."""
    joined = join(ServerClient(link.server), link, program_token=secrets.token_bytes(32), home=home, clock=clock)
    recording = Recording(
        RecordingParts(
            joined=start_timeline(joined, clock),
            client=ServerClient(NOWHERE),
            sources=Sources(),
            detection=DetectionChoice(),
            clock=clock,
            options=RecorderOptions(home=home),
        )
    )
    recording.start()
    recording.stop()
    recording.close()
    assert list((joined.folder / "spool").glob("*.fls"))
    return joined.folder


class Sending:
    """The real sending, or one that goes on until it is told to stop; counts, and says when something happened."""

    def __init__(self, *, endless: bool = False) -> None:
        self.tried: list[Path] = []
        self.begun, self.ended = threading.Event(), threading.Event()
        self._endless = endless

    def __call__(
        self, folder: Path, saved: SavedSession, clock: Clock, *, deadline_s: float, on_progress: OnProgress
    ) -> bool:
        self.tried.append(folder)
        self.begun.set()
        try:
            while self._endless:
                on_progress(0, 1)
            return leftovers.send(folder, saved, clock, deadline_s=deadline_s, on_progress=on_progress)
        finally:
            self.ended.set()


def background(
    home: Path, clock: Clock, sending: Sending, *, present: Path = Path(), network: Network | None = None
) -> BackgroundUpload:
    return BackgroundUpload(home, present, clock, send=sending, metering=network or Network())


def passes_until(event: threading.Event, clock: ManualClock) -> bool:
    """Let time pass on ``clock`` until something happened; whether it did."""
    for _ in range(round(DEADLINE_S / 0.1)):
        if event.wait(0.1):
            return True
        clock.advance(background_module.LOOK_S / 10)
    return False


def test_a_session_that_was_handed_in_is_sent_and_ended(
    institution: Institution, tmp_path: Path, clock: ManualClock
) -> None:
    institution.exam("handed-in")
    folder = leave(tmp_path / "home", institution.invite("handed-in"), clock)
    mark_handed_in(folder)
    sending = Sending()
    upload = background(tmp_path / "home", clock, sending)
    upload.start()
    assert sending.ended.wait(DEADLINE_S)
    assert upload.end(DEADLINE_S)
    assert (folder / FINISHED).exists()
    assert not list((folder / "spool").glob("*.fls"))
    (row,) = institution.call("GET", "/api/v1/sessions?exam=handed-in")["sessions"]
    assert row["complete"]


def test_a_session_that_may_be_taken_up_again_is_left_alone_until_its_exam_is_over(
    institution: Institution, tmp_path: Path, clock: ManualClock
) -> None:
    institution.exam("taken-up", expires_ms=clock.now().utc_ms + 3_600_000)
    leave(tmp_path / "home", institution.invite("taken-up"), clock)
    sending = Sending()
    upload = background(tmp_path / "home", clock, sending)
    upload.start()
    upload._thread.join(DEADLINE_S)  # ends by itself, with nothing to send; `end` would keep it from trying anything
    assert upload.end(0)
    assert sending.tried == []
    clock.advance(3_601)
    again = background(tmp_path / "home", clock, sending)
    again.start()
    assert sending.begun.wait(DEADLINE_S)
    again.end(DEADLINE_S)


@pytest.mark.parametrize("trouble", ["lock", "chain"])
def test_a_folder_that_nobody_can_work_in_keeps_no_other_from_being_sent(
    institution: Institution, tmp_path: Path, clock: ManualClock, trouble: str
) -> None:
    institution.exam(f"bad-{trouble}")
    folders = [
        leave(tmp_path / "home", institution.invite(f"bad-{trouble}", name), clock)
        for name in ("Ada Lovelace", "Emmy Noether")
    ]
    for folder in folders:
        mark_handed_in(folder)
    bad, good = sorted(folders)
    spoil(bad, trouble)
    sending = Sending()
    upload = background(tmp_path / "home", clock, sending)
    upload.start()
    upload._thread.join(DEADLINE_S)
    assert sending.tried == [bad, good]
    assert (good / FINISHED).exists()
    assert not (bad / FINISHED).exists()


def spoil(folder: Path, name: str) -> None:
    """Put something in the place of a session's file that nobody can open as one."""
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir()


def test_the_session_at_hand_is_not_its_business(institution: Institution, tmp_path: Path, clock: ManualClock) -> None:
    institution.exam("at-hand")
    folder = leave(tmp_path / "home", institution.invite("at-hand"), clock)
    mark_handed_in(folder)
    sending = Sending()
    upload = background(tmp_path / "home", clock, sending, present=folder)
    upload.start()
    upload._thread.join(DEADLINE_S)
    assert sending.tried == []


def test_it_waits_for_a_network_that_costs_nothing_where_the_policy_minds(
    institution: Institution, tmp_path: Path, clock: ManualClock
) -> None:
    institution.exam("metered", upload=Upload(pause_when_metered=True))
    folder = leave(tmp_path / "home", institution.invite("metered"), clock)
    mark_handed_in(folder)
    sending, network = Sending(), Network(metered=True)
    upload = background(tmp_path / "home", clock, sending, network=network)
    upload.start()
    for _ in range(2):  # once at the start, and again later
        assert passes_until(network.asked, clock)
        network.asked.clear()
    assert sending.tried == []
    network.metered = False
    assert passes_until(sending.begun, clock)
    assert sending.ended.wait(DEADLINE_S)  # its hour is not over while a slow machine sends
    assert upload.end(DEADLINE_S)
    assert (folder / FINISHED).exists()


def test_it_stops_when_the_network_begins_to_cost_and_goes_on_when_it_no_longer_does(
    institution: Institution, tmp_path: Path, clock: ManualClock
) -> None:
    institution.exam("becomes-metered", upload=Upload(pause_when_metered=True))
    folder = leave(tmp_path / "home", institution.invite("becomes-metered"), clock)
    mark_handed_in(folder)
    sending, network = Sending(endless=True), Network()
    upload = background(tmp_path / "home", clock, sending, network=network)
    upload.start()
    assert sending.begun.wait(DEADLINE_S)
    network.metered = True
    assert passes_until(sending.ended, clock)
    sending.begun.clear()
    network.asked.clear()
    assert passes_until(network.asked, clock)
    assert sending.tried == [folder]
    network.metered = False
    assert passes_until(sending.begun, clock)
    assert upload.end(DEADLINE_S)


def test_who_does_not_mind_is_sent_over_any_network(
    institution: Institution, tmp_path: Path, clock: ManualClock
) -> None:
    institution.exam("not-minding")
    folder = leave(tmp_path / "home", institution.invite("not-minding"), clock)
    mark_handed_in(folder)
    sending, network = Sending(), Network(metered=True)
    upload = background(tmp_path / "home", clock, sending, network=network)
    upload.start()
    assert sending.ended.wait(DEADLINE_S)
    assert upload.end(DEADLINE_S)
    assert (folder / FINISHED).exists()


def test_it_gives_way_to_an_exam_and_goes_on_after_it(
    institution: Institution, tmp_path: Path, clock: ManualClock
) -> None:
    institution.exam("gives-way")
    folder = leave(tmp_path / "home", institution.invite("gives-way"), clock)
    mark_handed_in(folder)
    sending = Sending(endless=True)
    upload = background(tmp_path / "home", clock, sending)
    upload.start()
    assert sending.begun.wait(DEADLINE_S)
    upload.give_way()
    assert sending.ended.wait(DEADLINE_S)
    assert sending.tried == [folder]
    sending.begun.clear()
    upload.start()
    assert sending.begun.wait(DEADLINE_S)
    assert upload.end(DEADLINE_S)
    assert sending.tried == [folder, folder]


@pytest.mark.slow
def test_the_recorder_does_it_when_the_next_exam_is_opened(tmp_path: Path, data: Path) -> None:
    home, clock = tmp_path / "home", SystemClock()
    copy = copytree(data, tmp_path / "data")
    with server_rig.running(copy) as server, httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:
        institution = Institution(http)
        institution.sign_in()
        nothing = Capture(camera=False, screen=False, microphone=False)  # there is neither a device nor a display
        institution.exam("next", capture=nothing)
        folder = leave(home, institution.invite("next", "Emmy Noether"), clock)
        mark_handed_in(folder)
        joined, supervisor = threading.Event(), Supervisor()

        def take(message: object) -> None:
            if isinstance(message, m.Joined):
                joined.set()

        options = RecorderOptions(home=home)
        recorder = supervisor.spawn("recorder", recorder_main, options, on_message=take, on_closed=joined.set)
        try:
            link = institution.invite("next").url()
            recorder.send(m.OpenLink(link=link, program_token=secrets.token_bytes(32)))
            assert joined.wait(DEADLINE_S)
            until = clock.now().mono_ns + DEADLINE_S * 1e9
            while not (folder / FINISHED).exists():
                assert clock.now().mono_ns < until, "nothing was sent"
                clock.sleep(0.2)
        finally:
            supervisor.stop(10)
