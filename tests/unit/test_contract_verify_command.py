"""``fairlock verify``: its exit codes, its words, and that it says what is wrong rather than fall over."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.contract import schema
from app.contract.sealing import keys
from app.contract.wire import ExamLink
from app.verify import EXIT_COMPLETE, EXIT_FAULTS, EXIT_INCOMPLETE, EXIT_UNREADABLE, main
from tests.vectors import forge

VECTORS = Path(__file__).parents[1] / "vectors"
INDEX: dict[str, dict[str, Any]] = {e["name"]: e for e in json.loads((VECTORS / "index.json").read_text("utf-8"))}
PIN = forge.key_id(forge.p256("institution"))
KEY = VECTORS / "keys" / "examiner.json"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(INDEX["ok"]["passphrase"] + "\n")
    return path


def test_sound_evidence_ends_with_0_and_says_so(run: Run, passphrase: Path) -> None:
    code, out, err = run(VECTORS / "exports/ok", f"--pin={PIN}", "--key", KEY, "--passphrase-file", passphrase)
    assert (code, err) == (EXIT_COMPLETE, "")
    assert "INTACT and complete" in out
    assert "its key is the pinned one" in out
    assert "give --" not in out


def test_what_was_not_checked_is_said(run: Run) -> None:
    code, out, _ = run(VECTORS / "exports/ok")
    assert code == EXIT_COMPLETE
    assert "give --key" in out
    assert "give --pin" in out


def test_a_fault_ends_with_1_and_is_named(run: Run) -> None:
    code, out, _ = run(VECTORS / "exports/segment-edited", f"--pin={PIN}")
    assert code == EXIT_FAULTS
    assert "digest-mismatch" in out
    assert "segments/0-camera-1.fls" in out
    assert "NOT INTACT" in out


def test_missing_end_ends_with_3(run: Run) -> None:
    code, out, _ = run(VECTORS / "exports/ok-no-end", f"--pin={PIN}")
    assert code == EXIT_INCOMPLETE
    assert "NOT complete" in out


@pytest.mark.parametrize("name", [name for name, entry in INDEX.items() if not entry["unreadable"]])
def test_every_vector_as_json(run: Run, tmp_path: Path, name: str) -> None:
    entry = INDEX[name]
    arguments: list[object] = [VECTORS / entry["folder"], "--json"]
    if entry["pin"]:
        arguments.append(f"--pin={entry['pin']}")
    if entry["key"]:
        (tmp_path / "passphrase").write_text(entry["passphrase"])
        arguments += ["--key", VECTORS / entry["key"], "--passphrase-file", tmp_path / "passphrase"]
    code, out, _ = run(*arguments)
    report = json.loads(out)
    assert report["chain"] == ("intact" if entry["outcome"] == "ok" else entry["outcome"])
    assert report["complete"] == entry["complete"]
    assert [[fault["outcome"], fault["where"]] for fault in report["faults"]] == entry["faults"]
    assert (code == EXIT_COMPLETE) == entry["complete"]
    assert report["opened"] == (entry["key"] is not None and all(where != "key" for _, where in entry["faults"]))


def test_an_exam_link_serves_as_pin(run: Run) -> None:
    link = ExamLink(server="https://exams.example.org", exam="algebra-1", invite="x", pin=PIN)
    assert run(VECTORS / "exports/ok", f"--pin={link.url()}")[0] == EXIT_COMPLETE


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_key_file_may_be_indented(run: Run, tmp_path: Path, passphrase: Path) -> None:
    key = _text(tmp_path / "key.json", json.dumps(json.loads(KEY.read_text()), indent=2) + "\n")
    code, out, _ = run(VECTORS / "exports/ok", f"--pin={PIN}", "--key", key, "--passphrase-file", passphrase)
    assert code == EXIT_COMPLETE
    assert "give --key" not in out


def test_refusals_are_sentences(run: Run, tmp_path: Path, passphrase: Path) -> None:
    ok = VECTORS / "exports/ok"
    wrong = _text(tmp_path / "wrong", "wrong")
    other = keys.protect(forge.p256("somebody else"), "another", rounds=1_000)
    swapped = {**json.loads(KEY.read_text()), "public": json.loads(schema.dumps(other))["public"]}
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    _text(tmp_path / "broken/manifest.json", "{}")
    refusals: dict[str, tuple[object, ...]] = {
        "There is no": (tmp_path / "none",),
        "holds no manifest.json": (tmp_path / "empty",),
        "manifest is not sound": (tmp_path / "broken",),
        "neither a folder nor a zip": (wrong,),
        "The pin is not the id of a key": (ok, "--pin=short"),
        "not a complete exam link": (ok, "--pin=fairlock://join?x"),
        "The passphrase does not open this key": (ok, "--key", KEY, "--passphrase-file", wrong),
        "is not a protected key": (ok, "--key", wrong, "--passphrase-file", passphrase),
        "is another than its id says": (
            ok,
            "--key",
            _text(tmp_path / "swapped", json.dumps(swapped)),
            "--passphrase-file",
            passphrase,
        ),
        "can't be read": (ok, "--key", tmp_path / "none", "--passphrase-file", passphrase),
        "passphrase file": (ok, "--key", KEY, "--passphrase-file", tmp_path / "none"),
    }
    for words, arguments in refusals.items():
        code, out, err = run(*arguments)
        assert (code, out) == (EXIT_UNREADABLE, "")
        assert words in err
        assert ("manifest is not sound" in err) == (words == "manifest is not sound")
        assert err.strip().endswith(".")
        code, out, err = run(*arguments, "--json")
        assert words in json.loads(out)["error"]["message"]
        assert (code, err) == (EXIT_UNREADABLE, "")


def test_evidence_can_not_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    manifest = json.loads((VECTORS / "exports/ok-empty/manifest.json").read_text("utf-8"))
    manifest["session"] = "session-\x1b[2J\r\n"
    (tmp_path / "manifest.json").write_bytes(forge.canonical(manifest))
    _, out, _ = run(tmp_path)
    assert "\x1b" not in out
    assert "\r" not in out


def test_a_key_is_protected_and_opened_again() -> None:
    key = forge.p256("examiner")
    blob = keys.protect(key, "pässphrase", rounds=1_000)
    again = schema.loads(keys.ProtectedKey, schema.dumps(blob))
    assert keys.unprotect(again, "pässphrase").private_numbers() == key.private_numbers()
