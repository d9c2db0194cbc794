"""A store that takes what it is sent and does not answer: it keeps segments waiting, and nobody's exam.

The store is a real one behind a network that holds back what the test names, and lets it through late.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Retention
from app.contract.sealing import jws
from app.contract.sealing.records import Deletion
from server import setup
from server.app import open_context
from server.exams import retention
from server.exams.store_threads import READERS
from tests.e2e.server_rig import PASSWORD, Application, Institution, enter, knock, timed
from tests.faults.network import Answer, Network
from tests.postgres import Cluster
from tests.s3_server import S3Server

PATIENCE_S = 60
"""Of the test for what must not hang; the server waits longer for its store."""
BESIDE = 40
"""Threads in which the server answers whoever does not wait for the store."""


class HoldingNetwork(Network):
    """Holds back the requests that ``holds`` names, until ``let_go``; then they go on."""

    def __init__(self, port: int) -> None:
        super().__init__(port, seed=0, share=0.0)
        self.holds: Callable[[str, str], bool] = lambda _method, _path: False
        self.held = threading.Semaphore(0)
        self._open = threading.Event()

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Send one request, when nothing holds it."""
        if self.holds(method, path):
            self.held.release()
            self._open.wait()
        return super().forward(method, path, headers, body)

    def let_go(self) -> None:
        """Hold nothing any more."""
        self.holds = lambda _method, _path: False
        self._open.set()

    def wait_until_held(self) -> None:
        """Return when a request is held."""
        assert self.held.acquire(timeout=PATIENCE_S), "no such request came"


def _completes(method: str, path: str) -> bool:
    return method == "POST" and "uploadId=" in path


def _reads(method: str, path: str) -> bool:
    return method == "GET" and ".fls" in path


def _deletes(method: str, _path: str) -> bool:
    return method == "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A server on SQLite or PostgreSQL whose store lies behind ``network``."""

    data: Path
    clock: ManualClock
    network: HoldingNetwork
    http: httpx.Client
    institution: Institution

    def sit(self) -> tuple[Application, str]:
        """Return an application that is bound, and the cookie token of its browser."""
        app = Application(self.http, self.institution.invite("hangs"))
        app.join()
        return app, enter(self.http, app.bind())


@pytest.fixture(params=["sqlite", "postgres"])
def rig(
    request: pytest.FixtureRequest, s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    monkeypatch.setattr("server.storage.s3_client.READ_S", 4 * PATIENCE_S)
    monkeypatch.setattr("server.storage.s3_client.TRIES", 1)
    said = s3_server.settings()
    if request.param == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres")
        said = f'[database]\nurl = "{cluster.database()}"\n\n{said}'
    with _serving(tmp_path, said, s3_server) as rig:
        try:
            yield rig
        finally:
            rig.network.let_go()


@contextmanager
def _serving(folder: Path, said: str, store: S3Server) -> Iterator[Rig]:
    network, clock, data = HoldingNetwork(urlsplit(store.endpoint).port or 0), ManualClock(), folder / "data"
    with network.running():
        (folder / "settings.toml").write_text(said.replace(store.endpoint, network.url))
        setup.prepare(data, admin="ada", password=PASSWORD, settings_file=folder / "settings.toml")
        with timed(data, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as http:
            institution = Institution(http)
            institution.sign_in()
            institution.exam("hangs", retention=Retention(days=1))
            yield Rig(data=data, clock=clock, network=network, http=http, institution=institution)


def test_nobody_waits_for_a_store_that_does_not_answer(rig: Rig) -> None:
    """Neither the session whose segment hangs nor any other one: heartbeats, gate, binding, joining, the end."""
    (app, cookie), (other, others) = rig.sit(), rig.sit()
    sealed = app.seal(Track.CAMERA)
    rig.network.holds = _completes
    with ThreadPoolExecutor(1) as threads:
        upload = threads.submit(app.put, *sealed)
        try:
            rig.network.wait_until_held()
            assert not app.beat(cookie).frozen
            assert not other.beat(others).frozen
            assert knock(rig.http, cookie).status_code == knock(rig.http, others).status_code == 204
            rig.sit()
            assert app.end(app.end_token()).missing == 1
            assert rig.institution.call("GET", f"/api/v1/sessions/{app.session}")["segments"] == 0
            assert not upload.done()
        finally:
            rig.network.let_go()
        assert upload.result().status_code == 201
    assert app.end(app.end_token()).completion is not None


def test_what_a_store_does_late_touches_nothing_that_has_a_receipt(rig: Rig) -> None:
    """A rival takes the place while the first one's completion is on its way; when that arrives, its bytes stay."""
    app, _cookie = rig.sit()
    late, rival = (app.seal(Track.CAMERA, advance=False, size=size) for size in (50_000, 60_000))
    segment = f"/api/v1/sessions/{app.session}/segments/0/camera/0"
    rig.network.holds = _completes
    with ThreadPoolExecutor(1) as threads:
        upload = threads.submit(app.put, *late)
        try:
            rig.network.wait_until_held()
            rig.network.holds = lambda _method, _path: False
            assert app.put(*rival).status_code == 201
            assert not upload.done()
        finally:
            rig.network.let_go()
        answer = upload.result()
    assert (answer.status_code, answer.json()["code"]) == (409, "E-CONFLICT")
    assert rig.http.get(segment).content == rival[1]
    assert app.put(*rival).status_code == 200


def test_nobody_waits_while_playback_hangs(rig: Rig) -> None:
    """More reads than the server has threads for gate and heartbeats, as some consoles with a timeline make them."""
    app, cookie = rig.sit()
    assert app.put(*app.seal(Track.CAMERA)).status_code == 201
    session = f"/api/v1/sessions/{app.session}"
    rig.network.holds = _reads
    with ThreadPoolExecutor(2 * BESIDE) as threads:
        reads = [threads.submit(rig.http.get, f"{session}/segments/0/camera/0") for _ in range(2 * BESIDE)]
        try:
            for _ in range(READERS):
                rig.network.wait_until_held()
            for _ in range(10):
                assert not app.beat(cookie).frozen
                assert knock(rig.http, cookie).status_code == 204
            assert app.put(*app.seal(Track.CAMERA)).status_code == 201
            assert not any(read.done() for read in reads)
        finally:
            rig.network.let_go()
        assert {read.result().status_code for read in reads} == {200}


def test_nobody_waits_while_a_session_is_deleted(rig: Rig) -> None:
    old, _cookie = rig.sit()
    assert old.put(*old.seal(Track.CAMERA)).status_code == 201
    rig.clock.advance(86_400 + 60)
    rig.institution.sign_in()  # the examiner's own sitting has run out as well
    app, cookie = rig.sit()
    context = open_context(rig.data, public_url="http://127.0.0.1", now=lambda: rig.clock.now().utc_ms)
    rig.network.holds = _deletes
    with ThreadPoolExecutor(1) as threads:
        deletion = threads.submit(lambda: list(retention.erase_due(context)))
        try:
            rig.network.wait_until_held()
            assert not app.beat(cookie).frozen
            assert knock(rig.http, cookie).status_code == 204
            assert not deletion.done()
        finally:
            rig.network.let_go()
        (token,) = deletion.result()
        context.database.close()
    assert jws.unverified(Deletion, token).session == old.session
