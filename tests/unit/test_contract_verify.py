"""A whole session written by the product's own code verifies, and no signed statement can be changed in any field."""

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from app.contract import canonical, schema
from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import Track
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.sealing.evidence import Manifest, Verdict, segment_name
from app.contract.sealing.records import (
    BINDING_TYPE,
    COMPLETION_TYPE,
    END_TYPE,
    POLICY_TYPE,
    RECEIPT_TYPE,
    RECORD_TYPE,
    Binding,
    Completion,
    End,
    Receipt,
    Record,
    genesis,
)
from app.contract.sealing.segment import OpenedSegment, SegmentSealer
from app.contract.sealing.verify import INTACT, verify_session
from tests.vectors import draft, forge

INSTITUTION, SERVER, SESSION_KEY = forge.p256("institution"), forge.ed("server"), forge.ed("session")
EXAMINER = forge.p256("examiner")
SESSION = "session-1"
NOW = draft.START_MS


class Files:
    """A segment store that counts, so that memory stays at one segment."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.read_names: list[str] = []

    def read(self, name: str) -> bytes | None:
        self.read_names.append(name)
        return self.files.get(name)


def product_session() -> tuple[Manifest, Files]:
    """Write a session as server and application do: policy, binding, two tracks, receipts, end, completion."""
    policy = schema.from_json(Policy, draft.policy())
    policy_token = jws.sign(policy, INSTITUTION, typ=POLICY_TYPE)
    binding = Binding(
        version=1,
        session=SESSION,
        exam=policy.exam,
        candidate="Ada",
        epoch=0,
        signing_key=forge.public(SESSION_KEY),
        program=bytes(32),
        policy=jws.digest(policy_token),
        bound_ms=NOW,
    )
    files, records, receipts = Files(), [], []
    head = genesis(SESSION, jws.digest(policy_token))
    for track, sequence in ((Track.CAMERA, 0), (Track.JOURNAL, 0), (Track.CAMERA, 1)):
        record, data = _product_segment(policy, track, sequence, head)
        token = jws.sign(record, SESSION_KEY, typ=RECORD_TYPE)
        head = jws.digest(token)
        records.append(token)
        files.files[segment_name(record)] = data
        receipt = Receipt(
            version=1,
            session=SESSION,
            record=head,
            digest=sha256(data).digest(),
            size=len(data),
            received_ms=NOW,
        )
        receipts.append(jws.sign(receipt, SERVER, typ=RECEIPT_TYPE))
    end = End(
        version=1,
        session=SESSION,
        head=head,
        records=3,
        segments={"camera": 2, "journal": 1, "screen": 0},
        reason="submit",
        ended_ms=NOW,
    )
    end_token = jws.sign(end, SESSION_KEY, typ=END_TYPE)
    completion = Completion(version=1, session=SESSION, end=jws.digest(end_token), completed_ms=NOW)
    manifest = Manifest(
        version=1,
        session=SESSION,
        institution_key=forge.public(INSTITUTION),
        policy=policy_token,
        bindings=(jws.sign(binding, SERVER, typ=BINDING_TYPE),),
        records=tuple(records),
        receipts=tuple(receipts),
        end=end_token,
        completion=jws.sign(completion, SERVER, typ=COMPLETION_TYPE),
    )
    return manifest, files


def _product_segment(policy: Policy, track: Track, sequence: int, head: bytes) -> tuple[Record, bytes]:
    sealer = SegmentSealer(
        session=SESSION,
        epoch=0,
        track=track,
        sequence=sequence,
        mime="video/mp4",
        start_ms=sequence * 5_000,
        utc_ms=NOW,
        previous=head,
        recipients=policy.recipients,
    )
    data = sealer.preamble + sealer.seal(b"picture") + sealer.seal(b"sound", final=True)
    return sealer.record(previous=head, duration_ms=5_000, closed_ms=NOW), data


def verified(manifest: Manifest, files: Files, **arguments: Any) -> Verdict:
    given = {"pin": forge.key_id(INSTITUTION), "private_key": EXAMINER, **arguments}
    return verify_session(manifest, files, **given)


def test_a_session_written_by_the_product_is_intact_and_complete() -> None:
    manifest, files = product_session()
    verdict = verified(manifest, files)
    assert (verdict.chain, verdict.faults, verdict.complete) == (INTACT, (), True)
    assert verdict.segments == {"camera": 2, "journal": 1}
    assert verdict.bytes == sum(map(len, files.files.values()))
    assert len(verdict.records) == 3


def test_each_file_is_read_once_and_handed_on_opened() -> None:
    manifest, files = product_session()
    seen: list[tuple[Record, OpenedSegment | None]] = []
    verified(manifest, files, on_segment=lambda record, opened: seen.append((record, opened)))
    assert files.read_names == list(files.files)
    assert [opened.fragments for _, opened in seen if opened] == [(b"picture", b"sound")] * 3


def test_without_a_key_nothing_is_opened_and_all_else_is_checked() -> None:
    manifest, files = product_session()
    seen: list[OpenedSegment | None] = []
    verdict = verified(manifest, files, private_key=None, on_segment=lambda _, opened: seen.append(opened))
    assert (verdict.chain, seen) == (INTACT, [None, None, None])


def test_every_fault_is_reported_not_the_first_alone() -> None:
    manifest, files = product_session()
    first, second, third = files.files
    files.files[first] += b"x"
    del files.files[second]
    files.files[third] = b""
    verdict = verified(replace(manifest, completion="x", receipts=("y", *manifest.receipts[1:])), files)
    found = {
        where: [f.outcome for f in verdict.faults if f.where == where] for where in {f.where for f in verdict.faults}
    }
    assert found == {
        first: [Outcome.DIGEST_MISMATCH, Outcome.TRUNCATED, Outcome.BAD_FORMAT],
        second: [Outcome.MISSING],
        third: [Outcome.DIGEST_MISMATCH, Outcome.BAD_FORMAT],
        "receipt 0": [Outcome.BAD_RECEIPT],
        "completion": [Outcome.BAD_RECEIPT],
    }
    assert verdict.chain == Outcome.DIGEST_MISMATCH


def test_a_store_that_refuses_a_file_is_a_fault_at_that_file() -> None:
    manifest, files = product_session()

    class Refusing(Files):
        def read(self, name: str) -> bytes | None:
            raise IntegrityError(Outcome.BAD_FORMAT, "too large")

    verdict = verified(manifest, Refusing())
    assert {(fault.outcome, fault.where) for fault in verdict.faults} == {
        (Outcome.BAD_FORMAT, name) for name in files.files
    }


# --- every field of every signed statement ------------------------------------------------------------------------

STATEMENTS: dict[str, tuple[type, Callable[[Manifest, str], Manifest], Callable[[Manifest], str]]] = {
    "policy": (Policy, lambda m, t: replace(m, policy=t), lambda m: m.policy),
    "binding": (Binding, lambda m, t: replace(m, bindings=(t,)), lambda m: m.bindings[0]),
    "record": (Record, lambda m, t: replace(m, records=(t, *m.records[1:])), lambda m: m.records[0]),
    "receipt": (Receipt, lambda m, t: replace(m, receipts=(t, *m.receipts[1:])), lambda m: m.receipts[0]),
    "end": (End, lambda m, t: replace(m, end=t), lambda m: m.end or ""),
    "completion": (Completion, lambda m, t: replace(m, completion=t), lambda m: m.completion or ""),
}
FIELDS = [(name, field.name) for name, (cls, _, _) in STATEMENTS.items() for field in dataclasses.fields(cls)]


def _changed(value: Any) -> Any:
    """Return another JSON value of the same type, within the field's limits as far as they go."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return ("B" if value[:1] != "B" else "C") + value[1:]
    if isinstance(value, dict):
        key = next(iter(value), None)
        return {**value, key: _changed(value[key])} if key is not None else {"camera": 9}
    if isinstance(value, list):
        return [_changed(value[0]), *value[1:]] if value else ["x"]
    return 60


def _edited(token: str, field: str) -> str:
    head, body, signature = token.split(".")
    payload: Any = canonical.loads(canonical.unb64(body))
    payload[field] = _changed(payload[field])
    return f"{head}.{canonical.b64(canonical.dumps(payload))}.{signature}"


@pytest.mark.parametrize(("statement", "field"), FIELDS, ids=[f"{s}.{f}" for s, f in FIELDS])
def test_field_changed_after_signing(statement: str, field: str) -> None:
    manifest, files = product_session()
    _, put, take = STATEMENTS[statement]
    verdict = verified(put(manifest, _edited(take(manifest), field)), files)
    expected = {"receipt": Outcome.BAD_RECEIPT, "completion": Outcome.BAD_RECEIPT}
    assert verdict.faults[0].outcome == expected.get(statement, Outcome.BAD_SIGNATURE)
    assert verdict.faults[0].where.startswith(statement)
    assert not verdict.complete


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_of_another_type_in_its_place(statement: str) -> None:
    manifest, files = product_session()
    _, put, take = STATEMENTS[statement]
    body: Any = canonical.loads(canonical.unb64(take(manifest).split(".")[1]))
    key: Any = {"policy": INSTITUTION, "record": SESSION_KEY, "end": SESSION_KEY}.get(statement, SERVER)
    verdict = verified(put(manifest, forge.token(body, key, "fairlock-action+v1")), files)
    assert verdict.faults[0].where.startswith(statement)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_signed_by_somebody_else_under_the_right_name(statement: str) -> None:
    manifest, files = product_session()
    _, put, take = STATEMENTS[statement]
    body: Any = canonical.loads(canonical.unb64(take(manifest).split(".")[1]))
    kid = jws.key_id_of(take(manifest))
    forger: Any = forge.p256("forger") if statement == "policy" else forge.ed("forger")
    verdict = verified(put(manifest, forge.token(body, forger, f"fairlock-{statement}+v1", kid=kid)), files)
    expected = {"receipt": Outcome.BAD_RECEIPT, "completion": Outcome.BAD_RECEIPT}
    assert verdict.faults[0].outcome == expected.get(statement, Outcome.BAD_SIGNATURE)


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.e30", "x" * 300_000])
def test_rubbish_in_place_of_a_statement(statement: str, token: str) -> None:
    manifest, files = product_session()
    _, put, _ = STATEMENTS[statement]
    verdict = verified(put(manifest, token), files)
    assert verdict.faults
    assert verdict.faults[0].where.startswith(statement)


@pytest.mark.parametrize("pin", ["", "x" * 43, forge.key_id(forge.p256("another institution"))])
def test_another_pin(pin: str) -> None:
    manifest, files = product_session()
    verdict = verified(manifest, files, pin=pin)
    assert [(fault.outcome, fault.where) for fault in verdict.faults] == [(Outcome.UNKNOWN_KEY, "policy")]
    assert not verdict.complete


def test_session_renamed() -> None:
    manifest, files = product_session()
    assert verified(replace(manifest, session="session-2"), files).chain == Outcome.RECORD_MISMATCH


def test_receipts_in_another_order_are_still_theirs() -> None:
    manifest, files = product_session()
    assert verified(replace(manifest, receipts=manifest.receipts[::-1]), files).complete
