"""The whole life of a session against a real server process."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.contract import schema, wire
from app.contract.incidents import Track
from app.contract.sealing import jws
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.keys import load_ed25519
from app.contract.sealing.records import (
    BINDING_TYPE,
    COMPLETION_TYPE,
    RECEIPT_TYPE,
    Binding,
    Completion,
    Receipt,
)
from app.contract.sealing.segment import open_segment
from app.contract.session import SessionState
from tests.e2e.server_rig import Application, Institution, enter, prepare, running


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("server") / "data"
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def url(data: Path) -> Iterator[str]:
    with running(data) as process:
        yield process.url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def institution(http: httpx.Client) -> Institution:
    institution = Institution(http)
    institution.sign_in()
    return institution


def _bound(http: httpx.Client, institution: Institution, exam: str) -> Application:
    institution.exam(exam)
    app = Application(http, institution.invite(exam))
    app.join()
    app.bind()
    return app


def test_whole_life_of_a_session(http: httpx.Client, institution: Institution) -> None:
    app = _bound(http, institution, "life")
    receipt_key = load_ed25519(app.policy.server.receipt_key)
    binding = jws.verify(Binding, app.bound.binding, receipt_key, typ=BINDING_TYPE)
    assert (binding.session, binding.epoch, binding.candidate) == (app.session, 0, "Grace Hopper")
    assert binding.policy == jws.digest(app.policy_token)

    cookie = enter(http, app.bound)
    assert not app.beat(cookie).frozen
    for track in (Track.CAMERA, Track.SCREEN, Track.CAMERA, Track.JOURNAL):
        record, sealed = app.seal(track)
        answer = app.put(record, sealed)
        assert answer.status_code == 201, answer.text
        stored = schema.from_json(wire.SegmentAnswer, answer.json())
        receipt = jws.verify(Receipt, stored.receipt, receipt_key, typ=RECEIPT_TYPE)
        assert (receipt.record, receipt.size) == (jws.digest(record), len(sealed))
    app.beat(cookie, SessionState.FLUSHING)
    token = app.end_token()
    ended = app.end(token)
    assert ended.missing == 0
    assert ended.completion is not None
    assert jws.verify(Completion, ended.completion, receipt_key, typ=COMPLETION_TYPE).end == jws.digest(token)

    manifest = schema.from_json(Manifest, institution.call("GET", f"/api/v1/sessions/{app.session}/manifest"))
    assert list(manifest.records) == app.records
    assert manifest.bindings == (app.bound.binding,)
    assert manifest.server_incidents == ()
    row = institution.call("GET", "/api/v1/sessions?exam=life")["sessions"][0]
    assert (row["segments"], row["ended"], row["complete"], row["state"]) == (4, True, True, "ended")
    fetched = http.get(f"/api/v1/sessions/{app.session}/segments/0/journal/0").content
    assert open_segment(fetched, institution.examiner).complete
