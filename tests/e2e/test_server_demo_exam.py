"""The demo exam behind a real gate: as a browser meets it, with the cookie, the answers and the frozen page."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.clock import ManualClock
from server.demo_exam.questions import NAMES, PAGES, TITLE
from tests.e2e.server_rig import Application, Institution, launch, prepare, timed


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def gate_url(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[str]:
    data = tmp_path_factory.mktemp("server") / "data"
    prepare(data)
    with timed(data, clock) as url:
        yield url


@pytest.fixture(scope="module")
def site_url(gate_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("site") / "site.log"
    process = launch(["demo-exam", "--port", "0", "--gate", gate_url, "--rehearse", "20"], log=log)
    yield process.url
    process.stop()


@pytest.fixture(scope="module")
def institution(gate_url: str, site_url: str) -> Iterator[Institution]:
    with httpx.Client(base_url=gate_url, trust_env=False, timeout=30) as http:
        institution = Institution(http)
        institution.sign_in()
        institution.exam("demo", start_url=site_url + "/")
        yield institution


@pytest.fixture
def app(institution: Institution) -> Application:
    app = Application(institution.http, institution.invite("demo"))
    app.join()
    app.bind()
    return app


@pytest.fixture
def browser(site_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site_url, trust_env=False, timeout=30, follow_redirects=True) as browser:
        yield browser


def test_there_are_five_questions_on_two_pages() -> None:
    assert (len(PAGES), len(NAMES)) == (2, 5)


def test_whole_exam(app: Application, browser: httpx.Client) -> None:
    first = browser.get(app.bound.entry_url)
    assert "Page 1 of 2" in first.text
    assert 'data-rehearse="20"' in first.text
    assert "data-sample" in first.text
    assert "script-src 'self'" in first.headers["Content-Security-Policy"]
    for name in ("exam.css", "exam.js", "exam.svg"):
        assert browser.get(f"/files/{name}").status_code == 200
    assert browser.post("/answers", data={"q2": "Slow <turning> & circling"}).status_code == 204
    assert "Slow &lt;turning&gt; &amp; circling</textarea>" in browser.get("/part/1").text
    assert 'href="/submitted"' in browser.get("/part/2").text
    assert not app.beat(browser.cookies["fairlock"]).frozen
    assert "handed in" in browser.get("/submitted").text


def test_only_a_rehearsal_gives_answers_away(app: Application, gate_url: str, tmp_path: Path) -> None:
    process = launch(["demo-exam", "--port", "0", "--gate", gate_url], log=tmp_path / "site.log")
    try:
        with httpx.Client(base_url=process.url, trust_env=False, timeout=30, follow_redirects=True) as browser:
            browser.get(app.bound.entry_url)  # leads to the site of the policy; the cookie holds on every port
            pages = [browser.get(f"/part/{number}?rehearse=5").text for number in (1, 2)]
    finally:
        process.stop()
    for page in pages:
        assert f"<h1>{TITLE}</h1>" in page
        assert "data-sample" not in page
        assert "data-rehearse" not in page
    assert all(q.sample not in "".join(pages) for part in PAGES for q in part if not q.choices)


def test_without_the_application_there_is_no_exam(browser: httpx.Client) -> None:
    for path in ("/", "/part/2", "/submitted", "/files/exam.js"):
        answer = browser.get(path)
        assert answer.status_code == 401
        assert "Page 1" not in answer.text


def test_frozen_page_and_back(app: Application, browser: httpx.Client, clock: ManualClock) -> None:
    browser.get(app.bound.entry_url)
    clock.advance(11)
    frozen = browser.get("/part/2")
    assert (frozen.status_code, "on hold" in frozen.text) == (403, True)
    app.beat(browser.cookies["fairlock"])
    assert browser.get("/part/2").status_code == 200


def test_one_candidate_does_not_see_anothers_answers(institution: Institution, site_url: str) -> None:
    for text in ("mine", "theirs"):
        app = Application(institution.http, institution.invite("demo"))
        app.join()
        app.bind()
        with httpx.Client(base_url=site_url, trust_env=False, timeout=30, follow_redirects=True) as browser:
            page = browser.get(app.bound.entry_url).text
            assert "mine" not in page
            browser.post("/answers", data={"q3": text})


def test_gate_that_is_away_is_said(tmp_path: Path) -> None:
    process = launch(["demo-exam", "--port", "0", "--gate", "http://127.0.0.1:9"], log=tmp_path / "site.log")
    try:
        answer = httpx.get(process.url + "/", trust_env=False, timeout=30)
    finally:
        process.stop()
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)
