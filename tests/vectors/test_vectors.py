"""Every vector gives its expected outcome, and the committed vectors are what the generator writes."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.contract import schema
from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing import keys
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import Verdict
from app.contract.sealing.records import Record
from app.contract.sealing.segment import OpenedSegment
from app.contract.sealing.verify import INTACT, verify_session
from tests.vectors import generate

FOLDER = Path(__file__).parent
INDEX: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text("utf-8"))
READABLE = [entry for entry in INDEX if not entry["unreadable"]]


def _verify(entry: dict[str, Any]) -> tuple[Verdict, dict[str, str]]:
    key = None
    if entry["key"] is not None:
        blob = schema.loads(keys.ProtectedKey, (FOLDER / entry["key"]).read_bytes())
        key = keys.unprotect(blob, entry["passphrase"])
    plaintext: dict[str, str] = {}

    def seen(record: Record, opened: OpenedSegment | None) -> None:
        if opened is not None:
            name = f"segments/{record.epoch}-{record.track}-{record.sequence}.fls"
            plaintext[name] = hashlib.sha256(b"".join(opened.fragments)).hexdigest()

    with open_export(FOLDER / entry["folder"]) as export:
        verdict = verify_session(
            export.manifest(), export, pin=entry["pin"], private_key=key, on_segment=seen, grants=export.grants
        )
    return verdict, plaintext


@pytest.mark.parametrize("entry", READABLE, ids=[entry["name"] for entry in READABLE])
def test_vector_gives_its_outcome(entry: dict[str, Any]) -> None:
    verdict, _ = _verify(entry)
    expected = INTACT if entry["outcome"] == "ok" else entry["outcome"]
    assert verdict.chain == expected, verdict.faults
    assert verdict.complete == entry["complete"]
    assert [[fault.outcome, fault.where] for fault in verdict.faults] == entry["faults"]
    assert [[grant.outcome, grant.where] for grant in verdict.grants] == entry["grants"]


@pytest.mark.parametrize("entry", [e for e in INDEX if e["unreadable"]], ids=lambda entry: str(entry["name"]))
def test_unreadable_vector_is_refused_with_its_outcome(entry: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError) as refusal:
        _verify(entry)
    assert refusal.value.outcome == entry["outcome"]


@pytest.mark.parametrize("entry", [e for e in INDEX if e["outcome"] == "ok"], ids=lambda entry: str(entry["name"]))
def test_sound_vector_opens_to_its_plaintext(entry: dict[str, Any]) -> None:
    _, plaintext = _verify(entry)
    assert plaintext == entry["plaintext_sha256"]


def test_committed_vectors_are_what_the_generator_writes() -> None:
    for name, data in generate.files().items():
        assert (FOLDER / name).read_bytes() == data, f"{name} differs: run python -m tests.vectors.generate"


def test_every_outcome_has_a_vector() -> None:
    assert {entry["outcome"] for entry in INDEX} == set(Outcome)


def test_vectors_stay_small() -> None:
    assert sum(len(data) for data in generate.files().values()) < 900_000


def test_the_format_says_what_each_change_leads_to() -> None:
    text = (FOLDER.parents[1] / "docs" / "evidence-format.md").read_text("utf-8")
    rows = re.findall(r"^\| .+ \| `([a-z-]+)` \| `([a-z-]+)` \|$", text, re.MULTILINE)
    assert rows == [(entry["outcome"], entry["name"]) for entry in INDEX if entry["outcome"] != "ok"]


def test_the_format_says_what_is_said_of_each_grant() -> None:
    text = (FOLDER.parents[1] / "docs" / "evidence-format.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| .+ \| ((?:`[a-z-]+`(?:, )?)+) \|$", text, re.MULTILINE)
    said = {name: re.findall("[a-z-]+", outcomes) for name, outcomes in rows}
    found = {entry["name"]: [outcome for outcome, _where in entry["grants"]] for entry in INDEX if entry["grants"]}
    assert said == found
