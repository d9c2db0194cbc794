"""The console in a real Firefox: the same page verifies, decrypts and plays the same evidence, seamlessly."""

from collections.abc import Iterator

import pytest

from app.contract.incidents import Track
from tests.e2e import server_rig
from tests.e2e.console_fixtures import PASSPHRASE, SECONDS, Recorded, recorded_session
from tests.e2e.firefox import FIREFOX, Firefox, firefox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FIREFOX is None, reason="no Firefox here: packaging/system_packages.sh develop brings one"),
]

PRESS = """
const named = (text) => [...document.querySelectorAll("button, a")].find((one) => one.textContent.trim() === text
    || one.getAttribute("aria-label") === text || one.textContent.includes(arguments[1] ?? "\\0"));
named(arguments[0]).click();
"""
FILL = """
const label = [...document.querySelectorAll("label")].find((one) => one.textContent.trim() === arguments[0]);
const input = document.getElementById(label.htmlFor) ?? label.querySelector("input");
input.value = arguments[1];
input.dispatchEvent(new Event("input", { bubbles: true }));
input.form.requestSubmit && (input.blur());
"""
CAMERA = "document.getElementById('camera')"
BUFFERED = f"""
const ranges = {CAMERA}.buffered;
return Array.from({{ length: ranges.length }}, (_, index) => [ranges.start(index), ranges.end(index)]);
"""
SHOWN = f"""
const canvas = document.createElement("canvas");
canvas.width = canvas.height = 16;
const context = canvas.getContext("2d");
context.drawImage({CAMERA}, 0, 0, 16, 16);
return context.getImageData(0, 0, 16, 16).data.filter((_, index) => index % 4 !== 3).join();
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A server with one recorded session."""
    with recorded_session(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="module")
def page(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """A Firefox that is signed in."""
    with firefox(tmp_path_factory.mktemp("firefox")) as browser:
        browser.go(f"{recorded.server.url}/console/")
        browser.until("document.querySelector('input[type=password]')")
        browser.run(FILL, "Name", "ada")
        browser.run(FILL, "Password", server_rig.PASSWORD)
        browser.run(PRESS, "Sign in")
        browser.until("document.body.innerText.includes('Grace Hopper')")
        yield browser


def unlock(page: Firefox, recorded: Recorded) -> None:
    page.go(f"{recorded.server.url}/console/")  # forgets the key and what was decrypted
    page.until("document.body.innerText.includes('Grace Hopper')")
    page.run(PRESS, "", "Grace Hopper")
    page.until("document.getElementById('passphrase')")
    page.run(FILL, "Passphrase", PASSPHRASE)
    page.run(PRESS, "Unlock")
    page.until(f"{CAMERA}?.readyState >= 2")


def test_playback_steps_over_a_segment_that_is_missing(page: Firefox, recorded: Recorded) -> None:
    lost = [recorded.segment(track, 1) for track in (Track.CAMERA, Track.MICROPHONE)]
    for path in lost:
        path.rename(path.with_suffix(".away"))
    try:
        unlock(page, recorded)
        page.run(PRESS, "Play")
        page.until(f"{CAMERA}.currentTime > 10.5")
        assert all(end < 5.2 or start > 9.8 for start, end in page.run(BUFFERED))
        assert page.run("return document.getElementById('faults').innerText").count("missing")
    finally:
        for path in lost:
            path.with_suffix(".away").rename(path)


def test_segments_append_seamlessly_and_play_across_their_boundaries(page: Firefox, recorded: Recorded) -> None:
    unlock(page, recorded)
    page.until(f"{CAMERA}.buffered.length && {CAMERA}.buffered.end({CAMERA}.buffered.length - 1) > {SECONDS - 0.5}")
    ((start, end),) = page.run(BUFFERED)  # one stretch: nothing is missing between two segments
    assert start < 0.1
    assert end > SECONDS - 0.5
    first = page.run(SHOWN)
    page.run(PRESS, "Play")
    page.until(f"{CAMERA}.currentTime > 6")
    assert page.run(SHOWN) != first
    assert page.run(f"return {CAMERA}.getVideoPlaybackQuality().totalVideoFrames") > 60
    assert page.run("return document.getElementById('screen').readyState") >= 2


def test_a_seek_shows_what_is_there(page: Firefox, recorded: Recorded) -> None:
    unlock(page, recorded)
    first = page.run(SHOWN)
    page.run(f"{CAMERA}.currentTime = 12.4")
    page.until(f"!{CAMERA}.seeking && {CAMERA}.readyState >= 2 && Math.abs({CAMERA}.currentTime - 12.4) < 0.1")
    assert page.run(SHOWN) != first


def test_the_whole_session_verifies(page: Firefox, recorded: Recorded) -> None:
    unlock(page, recorded)
    page.run(PRESS, "Verify all files")
    page.until("document.getElementById('verdict').textContent === 'Intact'")
