"""A real nginx with auth_request in front of an exam page: the documented configuration is the one that is tested."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.clock import ManualClock
from tests.e2e import nginx_rig
from tests.e2e.server_rig import Application, Institution, prepare, timed

DOCUMENT = Path(__file__).parents[2] / "docs" / "server.md"


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def gate_url(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[str]:
    nginx_rig.required()
    data = tmp_path_factory.mktemp("server") / "data"
    prepare(data)
    with timed(data, clock) as url:
        yield url


@pytest.fixture(scope="module")
def site_url(gate_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("<h1>Question 1</h1>")
    for number in range(30):
        (folder / "site" / f"{number}.css").write_text(f"/* {number} */")
    # nginx drops to an unprivileged user for its workers; they must reach the files.
    for path in (*folder.parents, folder, folder / "site"):
        if path.is_relative_to(tmp_path_factory.getbasetemp().parent):
            path.chmod(0o755)
    locations = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert locations is not None
    rules = locations.group(1).replace("http://127.0.0.1:8443", gate_url)
    rules = re.sub(r"proxy_pass http://exam-site;", f"root {folder}/site;", rules)
    with nginx_rig.running(folder, rules) as url:
        yield url


@pytest.fixture(scope="module")
def institution(gate_url: str, site_url: str) -> Iterator[Institution]:
    with httpx.Client(base_url=gate_url, trust_env=False, timeout=30) as http:
        institution = Institution(http)
        institution.sign_in()
        institution.exam("nginx", start_url=site_url + "/")
        yield institution


@pytest.fixture
def app(institution: Institution) -> Application:
    app = Application(institution.http, institution.invite("nginx"))
    app.join()
    app.bind()
    return app


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30, follow_redirects=True) as browser:
        yield browser


def test_nobody_reaches_the_exam_without_the_application(site_url: str, browser: httpx.Client) -> None:
    answer = browser.get(site_url + "/")
    assert answer.status_code == 401
    assert "opens in Fairlock only" in answer.text
    assert browser.get(site_url + "/", headers={"Cookie": "fairlock=invented"}).status_code == 401


def test_each_answer_renews_the_cookie(site_url: str, app: Application, browser: httpx.Client) -> None:
    entered = browser.get(app.bound.entry_url)
    assert (entered.status_code, entered.text) == (200, "<h1>Question 1</h1>")
    seen = {browser.cookies["fairlock"]}
    for number in range(30):
        assert browser.get(f"{site_url}/{number}.css").status_code == 200
        seen.add(browser.cookies["fairlock"])
    assert len(seen) == 31
    assert not app.beat(browser.cookies["fairlock"]).frozen


def test_frozen_candidate_sees_the_page_of_the_gate_and_comes_back(
    site_url: str, app: Application, browser: httpx.Client, clock: ManualClock
) -> None:
    assert browser.get(app.bound.entry_url).status_code == 200
    clock.advance(11)
    frozen = browser.get(site_url + "/")
    assert frozen.status_code == 403
    assert "The exam is on hold" in frozen.text
    app.beat(browser.cookies["fairlock"])
    assert browser.get(site_url + "/").text == "<h1>Question 1</h1>"
