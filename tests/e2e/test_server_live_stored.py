"""What came live is stored without being sent again, through the same checks; where some of it lacks it is sent."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from app.clock import ManualClock
from app.contract import live
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.keys import load_ed25519
from app.contract.sealing.records import RECEIPT_TYPE, Receipt
from server import setup
from server.exams import upload
from server.exams.blocks import Blocks
from server.live import kept
from server.storage.base import StorageFull
from server.storage.filesystem import FileUpload
from tests.e2e.live_rig import pieces_of, pushed, put_live
from tests.e2e.server_rig import PASSWORD, Application, Institution, opened, timed


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    data = tmp_path_factory.mktemp("server") / "data"
    setup.prepare(data, admin="ada", password=PASSWORD)
    with timed(data, ManualClock()) as url:
        yield data, url


@pytest.fixture(scope="module")
def institution(served: tuple[Path, str]) -> Iterator[Institution]:
    with httpx.Client(base_url=served[1], trust_env=False, timeout=30) as http:
        yield opened(http, "live")


@pytest.fixture
def app(institution: Institution) -> Application:
    return institution.seat("live")


@pytest.fixture
def folder(served: tuple[Path, str], app: Application) -> Path:
    return served[0] / "sessions" / app.session


def _refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_what_came_live_is_stored_without_being_sent_again(app: Application, folder: Path) -> None:
    for _ in range(2):
        record, data = app.seal(Track.CAMERA, size=2_500_000)
        for piece in pieces_of(record, data, size=600_000):
            pushed(app, [piece])
        answer = put_live(app, record)
        assert answer.status_code == 201, answer.text
        key = load_ed25519(app.policy.server.receipt_key)
        receipt = jws.verify(Receipt, answer.json()["receipt"], key, typ=RECEIPT_TYPE)
        assert (receipt.record, receipt.size) == (jws.digest(record), len(data))
        again = put_live(app, record)
        assert (again.status_code, again.json()["receipt"]) == (200, answer.json()["receipt"])
    assert max(folder.iterdir(), key=lambda path: path.name).read_bytes() == data
    assert app.end(app.end_token()).completion is not None


def test_many_tiny_pieces_are_stored_in_one_block(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[int] = []

    class Counted(Blocks):
        def __init__(self, body: AsyncIterator[bytes], size: int) -> None:
            async def each() -> AsyncIterator[bytes]:
                async for block in body:
                    handed.append(len(block))
                    yield block

            super().__init__(each(), size)

    monkeypatch.setattr(upload, "Blocks", Counted)
    record, data = app.seal(Track.CAMERA)
    pieces = pieces_of(record, data, size=len(data) // 400 + 1)
    for at in range(0, len(pieces), live.MAX_PIECES):
        pushed(app, pieces[at : at + live.MAX_PIECES])
    assert put_live(app, record).status_code == 201
    assert handed == [len(data)]
    # Beyond so many none is kept any more, and the file is asked for.
    record, data = app.seal(Track.CAMERA)
    pieces = pieces_of(record, data, size=len(data) // (2 * kept.PIECES))
    for at in range(0, len(pieces), live.MAX_PIECES):
        pushed(app, pieces[at : at + live.MAX_PIECES])
    assert _refused(put_live(app, record)) == (428, "E-LIVE")


def test_what_did_not_come_whole_is_asked_for(app: Application, folder: Path) -> None:
    record, data = app.seal(Track.SCREEN)
    pieces = pieces_of(record, data)
    assert _refused(put_live(app, record)) == (428, "E-LIVE")
    pushed(app, pieces[:-1])
    assert _refused(put_live(app, record)) == (428, "E-LIVE")
    assert not list(folder.glob("*"))
    assert app.put(record, data).status_code == 201
    pushed(app, pieces[-1:])
    assert put_live(app, record).status_code == 200


def test_other_bytes_than_the_records_are_refused_and_leave_nothing(app: Application, folder: Path) -> None:
    record, data = app.seal(Track.CAMERA)
    pushed(app, pieces_of(record, data[:-1] + bytes([data[-1] ^ 1])))
    assert _refused(put_live(app, record)) == (422, "E-RECORD")
    assert not list(folder.glob("*"))
    assert app.put(record, data).status_code == 201


def test_what_another_session_pushed_is_nobody_elses(institution: Institution, app: Application) -> None:
    record, data = app.seal(Track.CAMERA)
    pushed(institution.seat("live"), pieces_of(record, data))
    assert _refused(put_live(app, record)) == (428, "E-LIVE")


def test_what_is_never_pushed_can_not_have_come_live(app: Application) -> None:
    record, _data = app.seal(Track.JOURNAL)
    assert _refused(put_live(app, record)) == (428, "E-LIVE")


def test_only_the_sessions_own_program_has_it_stored(app: Application, institution: Institution) -> None:
    record, data = app.seal(Track.CAMERA)
    pushed(app, pieces_of(record, data))
    app.bound = institution.seat("live").bound
    assert _refused(put_live(app, record)) == (401, "E-NOT-SIGNED-IN")


def test_a_store_that_fails_costs_nothing_that_came(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    record, data = app.seal(Track.CAMERA)
    pushed(app, pieces_of(record, data))

    def full(_self: FileUpload) -> None:
        raise StorageFull("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(FileUpload, "publish", full)
        assert _refused(put_live(app, record)) == (503, "E-STORAGE")
    assert put_live(app, record).status_code == 201
