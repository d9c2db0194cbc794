"""Fragments of the journal's track are taken or refused as the vectors say, like in the console."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.contract.errors import IntegrityError, Outcome
from app.contract.journal import decode_entries

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "journal.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["about"] for vector in VECTORS])
def test_a_fragment_of_the_journal(vector: dict[str, Any]) -> None:
    fragment = vector["fragment"].encode()
    if vector["entries"] is not None:
        assert len(decode_entries(fragment)) == vector["entries"]
        return
    with pytest.raises(IntegrityError) as refusal:
        decode_entries(fragment)
    assert refusal.value.outcome == Outcome.BAD_FORMAT
