"""Live view through a real nginx with the documented rules: nothing is held back on its way to who watches."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.clock import ManualClock
from app.contract.incidents import Track
from server import setup
from tests.e2e import nginx_rig
from tests.e2e.live_rig import pieces_of, pushed, watching
from tests.e2e.server_rig import PASSWORD, opened, timed

DOCUMENT = Path(__file__).parents[2] / "docs" / "server.md"


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    nginx_rig.required()
    setup.prepare(tmp_path / "data", admin="ada", password=PASSWORD)
    blocks = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (wanted,) = [block for block in blocks if "auth_request" not in block]
    with timed(tmp_path / "data", ManualClock()) as url:
        wanted = wanted.replace("http://127.0.0.1:8443", url)
        with (
            nginx_rig.running(tmp_path, wanted) as proxy,
            httpx.Client(base_url=proxy, trust_env=False, timeout=30) as client,
        ):
            yield client


def test_pieces_come_through_as_they_are_pushed(http: httpx.Client) -> None:
    app = opened(http, "live").seat("live")
    large = pieces_of(*app.seal(Track.CAMERA, size=2_500_000), size=900_000)
    small = pieces_of(*app.seal(Track.MICROPHONE, size=3_000))
    pushed(app, large[:2])
    with watching(http, app.session) as seen:
        assert seen.take(2) == large[:2]
        for piece in [*small, *large[2:]]:
            pushed(app, [piece])
            assert seen.take(1) == [piece]
