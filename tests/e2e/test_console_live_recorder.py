"""All of live view at once: a real recorder, a real server and the console in Chromium, across the death of each."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.chromium import chromium, needs_chromium, until
from tests.e2e.console_fixtures import build_console
from tests.e2e.stage import Stage
from tests.e2e.test_recorder_live import invite, running
from tests.e2e.test_recorder_session import Shell, shell

__all__ = ["running", "shell"]

pytestmark = [pytest.mark.slow, needs_chromium]

PATIENCE_MS = 60_000
CAMERA = "document.getElementById('camera')"


@pytest.fixture
def page(running: Stage) -> Iterator[Page]:
    """A signed-in page of the console."""
    build_console()
    with chromium() as browser:
        opened = browser.new_page(base_url=running.server)
        opened.set_default_timeout(PATIENCE_MS)
        opened.goto("/console/")
        opened.get_by_label("Name").fill("ada")
        opened.get_by_label("Password").fill(_password(running))
        opened.get_by_role("button", name="Sign in").click()
        expect(opened.get_by_role("heading", name="Sessions")).to_be_visible(timeout=PATIENCE_MS)
        yield opened


def _password(running: Stage) -> str:
    """Return the one word that opens both the account and the key."""
    return Path(running.folder / "password").read_text()


def _is_live(page: Page, *, beyond_s: float) -> float:
    """Wait until the camera plays beyond a time and is called live; return its time."""
    until(page, f"{CAMERA}?.currentTime > {beyond_s}", within_s=60)
    expect(page.locator("#live-word")).to_have_text(re.compile(r"Live · \d+ s behind"), timeout=PATIENCE_MS)
    return float(page.evaluate(f"{CAMERA}.currentTime"))


def test_an_exam_is_watched_across_the_death_of_the_server_and_of_the_recorder(
    running: Stage, shell: Shell, page: Page
) -> None:
    link = invite(running, running.server)
    joined = shell.record(link)
    page.goto(f"/console/#/sessions/{joined.session}/live")
    page.get_by_label("Passphrase").fill(_password(running))
    page.get_by_role("button", name="Unlock").click()
    began = _is_live(page, beyond_s=0)
    # Segments take two seconds here.
    place = _is_live(page, beyond_s=began + 3)

    running.kill_server()
    expect(page.locator("#link")).to_contain_text("The connection was cut", timeout=PATIENCE_MS)
    running.restart_server()
    place = _is_live(page, beyond_s=place + 4)
    expect(page.locator("#link")).to_have_text("", timeout=PATIENCE_MS)

    assert shell.child.process.pid is not None
    os.kill(shell.child.process.pid, signal.SIGKILL)
    assert shell.closed.wait(10)
    shell.respawn()
    shell.record(link)
    # The second start signs with a key that the page has to ask for.
    _is_live(page, beyond_s=place + 4)
    expect(page.locator(".picture .fault:visible")).to_have_count(0)
    assert shell.finish().complete
    expect(page.get_by_role("heading", name="The exam has ended")).to_be_visible(timeout=PATIENCE_MS)
