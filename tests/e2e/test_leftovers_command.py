"""``fairlock upload``: sends what is over, leaves alone what its link goes on with, and minds no folder but its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.clock import SystemClock
from app.contract.incidents import IncidentKind
from app.recorder.leftovers import ENDING, main
from app.recorder.marks import FINISHED, mark_handed_in
from app.recorder.recording import Recording
from tests.e2e import server_rig
from tests.e2e.server_rig import Institution
from tests.e2e.test_leftovers_background import leave, spoil

EXAM = "command"
OPEN, OVER, BAD = "Ada Lovelace", "Emmy Noether", "Sofja Kowalewskaja"


@pytest.fixture(scope="module")
def institution(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    data = tmp_path_factory.mktemp("server") / "data"
    server_rig.prepare(data)
    with server_rig.running(data) as server, httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:
        institution = Institution(http)
        institution.sign_in()
        institution.exam(EXAM)
        yield institution


@pytest.fixture
def left(institution: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    monkeypatch.setenv("FAIRLOCK_HOME", str(tmp_path))
    return lambda candidate: leave(tmp_path / "data", institution.invite(EXAM, candidate), SystemClock())


def ended(institution: Institution, candidate: str) -> bool:
    rows = institution.call("GET", f"/api/v1/sessions?exam={EXAM}")["sessions"]
    return bool(next(row["ended"] for row in rows if row["candidate"] == candidate))


def test_what_can_be_taken_up_again_is_left_alone_unless_somebody_says_so(
    institution: Institution, left: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = left(OPEN)
    assert main([]) == 1, "something is left"
    assert ENDING in capsys.readouterr().out
    assert not ended(institution, OPEN)
    assert list((folder / "spool").glob("*.fls"))
    assert main(["--end"]) == 0
    assert ended(institution, OPEN)
    assert (folder / FINISHED).exists()


def test_a_bad_folder_is_said_and_the_others_are_sent_without_an_incident(
    institution: Institution,
    left: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good, bad = left(OVER), left(BAD)
    for folder in (good, bad):
        mark_handed_in(folder)
    spoil(bad, "lock")
    incidents = list[int]()
    close = Recording.close

    def counted(recording: Recording) -> None:
        incidents.append(recording.journal.incidents)
        close(recording)

    monkeypatch.setattr(Recording, "close", counted)
    assert main([]) == 1
    assert f"{bad} can't be worked on" in capsys.readouterr().out
    assert ended(institution, OVER)
    assert (good / FINISHED).exists()
    assert incidents == [0], f"sending makes no {IncidentKind.COMPONENT_RESTARTED}"
