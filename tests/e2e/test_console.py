"""The console in a real Chromium on a real server: sign in, unlock, play, look at incidents, and see tampering."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.contract.incidents import Track
from app.contract.tiers import MEANING, Tier
from tests.e2e import server_rig
from tests.e2e.chromium import PATIENCE_S, chromium, needs_chromium, until
from tests.e2e.console_fixtures import PASSPHRASE, Recorded, recorded_session

pytestmark = needs_chromium

# Reads the middle of a video's picture back: average brightness, and a coarse print to tell two pictures apart.
PICTURE = """(id) => {
    const video = document.getElementById(id);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 16;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 16, 16);
    const pixels = context.getImageData(0, 0, 16, 16).data.filter((_, index) => index % 4 !== 3);
    return { mean: pixels.reduce((sum, value) => sum + value, 0) / pixels.length, print: pixels.join() };
}"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A server with one recorded session."""
    with recorded_session(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, recorded: Recorded) -> Iterator[Page]:
    """A page on the console; an error of its own, or a breach of its CSP, fails the test."""
    context = browser.new_context(base_url=recorded.server.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(1_000 * PATIENCE_S)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
    opened.goto("/console/")
    yield opened
    context.close()
    assert problems == []


def _sign_in(page: Page) -> None:
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(server_rig.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()


def _open(page: Page) -> None:
    _sign_in(page)
    page.get_by_role("link", name="Grace Hopper").click()
    expect(page.get_by_role("heading", name="Grace Hopper")).to_be_visible()


def _unlock(page: Page, passphrase: str = PASSPHRASE) -> None:
    page.get_by_label("Passphrase").fill(passphrase)
    page.get_by_role("button", name="Unlock").click()


def _wait_for_picture(page: Page) -> None:
    until(page, "document.getElementById('camera')?.readyState >= 2")


def test_wrong_password_is_a_sentence(page: Page) -> None:
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Name or password is wrong.")).to_be_visible()


def test_wrong_passphrase_is_a_sentence_and_opens_nothing(page: Page) -> None:
    _open(page)
    _unlock(page, "six plain words open that key")
    expect(page.get_by_text("This passphrase does not open the key.")).to_be_visible()
    assert page.locator("video").count() == 0


def test_recording_plays_across_a_segment_boundary(page: Page) -> None:
    _open(page)
    _unlock(page)
    _wait_for_picture(page)
    first = page.evaluate(PICTURE, "camera")
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "document.getElementById('camera').currentTime > 6")
    later = page.evaluate(PICTURE, "camera")
    screen = page.evaluate(PICTURE, "screen")
    assert first["mean"] > 40
    assert later["mean"] > 40
    assert screen["mean"] > 40
    assert first["print"] != later["print"]
    until(
        page,
        "Math.abs(document.getElementById('camera').currentTime - document.getElementById('screen').currentTime) < 0.7",
    )
    assert page.evaluate("document.getElementById('camera').webkitAudioDecodedByteCount") > 0


def test_recording_stops_at_its_end(page: Page) -> None:
    _open(page)
    _unlock(page)
    _wait_for_picture(page)
    page.get_by_role("slider", name="Place in the recording").press("End")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "document.getElementById('camera').currentTime > 16.5")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_incidents_lead_to_their_place(page: Page) -> None:
    _open(page)
    _unlock(page)
    expect(page.get_by_role("tab", name="Incidents (3)")).to_be_visible()
    phone = page.locator("li.incident", has_text="Phone in view")
    expect(phone).to_contain_text("87 %")
    expect(phone.get_by_role("img")).to_be_visible()
    absent = page.locator("li.incident", has_text="Nobody in view")
    expect(absent).to_contain_text("Lasted 3 s")
    phone.get_by_role("button").click()
    # Its evidence window begins three seconds before it.
    until(page, "Math.abs(document.getElementById('camera').currentTime - 6) < 0.5")
    until(page, "document.getElementById('camera').readyState >= 2")
    assert page.evaluate(PICTURE, "camera")["mean"] > 40


def test_incident_without_picture_shows_a_frame_of_the_recording(page: Page) -> None:
    _open(page)
    _unlock(page)
    frame = page.locator("li.incident", has_text="Nobody in view").locator("canvas")
    expect(frame).to_be_visible()
    data = frame.evaluate("(canvas) => canvas.getContext('2d').getImageData(0, 0, 8, 8).data.join()")
    assert any(int(value) > 40 for value in data.split(",")[:3])


def test_examiner_sees_what_was_real_and_which_model_ran(page: Page) -> None:
    _open(page)
    expect(page.get_by_text("Only what the server saw. The rest is sealed.")).to_be_visible()
    _unlock(page)
    expect(page.get_by_text("Camera: sample footage")).to_be_visible()
    page.get_by_role("tab", name="Evidence").click()
    expect(page.get_by_text("Sample film (sample footage, no real device)")).to_be_visible()
    expect(page.get_by_text("yolov3-tiny (demonstration accuracy)").and_(page.locator(":visible"))).to_be_visible()
    page.get_by_role("tab", name="Journal").click()
    expect(page.get_by_text("yolov3-tiny (demonstration accuracy)").and_(page.locator(":visible"))).to_be_visible()


def test_examiner_sees_how_the_computer_was_locked(page: Page) -> None:
    _open(page)
    _unlock(page)
    page.get_by_role("tab", name="Evidence").click()
    panel = page.locator("section.particulars").filter(has_text="How the computer was locked")
    expect(panel).to_contain_text(f"Tier A {MEANING[Tier.A]}")
    expect(panel).to_contain_text("Kiosk, Process watch")
    expect(panel).to_contain_text("Missing: capture shield")
    expect(panel).to_contain_text("X11 has no protection from recording.")


def test_whole_session_verifies(page: Page) -> None:
    _open(page)
    expect(page.locator("#verdict")).to_contain_text("Signatures intact")
    _unlock(page)
    page.get_by_role("button", name="Verify all files").click()
    expect(page.locator("#verdict")).to_have_text("Intact")
    expect(page.locator("#faults")).to_be_hidden()


@pytest.fixture
def tampered(recorded: Recorded) -> Iterator[Path]:
    """One bit of the second camera segment is flipped on the server's disk, and put back."""
    path = recorded.segment(Track.CAMERA, 1)
    original = path.read_bytes()
    changed = bytearray(original)
    changed[len(changed) // 2] ^= 1
    path.write_bytes(changed)
    yield path
    path.write_bytes(original)


def test_tampered_segment_is_named_and_not_played(page: Page, tampered: Path) -> None:
    _open(page)
    _unlock(page)
    page.get_by_role("button", name="Verify all files").click()
    banner = page.locator("#faults")
    expect(banner).to_contain_text("digest-mismatch")
    expect(banner).to_contain_text("segments/0-camera-1.fls")
    expect(page.locator("#verdict")).to_have_text("Fault: digest-mismatch")
    # Playback steps over the five seconds that can't be trusted.
    page.get_by_role("slider", name="Place in the recording").press("Home")
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "document.getElementById('camera').currentTime > 10.2")
    assert page.evaluate(
        """() => [...Array(document.getElementById('camera').buffered.length).keys()].every(
            (i) => !(document.getElementById('camera').buffered.start(i) < 7.5
                && document.getElementById('camera').buffered.end(i) > 7.5))"""
    )


def test_missing_segment_is_named(page: Page, recorded: Recorded) -> None:
    path = recorded.segment(Track.SCREEN, 1)
    original = path.read_bytes()
    path.unlink()
    try:
        _open(page)
        page.get_by_role("button", name="Verify all files").click()
        expect(page.locator("#faults")).to_contain_text("missing")
        expect(page.locator("#faults")).to_contain_text("segments/0-screen-1.fls")
    finally:
        path.write_bytes(original)


def test_export_is_offered(page: Page, recorded: Recorded) -> None:
    _open(page)
    link = page.get_by_role("link", name="Export")
    assert link.get_attribute("href") == f"/api/v1/sessions/{recorded.session}/export"
