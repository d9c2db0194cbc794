"""The policy's documentation is what its table says."""

import dataclasses
from pathlib import Path

from app.contract.policy import Policy
from app.contract.policy_docs import render

COMMITTED = Path(__file__).parents[2] / "docs" / "policy.md"


def test_the_committed_document_is_up_to_date() -> None:
    assert COMMITTED.read_text("utf-8") == render(), "run: python -m app.contract.policy_docs > docs/policy.md"


def test_every_setting_is_documented() -> None:
    for field in dataclasses.fields(Policy):
        assert f"| `{field.name}` |" in render()
        assert field.metadata["doc"].endswith(".")
