"""A Chromium whose tabs are as people have them: one is in front, and the others are hidden.

Playwright makes every page of a browser that it starts believe that it is in front. A browser that was started without
it keeps its own ways (``no_defaults``).
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, BrowserType

from tests.e2e.chromium import CHROMIUM, FLAGS, START_S


@contextmanager
def chromium_with_tabs(kind: BrowserType, profile: Path) -> Iterator[BrowserContext]:
    """Run a Chromium without a window on a fresh ``profile``; its first tab is there."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{_port(profile, process)}"
            browser = kind.connect_over_cdp(url, no_defaults=True, timeout=1_000 * START_S)
            yield browser.contexts[0]
            browser.close()
        finally:
            process.terminate()


def _port(profile: Path, process: "subprocess.Popen[bytes]") -> int:
    """Wait for the file in which Chromium says where it listens."""
    said = profile / "DevToolsActivePort"
    deadline = time.monotonic() + START_S
    while not (said.exists() and said.read_text().count("\n")):
        assert process.poll() is None, "Chromium did not start"
        assert time.monotonic() < deadline, "Chromium does not say where it listens"
        time.sleep(0.1)
    return int(said.read_text().splitlines()[0])
