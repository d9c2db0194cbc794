"""A program that asks on and on for a session that another one holds: one incident, until something changes."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.wire import CONFIRMATION_LIMIT_MS
from app.recorder.client import ServerClient
from app.recorder.joining import JoinedSession, join, save
from server import setup
from tests.e2e.server_rig import PASSWORD, Application, Institution, opened, timed

EXAM = "second"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def institution(tmp_path: Path, clock: ManualClock) -> Iterator[Institution]:
    setup.prepare(tmp_path / "data", admin="ada", password=PASSWORD)
    with timed(tmp_path / "data", clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        yield opened(http, EXAM)


@pytest.fixture
def first(institution: Institution) -> Application:
    return institution.seat(EXAM)


def beside(app: Application) -> Application:
    """Return another program that came by the same session."""
    other = Application(app.http, app.link)
    other.joined, other.session, other.policy, other.head = app.joined, app.session, app.policy, app.head
    return other


def refused(app: Application) -> None:
    answer = app.try_bind()
    assert (answer.status_code, answer.json()["code"]) == (409, "E-SECOND-PROGRAM")


def told(institution: Institution, session: str) -> list[dict[str, object]]:
    """Return the session's incidents, all of them of a second program."""
    found = institution.call("GET", f"/api/v1/sessions/{session}")["server_incidents"]
    assert {one["kind"] for one in found} <= {"second_program"}
    return list(found)


def test_who_asks_every_second_is_told_once_with_the_moment_it_began(
    institution: Institution, first: Application, clock: ManualClock
) -> None:
    other, began_ms = beside(first), clock.now().utc_ms
    for _ in range(20):
        refused(other)
        clock.advance(1)
        assert not first.beat(None).frozen
    (incident,) = told(institution, first.session)
    assert incident["at_ms"] == began_ms


def test_a_third_program_is_told_as_well_and_who_was_told_is_not_told_again(
    institution: Institution, first: Application
) -> None:
    second, third = beside(first), beside(first)
    for other in (second, third, second, third):
        refused(other)
    facts = [one["facts"] for one in told(institution, first.session)]
    assert len(facts) == 2
    assert facts[0] != facts[1]


def test_it_is_told_again_to_the_next_epoch(institution: Institution, first: Application) -> None:
    other = beside(first)
    refused(other)
    first.signing = Ed25519PrivateKey.generate()
    first.bind()
    for _ in range(2):
        refused(other)
    assert len(told(institution, first.session)) == 2


def test_a_candidate_who_starts_anew_at_once_is_told_of_once(
    institution: Institution, clock: ManualClock, tmp_path: Path
) -> None:
    link = institution.invite(EXAM)

    def started(program: bytes) -> JoinedSession:
        with closing(ServerClient(link.server)) as client:
            return join(client, link, program_token=program, home=tmp_path / "home", clock=clock)

    crashed, began = started(b"1" * 32), clock.now()
    save(replace(crashed.saved, origin_mono_ns=began.mono_ns, origin_utc_ms=began.utc_ms), crashed.folder)
    assert started(b"2" * 32).epoch == 1
    assert clock.now().seconds_since(began) * 1_000 > CONFIRMATION_LIMIT_MS, "it waited until the server let it in"
    assert len(told(institution, crashed.session)) == 1
