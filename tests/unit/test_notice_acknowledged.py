"""Which notice was acknowledged stands in the journal word for word, with its digest, and a verifier shows it."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app import verify
from app.contract.canonical import Json
from app.contract.journal import Entry, EntryType, encode_entries, notice_body
from app.contract.policy import Retention
from app.shell import text, theme
from app.shell.screens.notice import NoticeScreen
from tests.unit.shell_parts import dressed
from tests.unit.shell_policies import POLICY
from tests.vectors import forge
from tests.vectors.draft import EXAMINER, Draft

SAID = "What happens\nWho can open it: nobody"


def shown(qtbot: QtBot, **edits: object) -> str:
    screen = NoticeScreen(dressed(theme.LIGHT), replace(POLICY, **edits))  # type: ignore[arg-type]
    qtbot.addWidget(screen)
    return screen.shown


def test_another_notice_has_another_digest(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {shown(qtbot), shown(qtbot, retention=Retention(days=7)), shown(qtbot, title="Another exam")}
    monkeypatch.setattr(text, "NOTICE_YES", "I agree")
    said.add(shown(qtbot))
    assert len({notice_body(one, bytes(32))["sha256"] for one in said}) == 4


def test_what_is_kept_is_what_stands_on_the_screen(qtbot: QtBot) -> None:
    words = shown(qtbot)
    for line in (text.recorded(POLICY), text.readers(POLICY), text.kept(POLICY), text.changed(POLICY), POLICY.title):
        assert line in words


def told(folder: Path, *bodies: Mapping[str, Json]) -> verify.Report:
    draft = Draft("session-with-notice")
    draft.bind()
    entries = encode_entries([Entry(type=EntryType.NOTICE, at_ms=0, utc_ms=0, body=body) for body in bodies])
    draft.segment("journal", plaintexts=[entries, entries, b""])
    (folder / "segments").mkdir(parents=True)
    (folder / "manifest.json").write_bytes(draft.finish().manifest())
    for name, data in draft.files.items():
        (folder / name).write_bytes(data)
    return verify.check(folder, pin=None, private_key=forge.p256(EXAMINER))


def test_the_verifier_shows_it_once_and_says_where_it_does_not_fit(tmp_path: Path) -> None:
    digest = sha256(SAID.encode()).hexdigest()
    sound: dict[str, Json] = {"text": SAID, "sha256": digest, "policy": forge.token_digest(Draft("any").policy).hex()}
    report = told(tmp_path / "sound", sound)
    assert next(line for line in verify.describe(report) if digest in line).endswith(digest)
    assert verify.to_json(report)["notices"] == [{"text": SAID, "sha256": digest, "fits": True}]
    edits: list[dict[str, Json]] = [{"sha256": "0"}, {"policy": "0"}, {"text": 7}, {"text": "Less"}]
    # What is no text is no notice, whatever digest stands beside it.
    edits += [{"text": 7, "sha256": sha256(b"7").hexdigest()}, {"text": None, "sha256": sha256(b"").hexdigest()}]
    for number, edit in enumerate(edits):
        report = told(tmp_path / str(number), {**sound, **edit})
        assert [notice.fits for notice in report.notices] == [False]
        assert any("NOT what the journal says" in line for line in verify.describe(report))


def test_many_different_notices_fill_no_terminal(tmp_path: Path) -> None:
    report = told(tmp_path, *({"text": str(number)} for number in range(verify.SHOWN_FAULTS + 3)))
    lines = [line for line in verify.describe(report) if line.startswith(("Notice read", "… and"))]
    assert len(lines) == verify.SHOWN_FAULTS + 1
    assert lines[-1] == "… and 3 more notices."
    assert len(report.notices) == verify.SHOWN_FAULTS + 3
