"""Two servers on one PostgreSQL and one S3-compatible store, both real: whichever is asked, it is one session."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.clock import ManualClock
from app.contract import schema, wire
from app.contract.incidents import Track
from app.contract.policy import Retention
from app.contract.sealing import jws
from app.contract.sealing.archive import open_export
from app.contract.sealing.keys import key_id, load_ed25519
from app.contract.sealing.records import DELETION_TYPE, Deletion, Record
from app.contract.sealing.verify import INTACT, verify_session
from server import settings, setup, tokens
from server.app import open_context
from server.context import Context
from server.exams import retention
from server.storage.base import Place
from server.verification import access
from tests.e2e.server_rig import PASSWORD, Application, Institution, enter, knock, timed
from tests.e2e.server_stores import elsewhere
from tests.s3_server import BUCKET, S3Server

DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two servers and their clients; ``institution`` is signed in at the first."""

    data: tuple[Path, Path]
    clock: ManualClock
    http: tuple[httpx.Client, httpx.Client]
    institution: Institution


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder, clock = tmp_path_factory.mktemp("pair"), ManualClock()
    (folder / "server.toml").write_text(elsewhere(request))
    one, other = folder / "one", folder / "other"
    setup.prepare(one, admin="ada", password=PASSWORD, settings_file=folder / "server.toml")
    # What a second server needs: the keys and the settings.
    other.mkdir()
    shutil.copytree(one / "keys", other / "keys")
    shutil.copy(one / "server.toml", other)
    with ExitStack() as stack:
        http, http2 = (stack.enter_context(_client(stack.enter_context(timed(data, clock)))) for data in (one, other))
        institution = Institution(http)
        institution.sign_in()
        http2.cookies.update(http.cookies)
        yield Pair(data=(one, other), clock=clock, http=(http, http2), institution=institution)


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, timeout=60)


def _sit(pair: Pair, exam: str, **policy: Any) -> Application:
    pair.institution.exam(exam, **policy)
    app = Application(pair.http[0], pair.institution.invite(exam))
    app.join()
    app.bind()
    return app


def _put(http: httpx.Client, app: Application, record: str, data: bytes) -> httpx.Response:
    said = jws.unverified(Record, record)
    url = f"/api/v1/sessions/{app.session}/segments/{said.epoch}/{said.track}/{said.sequence}"
    return http.put(url, content=data, headers=app.bearer | {wire.RECORD_HEADER: record})


def test_one_session_over_two_servers(pair: Pair) -> None:
    app = _sit(pair, "both")
    first, second = pair.http
    cookie = enter(second, app.bound)
    assert knock(first, cookie).status_code == 204
    for number in range(6):
        app.http = pair.http[number % 2]
        assert app.put(*app.seal(Track.CAMERA, size=300_000)).status_code == 201
        assert not app.beat(cookie).frozen
    assert app.end(app.end_token()).completion is not None
    export = second.get(f"/api/v1/sessions/{app.session}/export").content
    path = pair.data[0] / "export.zip"
    path.write_bytes(export)
    with open_export(path) as opened:
        pin = key_id(pair.institution.key.public_key())
        verdict = verify_session(opened.manifest(), opened, pin=pin, private_key=pair.institution.examiner)
    assert (verdict.faults, verdict.chain, verdict.complete, len(verdict.records)) == ((), INTACT, True, 6)


def test_the_same_segment_at_once_through_both_is_stored_once(pair: Pair) -> None:
    app = _sit(pair, "twins")
    record, data = app.seal(Track.CAMERA)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda n: _put(pair.http[n % 2], app, record, data), range(6)))
    statuses = [answer.status_code for answer in answers if answer.status_code != 503]  # four of a session at a time
    assert sorted(statuses)[-1] == 201
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201}
    assert len({answer.json()["receipt"] for answer in answers if answer.is_success}) == 1


def test_a_join_leaves_the_token_of_a_program_that_binds_at_the_moment(pair: Pair) -> None:
    """The other server has bound it and is about to commit."""
    pair.institution.exam("bind")
    app = Application(pair.http[0], pair.institution.invite("bind"))
    app.join()
    body = schema.dumps(wire.JoinRequest(exam="bind", invite=app.link.invite, client="test"))
    other = _context(pair, pair.data[1])
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    try:
        with ThreadPoolExecutor(1) as threads:
            with other.database.write() as tx:
                access.find(tx, app.session, hold=True).epoch = 0
                tx.flush()
                again = threads.submit(pair.http[0].post, "/api/v1/join", content=body)
                while not tx.scalar(waiting):
                    assert not again.done(), "it did not wait"
            answer = again.result()
        assert (answer.status_code, answer.json()["code"]) == (409, "E-INVITE-USED")
        with other.database.read() as tx:
            assert access.find(tx, app.session).client == tokens.digest(app.joined.client_token)
    finally:
        other.database.close()


def test_of_two_rivals_at_two_servers_one_wins_and_its_bytes_stay(pair: Pair, s3_server: S3Server) -> None:
    """The loser leaves nothing behind, and can't come late either: its bytes have a name of their own."""
    app = _sit(pair, "rivals")
    for sequence in range(5):
        app.sequences[Track.CAMERA] = sequence
        rivals = [app.seal(Track.CAMERA, advance=False, size=300_000) for _ in range(2)]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(_put, pair.http, [app] * 2, *zip(*rivals, strict=True)))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        record, data = rivals[[answer.status_code for answer in answers].index(201)]
        stored = pair.http[1].get(f"/api/v1/sessions/{app.session}/segments/0/camera/{sequence}").content
        assert stored == data
        app.head = jws.digest(record)
    assert len(_objects(pair, s3_server, app.session)) == 5


def test_what_is_over_its_time_leaves_no_object(pair: Pair, s3_server: S3Server) -> None:
    app = _sit(pair, "over", retention=Retention(days=1))
    for _ in range(3):
        assert app.put(*app.seal(Track.SCREEN)).status_code == 201
    # What no row speaks of: its upload was published, and then the server died.
    orphan = Place(session=app.session, epoch=9, track=Track.CAMERA, sequence=9)
    contexts = [_context(pair, data) for data in pair.data]
    try:
        upload = contexts[0].store.begin(orphan)
        upload.write(b"orphan")
        upload.finish()
        upload.publish()
        assert len(_objects(pair, s3_server, app.session)) == 4
        pair.clock.advance(2 * DAY_S)
        assert app.session in [one.session for one in retention.due(contexts[1])]
        with ThreadPoolExecutor(2) as threads:  # both look every hour
            tokens = list(threads.map(lambda context: retention.erase(context, app.session), contexts))
    finally:
        for context in contexts:
            context.database.close()
    assert tokens[0] == tokens[1]
    said = jws.verify(Deletion, tokens[0], load_ed25519(app.policy.server.receipt_key), typ=DELETION_TYPE)
    assert (said.session, said.segments) == (app.session, 3)
    assert _objects(pair, s3_server, app.session) == []


def _context(pair: Pair, data: Path) -> Context:
    return open_context(data, public_url="http://127.0.0.1", now=lambda: pair.clock.now().utc_ms)


def _objects(pair: Pair, store: S3Server, session: str) -> list[str]:
    prefix = settings.load(pair.data[0] / settings.NAME).store.prefix
    listed = store.client().list_object_versions(Bucket=BUCKET, Prefix=f"{prefix}/sessions/{session}/")
    return [one["Key"] for one in listed.get("Versions", ())]
