"""A recipient is added in the examiner's page, signs in, unlocks and plays; and the exported archive opens to them."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.contract import canonical, schema
from app.contract.sealing import keys
from app.contract.sealing.archive import open_export
from app.contract.sealing.verify import INTACT, verify_session
from tests.e2e import server_rig
from tests.e2e.chromium import chromium, needs_chromium, until
from tests.e2e.console_fixtures import PASSPHRASE, Recorded, recorded_session

pytestmark = needs_chromium

PATIENCE_MS = 60_000
"""On a loaded machine the derivation of a key alone takes many seconds."""
SECOND, SECOND_PASSWORD, SECOND_PASSPHRASE = "bea", "another long password", "six other words open this key"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A server with one recorded session."""
    with recorded_session(tmp_path_factory.mktemp("console-grants")) as made:
        yield made


@pytest.fixture(scope="module")
def added(recorded: Recorded) -> ec.EllipticCurvePrivateKey:
    """A second examiner's key, in an account of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    with httpx.Client(base_url=recorded.server.url, trust_env=False, timeout=30, headers=server_rig.CSRF) as http:
        assert http.post("/api/v1/login", json={"name": "ada", "password": server_rig.PASSWORD}).is_success
        account = {"name": SECOND, "password": SECOND_PASSWORD, "role": "examiner"}
        assert http.post("/api/v1/accounts", json=account).is_success
        assert http.post("/api/v1/login", json={"name": SECOND, "password": SECOND_PASSWORD}).is_success
        stored = {"label": "Bea's key", "key": schema.to_json(keys.protect(key, SECOND_PASSPHRASE))}
        assert http.post("/api/v1/keys", json=stored).is_success
    return key


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    with chromium() as started:
        yield started


@pytest.fixture
def context(browser: Browser, recorded: Recorded) -> Iterator[BrowserContext]:
    """A browser's window of its own; what goes wrong in a page fails the test."""
    opened = browser.new_context(base_url=recorded.server.url, viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(PATIENCE_MS)
    problems: list[str] = []
    opened.on("weberror", lambda error: problems.append(str(error.error)))
    opened.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
    yield opened
    opened.close()
    assert problems == []


def _open(context: BrowserContext, name: str, password: str) -> Page:
    page = context.new_page()
    page.goto("/console/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Grace Hopper").click()
    expect(page.get_by_role("heading", name="Grace Hopper")).to_be_visible(timeout=PATIENCE_MS)
    return page


def _unlock(page: Page, passphrase: str) -> None:
    page.get_by_label("Passphrase").fill(passphrase)
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator("#camera")).to_be_visible(timeout=PATIENCE_MS)


def _public_key_file(page: Page, to: Path) -> Path:
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the public key").click()
    saved.value.save_as(to)
    return to


def test_who_was_added_signs_in_unlocks_and_plays(
    context: BrowserContext, recorded: Recorded, added: ec.EllipticCurvePrivateKey, tmp_path: Path
) -> None:
    second = _open(context, SECOND, SECOND_PASSWORD)
    expect(second.get_by_text("None of your keys is named in this exam's policy")).to_be_visible(timeout=PATIENCE_MS)
    file = _public_key_file(second, tmp_path / "public.json")
    identity = keys.key_id(added.public_key())
    assert json.loads(file.read_text())["id"] == identity
    second.get_by_role("button", name="Sign out").click()
    expect(second.get_by_role("button", name="Sign in")).to_be_visible(timeout=PATIENCE_MS)
    second.close()

    first = _open(context, "ada", server_rig.PASSWORD)
    _unlock(first, PASSPHRASE)
    first.get_by_role("tab", name="Evidence").click()
    first.get_by_label("Add a recipient").set_input_files(file)
    assert first.locator("#thumbprint").inner_text().replace(" ", "") == identity  # waits for it
    first.get_by_role("button", name="Add bea").click()
    expect(first.get_by_text("(Bea's key) can open")).to_be_visible(timeout=PATIENCE_MS)
    expect(first.locator("#recipients")).to_contain_text("added by Examiner", timeout=PATIENCE_MS)
    first.get_by_role("button", name="Sign out").click()
    expect(first.get_by_role("button", name="Sign in")).to_be_visible(timeout=PATIENCE_MS)
    first.close()

    again = _open(context, SECOND, SECOND_PASSWORD)
    _unlock(again, SECOND_PASSPHRASE)
    until(again, "document.getElementById('camera')?.readyState >= 2", within_s=60)
    expect(again.locator("#faults")).to_be_hidden()
    # So short a recording is fetched, checked and opened whole by playing it.
    expect(again.locator("#verdict")).to_have_text("Intact", timeout=PATIENCE_MS)
    again.get_by_role("tab", name="Evidence").click()
    expect(again.get_by_label("Add a recipient")).to_have_count(0)  # who was added can't add others
    _archive_opens(again, added, tmp_path / "export.zip")


def _archive_opens(page: Page, key: ec.EllipticCurvePrivateKey, path: Path) -> None:
    """The reference verifier reads what the page made."""
    with page.expect_download() as saved:
        page.get_by_role("link", name="Export").click()
    saved.value.save_as(path)
    opened: list[bool] = []
    with open_export(path) as export:
        verdict = verify_session(
            export.manifest(),
            export,
            pin=None,
            private_key=key,
            on_segment=lambda _record, segment: opened.append(segment is not None),
            grants=export.grants,
        )
    (finding,) = verdict.grants
    assert (verdict.chain, verdict.complete, finding.outcome) == (INTACT, True, "ok")
    assert finding.recipient_id == keys.key_id(key.public_key())
    assert (finding.segments, all(opened)) == (len(verdict.records), True)


def test_a_file_that_is_no_public_key_is_a_sentence(context: BrowserContext, tmp_path: Path) -> None:
    page = _open(context, "ada", server_rig.PASSWORD)
    _unlock(page, PASSPHRASE)
    page.get_by_role("tab", name="Evidence").click()
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    lying = {"id": "A" * 43, "name": "Mallory", "key": canonical.b64(keys.public_bytes(other))}
    for content, sentence in (
        ("not JSON", "the file is not a public key"),
        (json.dumps(lying), "the recipient's id is not its key's"),
        (json.dumps({"sealed": "…"}), "this is a private key file"),
    ):
        (tmp_path / "file.json").write_text(content)
        page.get_by_label("Add a recipient").set_input_files(tmp_path / "file.json")
        expect(page.locator("#recipients")).to_contain_text(sentence, timeout=PATIENCE_MS)
        expect(page.locator("#thumbprint")).to_have_count(0)
