"""Whatever lies in ``grants.json``: sound evidence stays sound, and only the signed grant opens it to anybody else."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contract import schema
from app.contract.errors import Outcome
from app.contract.sealing.archive import open_export
from app.contract.sealing.evidence import Verdict
from app.contract.sealing.grants import Grants
from app.contract.sealing.verify import INTACT, verify_session
from tests.property.mutations import wounded
from tests.property.test_hostile_bytes import EXAMPLES, measured
from tests.vectors import forge, granting

FILES = [
    data
    for build in (granting.grant_opens, granting.grant_in_part, granting.grant_second_opens, granting.grant_forged)
    if (data := build().grants_json()) is not None
]
ADDED = forge.p256("stranger")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound export, whose ``grants.json`` each example replaces."""
    path = tmp_path_factory.mktemp("granted")
    draft = granting.grant_opens()
    (path / "segments").mkdir()
    (path / "manifest.json").write_bytes(draft.manifest())
    for name, data in draft.files.items():
        (path / name).write_bytes(data)
    return path


def _verified(folder: Path, grants: bytes, *, added: bool) -> Verdict:
    (folder / "grants.json").write_bytes(grants)
    key = ADDED if added else forge.p256("examiner")
    with open_export(folder) as export:
        return verify_session(export.manifest(), export, pin=None, private_key=key, grants=export.grants)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_broken_file_of_grants_never_changes_the_verdict(folder: Path, data: st.DataObject) -> None:
    broken = data.draw(wounded(FILES))

    def look() -> None:
        verdict = _verified(folder, broken, added=False)
        assert (verdict.chain, verdict.complete) == (INTACT, True)

    measured(look)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, 2**32), bit=st.integers(0, 7))
def test_no_bit_of_a_grant_can_be_changed_unnoticed(folder: Path, at: int, bit: int) -> None:
    good = FILES[0]
    place = at % len(good)
    broken = good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :]
    verdict = _verified(folder, broken, added=True)
    assert [fault.where for fault in verdict.faults] == ["key"]
    assert [grant.outcome for grant in verdict.grants] != [Outcome.OK]


def test_the_good_file_is_good(folder: Path) -> None:
    """Otherwise the wounds above would show nothing."""
    assert all(schema.loads(Grants, data) for data in FILES)
    verdict = _verified(folder, FILES[0], added=True)
    assert (verdict.chain, verdict.complete, verdict.grants[0].outcome) == (INTACT, True, Outcome.OK)
