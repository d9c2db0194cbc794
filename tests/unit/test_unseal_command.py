"""``fairlock open EXPORT --key … --out …``: what comes out plays, what was changed stays out and is named."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.contract.journal import Entry, EntryType, PictureMeta, encode_entries, encode_picture
from app.contract.times import Instant
from app.verify import EXIT_COMPLETE, EXIT_FAULTS, EXIT_UNREADABLE
from capture.review import decoded_seconds
from tests.e2e import console_media as media
from tests.vectors import forge
from tests.vectors.draft import EXAMINER, Draft

SECONDS = 11
PIN = forge.key_id(forge.p256("institution"))
PASSPHRASE = "a passphrase for tests"
INCIDENT = "../../../etc/incident"


@pytest.fixture(scope="module")
def cuts() -> dict[str, list[media.Cut]]:
    origin = Instant(mono_ns=0, utc_ms=0)
    return {
        "camera": media.camera(origin, SECONDS),
        "screen": media.screen(origin, SECONDS),
        "microphone": media.microphone(origin, SECONDS),
    }


def _draft(cuts: dict[str, list[media.Cut]], *, epochs: int = 1) -> Draft:
    draft = Draft("opened-session")
    for _ in range(epochs):
        draft.bind()
        for track, parts in cuts.items():
            for cut in parts:
                times = {"start_ms": cut.start_ms}
                fields = {**times, "mime": cut.mime}
                record = {**times, "duration_ms": cut.duration_ms}
                draft.segment(track, header=fields, record=record, plaintexts=[*cut.pieces, b""])
        entry = Entry(type=EntryType.NOTE, at_ms=5, utc_ms=6, body={"text": "größer ✓"})
        draft.segment("journal", plaintexts=[encode_entries([entry] * 3), encode_entries([entry]), b""])
        meta = PictureMeta(incident=INCIDENT, at_ms=7, mime="image/jpeg")
        draft.segment("pictures", plaintexts=[encode_picture(meta, b"\xff\xd8 a picture"), b""])
    return draft.finish()


def _zipped(draft: Draft, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", draft.manifest())
        for name, data in draft.files.items():
            archive.writestr(name, data)
    return path


Open = Callable[..., tuple[int, str, Path]]


@pytest.fixture
def open_(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Open:
    """Run the command on a draft; return its exit code, its words and the folder."""
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "key.json").write_text(json.dumps(forge.protected_key(EXAMINER, PASSPHRASE)))

    def run(draft: Draft, *, key: Path = tmp_path / "key.json") -> tuple[int, str, Path]:
        export = _zipped(draft, tmp_path / "export.zip")
        out = tmp_path / "out"
        files = ["--key", str(key), "--passphrase-file", str(tmp_path / "passphrase"), "--out", str(out)]
        code = main(["open", str(export), *files, f"--pin={PIN}"])
        said = capsys.readouterr()
        return code, said.out + said.err, out

    return run


def _report(out: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    return report


def test_what_comes_out_plays_from_beginning_to_end(open_: Open, cuts: dict[str, list[media.Cut]]) -> None:
    code, said, out = open_(_draft(cuts))
    assert code == EXIT_COMPLETE, said
    assert "INTACT and complete" in said
    for name in ("camera.mp4", "screen.mp4", "microphone.m4a"):
        assert decoded_seconds([(out / name).read_bytes()]) == pytest.approx(SECONDS, abs=0.3), name
    entries = json.loads((out / "journal.json").read_text("utf-8"))
    assert [(entry["type"], entry["body"]["text"]) for entry in entries] == [("note", "größer ✓")] * 4
    assert json.loads((out / "pictures.json").read_text()) == [
        {"file": "pictures/00001.jpg", "incident": INCIDENT, "at_ms": 7}
    ]
    assert (out / "pictures/00001.jpg").read_bytes() == b"\xff\xd8 a picture"
    recordings = {one["file"]: (one["from_ms"], one["segments"]) for one in _report(out)["opened_files"]["recordings"]}
    assert recordings == dict.fromkeys(("camera.mp4", "screen.mp4", "microphone.m4a"), (0, 3))
    assert _report(out)["server_incidents"][0]["kind"] == "server_unreachable"
    assert "11 of 11 segments" in said


def test_what_was_changed_stays_out_and_is_named_and_the_rest_opens(
    open_: Open, cuts: dict[str, list[media.Cut]]
) -> None:
    draft = _draft(cuts)
    changed = draft.files["segments/0-camera-1.fls"]
    draft.files["segments/0-camera-1.fls"] = changed[:-9] + bytes([changed[-9] ^ 1]) + changed[-8:]
    del draft.files["segments/0-screen-2.fls"]
    code, said, out = open_(draft)
    assert code == EXIT_FAULTS
    report = _report(out)
    assert [(fault["outcome"], fault["where"]) for fault in report["faults"]][:2] == [
        ("digest-mismatch", "segments/0-camera-1.fls"),
        ("bad-fragment", "segments/0-camera-1.fls"),
    ]
    assert ("missing", "segments/0-screen-2.fls") in [(fault["outcome"], fault["where"]) for fault in report["faults"]]
    assert "digest-mismatch" in said
    parts = cuts["camera"]
    kept = b"".join((*parts[0].pieces, *parts[2].pieces[1:]))
    assert (out / "camera.mp4").read_bytes() == kept
    left = [parts[0].pieces, (parts[2].pieces)]
    assert decoded_seconds([kept]) > sum(decoded_seconds(list(pieces)) for pieces in left)  # the hole keeps its length
    assert decoded_seconds([(out / "microphone.m4a").read_bytes()]) == pytest.approx(SECONDS, abs=0.3)


def test_other_kind_of_picture_begins_another_file(open_: Open, cuts: dict[str, list[media.Cut]]) -> None:
    origin = Instant(mono_ns=0, utc_ms=0)
    small = media.screen(origin, 6, draw=lambda seconds: media.draw_screen(seconds)[:180, :320])
    draft = Draft("opened-session")
    draft.bind()
    for cut in (cuts["screen"][0], *small):
        draft.segment("screen", header={"mime": cut.mime}, plaintexts=[*cut.pieces, b""])
    _code, _said, out = open_(draft.finish())
    assert decoded_seconds([(out / "screen.mp4").read_bytes()]) == pytest.approx(5, abs=0.3)
    assert decoded_seconds([(out / "screen-2.mp4").read_bytes()]) == pytest.approx(6, abs=0.3)


def test_nothing_is_opened_with_the_key_of_somebody_else(
    open_: Open, cuts: dict[str, list[media.Cut]], tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(forge.protected_key("stranger", PASSPHRASE)))
    code, said, out = open_(_draft(cuts), key=other)
    assert code == EXIT_FAULTS
    assert "wrong-recipient" in said
    assert sorted(path.name for path in out.iterdir()) == ["journal.json", "report.json"]


def test_journal_that_is_none_is_told_and_the_rest_opens(open_: Open, cuts: dict[str, list[media.Cut]]) -> None:
    draft = Draft("opened-session")
    draft.bind()
    draft.segment("journal")
    cut = cuts["camera"][0]
    draft.segment("camera", header={"mime": cut.mime}, plaintexts=[*cut.pieces, b""])
    _code, said, out = open_(draft.finish())
    assert "NOT READ: segments/0-journal-0.fls" in said
    assert json.loads((out / "journal.json").read_text()) == []
    assert (out / "camera.mp4").exists()


def test_folder_with_files_is_left_alone(open_: Open, cuts: dict[str, list[media.Cut]], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("not ours")
    code, said, out = open_(_draft({"camera": cuts["camera"]}))
    assert (code, [path.name for path in out.iterdir()]) == (EXIT_UNREADABLE, ["letter.txt"])
    assert "is not empty" in said


def test_what_is_opened_is_for_its_owner_alone(open_: Open, cuts: dict[str, list[media.Cut]]) -> None:
    _code, _said, out = open_(_draft({"camera": cuts["camera"]}))
    assert [path for path in [out, *out.rglob("*")] if path.stat().st_mode & 0o077] == []


def test_the_help_of_the_exams_command_names_every_option_of_this_one(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for arguments in (["open", "--help"], ["open", "--key=k", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        said.append(capsys.readouterr().out)
    options = set(re.findall(r"--[a-z-]+", said[1]))
    assert {"--key", "--out", "--pin", "--passphrase-file"} <= options
    assert options <= set(re.findall(r"--[a-z-]+", said[0]))
