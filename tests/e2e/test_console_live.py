"""Watching a running exam in real browsers on a real server: live, and only what the session has signed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.contract.incidents import Track
from tests.e2e import server_rig
from tests.e2e.chromium import chromium, needs_chromium, until
from tests.e2e.console_fixtures import PASSPHRASE
from tests.e2e.firefox import FIREFOX, firefox
from tests.e2e.live_broadcast import Broadcast, changing_screen
from tests.e2e.live_hall import SECONDS, Hall, live_hall
from tests.e2e.test_console import PICTURE
from tests.e2e.test_console_firefox import FILL, PRESS, SHOWN

PATIENCE_MS = 60_000
CAMERA = "document.getElementById('camera')"
SCREEN = "document.getElementById('screen')"
EDGE = f"{CAMERA}.buffered.end({CAMERA}.buffered.length - 1)"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """One server for all tests here."""
    with live_hall(tmp_path_factory.mktemp("live")) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, hall: Hall) -> Iterator[Page]:
    """A signed-in page; an error of its own, or a breach of its CSP, fails the test."""
    context = browser.new_context(base_url=hall.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
    opened.goto("/console/")
    sign_in(opened)
    expect(opened.get_by_role("heading", name="Sessions")).to_be_visible(timeout=PATIENCE_MS)
    yield opened
    context.close()
    assert problems == []


def sign_in(page: Page) -> None:
    """Fill in the form."""
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(server_rig.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def _watch(page: Page, broadcast: Broadcast) -> None:
    """Go from the list to the live page and unlock it there."""
    page.goto(f"/console/#/sessions/{broadcast.application.session}")
    page.get_by_role("link", name="Watch live").click()
    # The page that is left has such a form, too.
    live = page.locator(".watching")
    live.get_by_label("Passphrase").fill(PASSPHRASE)
    live.get_by_role("button", name="Unlock").click()


def _says(page: Page, place: str, text: str) -> None:
    expect(page.locator(place)).to_have_text(re.compile(text), timeout=PATIENCE_MS)


@needs_chromium
def test_a_running_exam_is_watched_live(page: Page, hall: Hall) -> None:
    with hall.recording("Grace Hopper", at_s=2) as broadcast:
        _watch(page, broadcast)
        until(page, f"{CAMERA}?.readyState >= 2 && !{CAMERA}.seeking")
        first = page.evaluate(PICTURE, "camera")
        broadcast.hold_at_s = SECONDS
        # Over the boundary between two segments.
        until(page, f"{CAMERA}.currentTime > 6.5")
        _says(page, "#live-word", "Live · [0-4] s behind")
        camera, screen = page.evaluate(PICTURE, "camera"), page.evaluate(PICTURE, "screen")
        assert first["mean"] > 40
        assert camera["mean"] > 40
        assert camera["print"] != first["print"]
        assert screen["mean"] > 40
        until(page, f"{EDGE} - {CAMERA}.currentTime < 3")
        _says(page, "#stored", "[1-9] segments? stored")
        _says(page, "#state", "Running")
        # No sound until it is asked for.
        assert page.evaluate(f"{CAMERA}.muted")
        page.get_by_role("button", name="Sound", pressed=False).click()
        expect(page.get_by_role("button", name="Sound", pressed=True)).to_have_text("Sound is on")
        assert not page.evaluate(f"{CAMERA}.muted")
        until(page, f"{CAMERA}.webkitAudioDecodedByteCount > 0")


@needs_chromium
def test_a_page_that_comes_late_begins_within_a_segment_and_says_when_nothing_comes(page: Page, hall: Hall) -> None:
    with hall.recording("Emmy Noether", at_s=8.5) as broadcast:
        _watch(page, broadcast)
        until(page, f"{CAMERA}?.readyState >= 2 && !{CAMERA}.seeking && {CAMERA}.currentTime > 6.5")
        assert 4.9 <= page.evaluate(f"{CAMERA}.buffered.start(0)") <= 5.1
        assert page.evaluate(PICTURE, "camera")["mean"] > 40
        _says(page, "#live-word", "No picture for")
        _says(page, ".picture.stale:has(#camera) .veil", "No picture for")
        broadcast.hold_at_s = SECONDS
        until(page, f"{CAMERA}.currentTime > 10.5")
        _says(page, "#live-word", "Live ·")


@needs_chromium
def test_the_picture_goes_on_when_the_sound_is_lost(page: Page, hall: Hall) -> None:
    with hall.recording("Hedy Lamarr", at_s=4, lost=Track.MICROPHONE) as broadcast:
        _watch(page, broadcast)
        until(page, f"{CAMERA}?.readyState >= 2 && {CAMERA}.currentTime > 2")
        broadcast.hold_at_s = SECONDS
        until(page, f"{CAMERA}.currentTime > 10")
        assert page.evaluate(PICTURE, "camera")["mean"] > 40
        _says(page, ".picture:has(#camera) .veil", "^No sound comes$")
        _says(page, "#live-word", "Live in part")


@needs_chromium
def test_sound_that_goes_on_makes_no_lost_camera_live(page: Page, hall: Hall) -> None:
    with hall.recording("Lise Meitner", at_s=4, lost=Track.CAMERA, screen=changing_screen(hall.cuts)) as broadcast:
        _watch(page, broadcast)
        until(page, f"{CAMERA}?.readyState >= 2 && {SCREEN}?.videoWidth === 640")
        broadcast.hold_at_s = SECONDS
        # What the browser does not play is said for as long as nothing else is shown.
        _says(page, ".picture:has(#screen) .fault", "^Not shown. This browser does not play it")
        _says(page, "#live-word", "no picture for|No picture for")
        # Sound alone goes on.
        until(page, f"{EDGE} > 11")
        until(page, f"{SCREEN}.videoWidth === 480 && {SCREEN}.currentTime > 11")
        expect(page.locator(".picture:has(#screen) .fault")).to_be_hidden()
        _says(page, "#live-word", "Camera: no picture for")
        _says(page, "p.unseen", "Camera: No picture comes")
        # Full screen takes the warning along.
        page.get_by_role("button", name="Camera: full screen").click()
        until(page, "document.fullscreenElement !== null")
        assert page.evaluate("document.fullscreenElement.querySelector('.veil').checkVisibility()")
        _says(page, ":fullscreen .veil", "No picture for")


@needs_chromium
def test_what_the_session_did_not_sign_is_not_shown(page: Page, hall: Hall) -> None:
    with hall.recording("Alan Turing", at_s=4, forged=frozenset({Track.CAMERA, Track.MICROPHONE})) as broadcast:
        _watch(page, broadcast)
        said = "Picture and sound are left out. A statement was signed with a key that nothing vouches for."
        _says(page, ".picture:has(#camera) .fault", said)
        until(page, "document.getElementById('screen').currentTime > 1")
        assert page.evaluate(PICTURE, "screen")["mean"] > 40
        _says(page, "#live-word", "Live in part")
        assert page.evaluate(f"{CAMERA}.readyState") == 0
        assert page.evaluate(f"{CAMERA}.buffered.length") == 0


@needs_chromium
def test_the_end_is_told(page: Page, hall: Hall) -> None:
    with hall.recording("Ada Lovelace", at_s=2) as broadcast:
        _watch(page, broadcast)
        until(page, f"{CAMERA}?.readyState >= 2")
    broadcast.application.end(broadcast.application.end_token())
    expect(page.get_by_role("heading", name="The exam has ended")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Open the recording").click()
    expect(page.get_by_role("link", name="Export")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("link", name="Watch live")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.skipif(FIREFOX is None, reason="no Firefox here: packaging/system_packages.sh develop brings one")
def test_firefox_watches_a_running_exam(hall: Hall, tmp_path: Path) -> None:
    with firefox(tmp_path) as page, hall.recording("Mary Somerville", at_s=2) as broadcast:
        page.go(f"{hall.url}/console/#/sessions/{broadcast.application.session}/live")
        page.until("document.querySelector('input[type=password]')")
        page.run(FILL, "Name", "ada")
        page.run(FILL, "Password", server_rig.PASSWORD)
        page.run(PRESS, "Sign in")
        page.until("document.getElementById('passphrase')")
        page.run(FILL, "Passphrase", PASSPHRASE)
        page.run(PRESS, "Unlock")
        page.until(f"{CAMERA}?.readyState >= 2 && !{CAMERA}.seeking")
        first = page.run(SHOWN)
        broadcast.hold_at_s = SECONDS
        page.until(f"{CAMERA}.currentTime > 6.5")
        assert page.run(SHOWN) != first
        page.until("/^Live · [0-4] s behind$/.test(document.getElementById('live-word').textContent)")
        page.until("document.getElementById('screen').currentTime > 6.5")
