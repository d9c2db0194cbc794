"""The route that segments come in by reads its address by hand: what it refuses, and that it is documented."""

from collections.abc import Iterator

import httpx
import pytest

from app.clock import ManualClock
from app.contract.canonical import MAX_INTEGER
from app.contract.incidents import Track
from app.contract.wire import RECORD_HEADER
from tests.e2e.server_rig import Application, opened, prepare, timed


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    data = tmp_path_factory.mktemp("server") / "data"
    prepare(data)
    with timed(data, ManualClock()) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        application = Application(http, opened(http, "algebra").invite("algebra"))
        application.join()
        application.bind()
        yield application


@pytest.mark.parametrize(
    "place",
    [
        "-1/camera/0",
        "0/camera/-1",
        "0/camera/1.0",
        "0/camera/1e3",
        "0/camera/٣",
        "0/camera/1_0",
        "0/nose/0",
        "0/camera/" + "9" * 5_000,
        f"0/camera/{MAX_INTEGER + 1}",
    ],
)
def test_places_that_no_record_can_name_are_refused(app: Application, place: str) -> None:
    answer = app.put(*app.seal(Track.CAMERA, advance=False), path=place)
    assert (answer.status_code, answer.json()["code"]) == (422, "E-FORMAT")
    assert answer.headers["Content-Security-Policy"]


def test_the_greatest_place_is_read(app: Application) -> None:
    answer = app.put(*app.seal(Track.CAMERA, advance=False), path=f"0/camera/{MAX_INTEGER}")
    assert (answer.status_code, answer.json()["code"]) == (422, "E-RECORD")


def test_a_request_without_a_token_is_refused(app: Application) -> None:
    answer = app.http.put(f"/api/v1/sessions/{app.session}/segments/0/camera/0", content=b"")
    assert (answer.status_code, answer.json()["code"]) == (401, "E-NOT-SIGNED-IN")


def test_other_methods_find_their_own_routes(app: Application) -> None:
    place = f"/api/v1/sessions/{app.session}/segments/0/camera/0"
    with httpx.Client(base_url=app.http.base_url, trust_env=False) as stranger:
        assert stranger.get(place).status_code == 401
        assert stranger.delete(place).status_code == 405


def test_the_route_is_documented_beside_the_one_that_reads(app: Application) -> None:
    paths = app.http.get("/api/openapi.json").json()["paths"]
    described = paths["/api/v1/sessions/{session}/segments/{epoch}/{track}/{sequence}"]
    assert set(described) == {"get", "put"}
    names = [parameter["name"] for parameter in described["put"]["parameters"]]
    assert names == ["session", "epoch", "track", "sequence", RECORD_HEADER]
    assert {"201", "200", "4XX"} <= set(described["put"]["responses"])
