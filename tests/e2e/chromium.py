"""The system's Chromium, driven by playwright, for tests of pages that people open in a browser of their own."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START_S, PATIENCE_S = 120.0, 60.0
FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--disable-gpu", "--mute-audio"]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian package chromium)")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Return a Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS, timeout=1_000 * START_S
        )
        yield started
        started.close()


def until(page: Page, condition: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait until a JavaScript condition holds. (The page's CSP forbids what ``wait_for_function`` does.)"""
    deadline = time.monotonic() + within_s
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"not within {within_s} s: {condition}"
        page.wait_for_timeout(100)
