"""How long an exam has run is the server's to say: a file on the candidate's disk can be altered."""

from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.clock import ManualClock
from app.contract.session import SessionState
from tests.e2e.server_rig import Application, Institution, prepare, timed


def test_a_new_start_is_told_how_long_the_exam_has_run(tmp_path: Path) -> None:
    data, clock = tmp_path / "data", ManualClock()
    prepare(data)
    with timed(data, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        institution = Institution(http)
        institution.sign_in()
        institution.exam("algebra")
        app = Application(http, institution.invite("algebra"))
        app.join()
        assert app.bind().elapsed_ms == 0
        app.beat(None, SessionState.CHECKING)
        clock.advance(30)
        app.beat(None, SessionState.RUNNING)
        clock.advance(60)
        app.beat(None, SessionState.RUNNING)
        clock.advance(60)
        app.signing = Ed25519PrivateKey.generate()
        assert app.bind().elapsed_ms == 120_000
