"""More live pages than a browser has connections for, and pages that nobody sees, in a real Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo.processes import free_port
from tests.certificates import self_sign
from tests.e2e import nginx_rig, server_rig
from tests.e2e.chromium import needs_chromium, until
from tests.e2e.chromium_tabs import chromium_with_tabs
from tests.e2e.console_fixtures import PASSPHRASE
from tests.e2e.live_broadcast import Broadcast
from tests.e2e.live_hall import Hall, live_hall
from tests.e2e.test_console_live import CAMERA, PATIENCE_MS, _says, browser, page
from tests.e2e.test_console_live_leaving import FOCUSED

__all__ = ["browser", "page"]

SEATS = 4
SECONDS = 8.0
MINUTE_MS = 61_000
FULL = "4 other live pages are open in this browser"
PLAYS = f"{CAMERA}?.readyState >= 2"
TAKEN = "navigator.locks.query().then(({ held }) => held.length)"
DOCUMENT = Path(__file__).parents[2] / "docs" / "server.md"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """One server for all tests here."""
    with live_hall(tmp_path_factory.mktemp("live"), SECONDS) as opened:
        yield opened


def _watch(page: Page, broadcast: Broadcast, *, at: str = "") -> None:
    """Go straight to the live page and unlock it; sign in before, where the server's address is given."""
    page.goto(f"{at}/console/#/sessions/{broadcast.application.session}/live")
    if at:
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(server_rig.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()


@needs_chromium
def test_one_live_page_too_many_waits_for_a_seat_and_the_console_goes_on(page: Page, hall: Hall) -> None:
    with hall.recording("Vera Rubin", at_s=2) as broadcast:
        seated = [page, *(page.context.new_page() for _ in range(SEATS - 1))]
        for one in seated:
            _watch(one, broadcast)
        for one in seated:
            until(one, PLAYS)
        fifth = page.context.new_page()
        asked: list[str] = []
        fifth.on("request", lambda request: asked.append(request.url))
        _watch(fifth, broadcast)
        expect(fifth.get_by_role("heading", name=FULL)).to_be_visible(timeout=PATIENCE_MS)
        expect(fifth.locator(".stage")).to_contain_text("Close one of them, and this page begins by itself.")
        expect(fifth.locator("#live-word")).to_be_hidden()
        expect(fifth.locator("p.unseen")).to_have_text(FULL)
        assert fifth.evaluate(FOCUSED) == "stage"
        assert not [url for url in asked if url.endswith("/live")]
        # Requests are still answered.
        sixth = page.context.new_page()
        sixth.goto("/console/")
        expect(sixth.get_by_role("heading", name="Sessions")).to_be_visible(timeout=PATIENCE_MS)
        seated[1].close()
        until(fifth, PLAYS)
        expect(fifth.locator("#live-word")).to_be_visible()
        expect(fifth.get_by_role("link", name="Open the recording")).to_be_visible()
        # A page that shows something else leaves its seat as well.
        seated[2].get_by_role("link", name="Back to the recording").click()
        until(sixth, f"{TAKEN}.then((taken) => taken === {SEATS - 1})")


@needs_chromium
def test_a_hidden_page_leaves_its_seat_and_takes_up_again_when_it_is_seen(
    browser: Browser, hall: Hall, tmp_path: Path
) -> None:
    opened = chromium_with_tabs(browser.browser_type, tmp_path)
    with opened as tabs, hall.recording("Maria Mitchell", at_s=2) as broadcast:
        tabs.set_default_timeout(PATIENCE_MS)
        live = tabs.pages[0]
        live.clock.install()
        _watch(live, broadcast, at=hall.url)
        until(live, PLAYS)
        other = tabs.new_page()
        other.goto(f"{hall.url}/console/")
        until(live, "document.hidden")
        # A picture in a window of its own is seen.
        live.evaluate(f"{CAMERA}.requestPictureInPicture().then(() => null)")
        live.clock.fast_forward(MINUTE_MS)
        assert live.evaluate(TAKEN) == 1
        live.evaluate("document.exitPictureInPicture()")
        live.clock.fast_forward(MINUTE_MS)
        until(other, f"{TAKEN}.then((taken) => taken === 0)")
        # What was decrypted is not kept for a page that nobody sees.
        until(live, f"{CAMERA}.buffered.length === 0")
        live.bring_to_front()
        broadcast.hold_at_s = SECONDS
        _says(live, "#link", r"^Not watched from .+ to .+: this page was hidden\.$")
        until(live, f"{PLAYS} && {CAMERA}.currentTime > 5")
        # Sound that is on is heard.
        live.get_by_role("button", name="Sound is off").click()
        other.bring_to_front()
        until(live, "document.hidden")
        live.clock.fast_forward(MINUTE_MS)
        assert live.evaluate(TAKEN) == 1


@needs_chromium
def test_where_the_proxy_speaks_http_2_no_seats_are_counted(browser: Browser, hall: Hall, tmp_path: Path) -> None:
    nginx_rig.required()
    certificate, port = tmp_path / "site.pem", free_port()
    self_sign(certificate)
    blocks = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (passing,) = [block for block in blocks if "auth_request" not in block]
    # Since nginx 1.25 it is "http2 on", as the document has it; this is understood by older ones, too.
    listening = f"listen 127.0.0.1:{port} ssl http2; ssl_certificate {certificate}; ssl_certificate_key {certificate};"
    rules = listening + passing.replace("http://127.0.0.1:8443", hall.url)
    with nginx_rig.running(tmp_path, rules), hall.recording("Annie Cannon", at_s=2) as broadcast:
        context = browser.new_context(ignore_https_errors=True)
        context.set_default_timeout(PATIENCE_MS)
        live = context.new_page()
        _watch(live, broadcast, at=f"https://127.0.0.1:{port}")
        until(live, PLAYS)
        assert live.evaluate(TAKEN) == 0
        context.close()
