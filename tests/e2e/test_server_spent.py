"""What a candidate used up outlives the application: breaks and tried quit codes, by what its heartbeats said."""

import os
from collections.abc import Iterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.session import SessionState
from app.contract.wire import LONGEST_BREAKS_MS, Spent
from tests.e2e.server_rig import Application, Institution, prepare, timed
from tests.postgres import Cluster
from tests.unit.server_databases import KINDS

CLOCK = ManualClock()


@pytest.fixture(scope="module", params=KINDS)
def institution(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    """Yield an institution on a server with either database, on a clock that only the tests move."""
    data, settings = tmp_path_factory.mktemp("spent") / "data", ""
    if request.param == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres")
        settings = f'[database]\nurl = "{cluster.database()}"\n'
    prepare(data, settings=settings)
    with timed(data, CLOCK) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        it = Institution(http)
        it.sign_in()
        it.exam("algebra")
        yield it


def started_anew(app: Application, *, after_s: float) -> Spent:
    """Return what the server says to another program of the session."""
    CLOCK.advance(after_s)
    app.signing, app.program = Ed25519PrivateKey.generate(), os.urandom(32)
    return app.bind().spent


def test_a_session_that_begins_has_used_up_nothing(institution: Institution) -> None:
    assert institution.seat("algebra").bound.spent == Spent()


def test_what_was_told_once_is_told_to_every_later_program(institution: Institution) -> None:
    app = institution.seat("algebra")
    app.beat(None, SessionState.RUNNING, Spent(breaks_ms=120_000, tries=3))
    app.beat(None, SessionState.RUNNING)  # as from a program that has forgotten
    for _ in range(2):
        assert started_anew(app, after_s=600) == Spent(breaks_ms=120_000, tries=3)


def test_a_break_goes_on_while_no_program_is_there_to_end_it(institution: Institution) -> None:
    app = institution.seat("algebra")
    app.beat(None, SessionState.PAUSED, Spent(breaks_ms=10_000, on_break=True))
    assert started_anew(app, after_s=240) == Spent(breaks_ms=250_000)
    assert started_anew(app, after_s=240) == Spent(breaks_ms=250_000), "it ended with the new start"


def test_a_break_that_was_over_costs_nothing_more(institution: Institution) -> None:
    app = institution.seat("algebra")
    app.beat(None, SessionState.PAUSED, Spent(breaks_ms=10_000, on_break=True))
    app.beat(None, SessionState.RUNNING, Spent(breaks_ms=12_000))
    assert started_anew(app, after_s=240) == Spent(breaks_ms=12_000)


def test_a_recorder_that_starts_anew_under_the_same_program_changes_nothing(institution: Institution) -> None:
    app = institution.seat("algebra")
    app.beat(None, SessionState.PAUSED, Spent(breaks_ms=10_000, on_break=True))
    CLOCK.advance(20)
    app.signing = Ed25519PrivateKey.generate()
    assert app.bind().spent == Spent(breaks_ms=10_000, on_break=True)  # the shell counts on
    app.beat(None, SessionState.PAUSED, Spent(breaks_ms=31_000, on_break=True))
    assert started_anew(app, after_s=60) == Spent(breaks_ms=91_000)


def test_who_comes_back_after_days_is_answered_all_the_same(institution: Institution) -> None:
    app = institution.seat("algebra")
    app.beat(None, SessionState.PAUSED, Spent(on_break=True))
    assert started_anew(app, after_s=3 * 86_400) == Spent(breaks_ms=LONGEST_BREAKS_MS)
