"""A live page that was refused, left or unlocked: it says so, stops asking, keeps no key and loses no focus."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.chromium import needs_chromium, until
from tests.e2e.console_fixtures import PASSPHRASE
from tests.e2e.live_hall import Hall
from tests.e2e.test_console_live import CAMERA, PATIENCE_MS, SCREEN, _watch, browser, hall, page, sign_in

__all__ = ["browser", "hall", "page"]

FOCUSED = "document.activeElement.className"
SLOW_KEY = """
const real = crypto.subtle.deriveKey.bind(crypto.subtle);
window.opening = false;
window.progress = document.querySelector("form.unlock progress");
crypto.subtle.deriveKey = async (...what) => {
    window.opening = true;
    await new Promise((resolve) => { window.goOn = resolve; });
    return real(...what);
};
null;
"""


def _take_clock(page: Page) -> None:
    """Let the test move the page's clock, all of it: timers from before would go on by themselves."""
    page.clock.install()
    page.reload()


@contextmanager
def _cut(page: Page) -> Iterator[None]:
    """Wait until the page itself has given up its live connection, for something that the block does."""
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/live"), timeout=PATIENCE_MS):
        yield


@needs_chromium
def test_who_may_not_watch_any_more_is_told_and_nothing_is_asked_again(page: Page, hall: Hall) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=404, json={"code": "E-SESSION-UNKNOWN", "detail": ""})

    with hall.recording("Lise Meitner", at_s=2) as broadcast:
        _take_clock(page)
        page.route("**/live", refuse)
        _watch(page, broadcast)
        expect(page.get_by_role("heading", name="Watching has stopped")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator(".stage")).to_contain_text("There is no such session on this server.")
        assert page.evaluate(FOCUSED) == "stage"
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for(60_000)
        assert asked == []


@needs_chromium
def test_the_focus_stays_in_the_page(page: Page, hall: Hall) -> None:
    with hall.recording("Rosalind Franklin", at_s=2) as broadcast:
        _watch(page, broadcast)
        until(page, f"{CAMERA}?.readyState >= 2")
        assert page.evaluate(FOCUSED) == "stage"
        expect(page.locator("#link")).to_have_role("status")
        sound = page.get_by_role("button", name="Sound is off", exact=True)
        sound.click()
        expect(page.get_by_role("button", name="Sound is on", exact=True)).to_be_focused()
    broadcast.application.end(broadcast.application.end_token())
    expect(page.get_by_role("heading", name="The exam has ended")).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate(FOCUSED) == "stage"


@needs_chromium
@pytest.mark.parametrize("place", ["", "/live"])
def test_a_key_that_opens_after_the_page_was_left_is_not_kept(page: Page, hall: Hall, place: str) -> None:
    session = hall.seat("Chien-Shiung Wu").session
    page.goto(f"/console/#/sessions/{session}{place}")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.evaluate(SLOW_KEY)
    page.get_by_role("button", name="Unlock").click()
    until(page, "window.opening")
    page.evaluate("location.hash = '#/'")
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible(timeout=PATIENCE_MS)
    page.evaluate("goOn()")
    until(page, "progress.hidden")
    expect(page.get_by_role("button", name="Lock key")).to_have_count(0)


@needs_chromium
def test_a_page_that_was_left_cuts_its_connection_asks_nothing_and_keeps_no_picture(page: Page, hall: Hall) -> None:
    with hall.recording("Maria Goeppert Mayer", at_s=2) as broadcast:
        _take_clock(page)
        _watch(page, broadcast)
        until(page, f"{CAMERA}?.readyState >= 2 && {SCREEN}?.readyState >= 2")
        page.evaluate(f"window.left = [{CAMERA}, {SCREEN}]; null")
        with _cut(page):
            page.evaluate("location.hash = '#/'")
        expect(page.get_by_role("heading", name="Sessions")).to_be_visible(timeout=PATIENCE_MS)
        assert (
            page.evaluate("left.map((video) => [video.getAttribute('src'), video.buffered.length])") == [[None, 0]] * 2
        )
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for(60_000)
        assert [url for url in asked if broadcast.application.session in url] == []


@needs_chromium
@pytest.mark.parametrize("way", ["Lock key", "Sign out", "signed out elsewhere"])
def test_a_key_is_forgotten_by_who_locks_it_or_is_signed_out(page: Page, hall: Hall, way: str) -> None:
    with hall.recording("Emmy Noether", at_s=2) as broadcast:
        _take_clock(page)
        _watch(page, broadcast)
        until(page, f"{CAMERA}?.readyState >= 2")
        with _cut(page):
            if way == "signed out elsewhere":
                page.context.clear_cookies()
                page.clock.run_for(6_000)
            else:
                page.get_by_role("button", name=way).click()
        if way != "Lock key":
            sign_in(page)
        if way == "Sign out":  # elsewhere, it is the page where one was
            expect(page.get_by_role("heading", name="Sessions")).to_be_visible(timeout=PATIENCE_MS)
            page.evaluate(f"location.hash = '#/sessions/{broadcast.application.session}/live'")
        expect(page.get_by_label("Passphrase")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_role("button", name="Lock key")).to_have_count(0)


@needs_chromium
def test_a_list_that_names_somebody_else_is_not_believed(page: Page, hall: Hall) -> None:
    with hall.recording("Marie Curie", at_s=2) as broadcast:
        session = broadcast.application.session

        def rename(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, json={**answer.json(), "candidate": "Somebody Else"})

        page.route(f"**/api/v1/sessions/{session}", rename)
        page.goto(f"/console/#/sessions/{session}/live")
        expect(page.get_by_role("alert")).to_contain_text("names 'Somebody Else' and not 'Marie Curie'")
        page.goto(f"/console/#/sessions/{session}")
        expect(page.locator("#doubt")).to_contain_text("names 'Somebody Else' and not 'Marie Curie'")
        expect(page.get_by_role("heading", name="Marie Curie")).to_be_visible()
