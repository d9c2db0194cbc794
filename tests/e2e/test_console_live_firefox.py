"""Watching a running exam in a real Firefox: the same page plays the same sealed fragments over a boundary, live."""

from pathlib import Path

import pytest

from tests.e2e import server_rig
from tests.e2e.console_fixtures import PASSPHRASE
from tests.e2e.firefox import FIREFOX, firefox
from tests.e2e.live_hall import SECONDS, live_hall
from tests.e2e.test_console_firefox import CAMERA, FILL, PRESS, SHOWN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FIREFOX is None, reason="no Firefox here: packaging/system_packages.sh develop brings one"),
]


def test_a_running_exam_is_watched_live(tmp_path: Path) -> None:
    (profile := tmp_path / "profile").mkdir()
    with live_hall(tmp_path) as hall, firefox(profile) as page, hall.recording("Grace Hopper", at_s=2) as broadcast:
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
