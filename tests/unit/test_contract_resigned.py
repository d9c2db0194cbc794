"""Statements that are rightly signed and say what can't be: each is caught by the one check that is named here.

The vectors hold a choice of these for every reader; this is the whole list for ours.
"""

from collections.abc import Callable
from typing import Any

import pytest

from app.contract import canonical, schema
from app.contract.errors import Outcome
from app.contract.sealing.evidence import Manifest, Verdict
from app.contract.sealing.verify import verify_session
from tests.vectors import forge
from tests.vectors.cases import small
from tests.vectors.draft import DEPUTY, EXAMINER, Draft

FILE = "segments/0-camera-1.fls"


class Files:
    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)


def verified(draft: Draft, *, opening: bool = True) -> Verdict:
    manifest = schema.loads(Manifest, draft.manifest())
    pin = forge.key_id(forge.p256("institution"))
    key = forge.p256(EXAMINER) if opening else None
    return verify_session(manifest, Files(draft.files), pin=pin, private_key=key)


def bound(**edits: Any) -> Draft:
    """Return a session whose second binding is edited."""
    draft = small("resigned", 1)
    draft.bind(**edits)
    return draft


def recorded(**arguments: Any) -> Draft:
    """Return a session whose second segment is made with ``arguments``."""
    draft = small("resigned", 1)
    draft.segment("camera", **arguments)
    return draft


def receipted(**edits: Any) -> Draft:
    """Return a session whose last receipt is edited."""
    draft = small("resigned", 1)
    body: Any = canonical.loads(canonical.unb64(draft.records[0].split(".")[1]))
    draft.receipts.pop()
    draft.receipt({**body, **edits}, **{k: v for k, v in edits.items() if k == "session"})
    return draft


def completed(**edits: Any) -> Draft:
    """Return a session whose completion is edited."""
    draft = small("resigned").finish()
    draft.complete(**edits)
    return draft


def ended_by_old_key() -> Draft:
    """Return a session that the first epoch's key ended after the second had recorded."""
    draft = small("resigned", 1)
    draft.bind()
    draft.segment("camera")
    draft.epoch = 0
    return draft.finish()


def first_key_again() -> Draft:
    """Return a session in which the first epoch's key signs after the second's."""
    draft = small("resigned", 1)
    draft.bind()
    draft.segment("journal")
    draft.segment("camera", epoch=0, signer=draft.epoch_key(0))
    return draft


def recipients_without_the_examiner() -> Draft:
    """Return a session sealed to the deputy alone, where the policy names both."""
    draft = Draft("session-resigned", recipients=(EXAMINER, DEPUTY))
    draft.bind()
    draft.segment("journal")
    draft.segment("camera", recipients=draft.recipients[1:])
    return draft


SECOND_KEY = forge.b64(forge.public(forge.ed("session-resigned epoch 0")))

CASES: dict[str, tuple[Callable[[], Draft], Outcome, str]] = {
    "binding: session": (lambda: bound(session="session-else"), Outcome.RECORD_MISMATCH, "binding 1"),
    "binding: candidate": (lambda: bound(candidate="Eve"), Outcome.RECORD_MISMATCH, "binding 1"),
    "binding: policy": (lambda: bound(policy=forge.b64(bytes(32))), Outcome.WRONG_POLICY, "binding 1"),
    "binding: exam": (lambda: bound(exam="algebra-2"), Outcome.WRONG_POLICY, "binding 1"),
    "binding: epoch repeated": (lambda: bound(epoch=0), Outcome.BROKEN_CHAIN, "binding 1"),
    "binding: epoch skipped": (lambda: bound(epoch=2), Outcome.BROKEN_CHAIN, "binding 1"),
    "binding: key of an earlier epoch": (lambda: bound(signing_key=SECOND_KEY), Outcome.BROKEN_CHAIN, "binding 1"),
    "record: session": (lambda: recorded(record={"session": "session-else"}), Outcome.RECORD_MISMATCH, "record 1"),
    "record: previous": (
        lambda: recorded(record={"previous": forge.b64(bytes(32))}),
        Outcome.BROKEN_CHAIN,
        "record 1",
    ),
    "record: epoch not yet begun": (
        lambda: recorded(record={"epoch": 1, "sequence": 0}),
        Outcome.BROKEN_CHAIN,
        "record 1",
    ),
    "record: signed by an epoch that had ended": (first_key_again, Outcome.BROKEN_CHAIN, "record 2"),
    "record: sequence skipped": (lambda: recorded(record={"sequence": 2}), Outcome.BROKEN_CHAIN, "record 1"),
    "record: sequence repeated": (lambda: recorded(record={"sequence": 0}), Outcome.BROKEN_CHAIN, "record 1"),
    "record: size": (lambda: recorded(record={"size": 7}), Outcome.DIGEST_MISMATCH, FILE),
    "record: digest": (lambda: recorded(record={"digest": forge.b64(bytes(32))}), Outcome.DIGEST_MISMATCH, FILE),
    "record: fewer fragments": (lambda: recorded(record={"fragments": 2}), Outcome.RECORD_MISMATCH, FILE),
    "record: more fragments": (lambda: recorded(record={"fragments": 4}), Outcome.TRUNCATED, FILE),
    "record: complete": (lambda: recorded(final=False, record={"complete": True}), Outcome.TRUNCATED, FILE),
    "record: complete, torn": (
        lambda: recorded(edit=lambda data: data[:-1], record={"fragments": 2}),
        Outcome.TRUNCATED,
        FILE,
    ),
    "record: start_ms": (lambda: recorded(record={"start_ms": 77}), Outcome.RECORD_MISMATCH, FILE),
    "header: session": (lambda: recorded(header={"session": "session-else"}), Outcome.RECORD_MISMATCH, FILE),
    "header: epoch": (lambda: recorded(header={"epoch": 1}), Outcome.RECORD_MISMATCH, FILE),
    "header: track": (lambda: recorded(header={"track": "screen"}), Outcome.RECORD_MISMATCH, FILE),
    "header: sequence": (lambda: recorded(header={"sequence": 5}), Outcome.RECORD_MISMATCH, FILE),
    "header: previous": (lambda: recorded(previous=bytes(32)), Outcome.BROKEN_CHAIN, FILE),
    "header: a recipient added": (
        lambda: recorded(recipients=[forge.p256(EXAMINER), forge.p256(DEPUTY)]),
        Outcome.WRONG_RECIPIENT,
        FILE,
    ),
    "header: a recipient left out": (
        recipients_without_the_examiner,
        Outcome.WRONG_RECIPIENT,
        "segments/0-camera-0.fls",
    ),
    "receipt: session": (lambda: receipted(session="session-else"), Outcome.BAD_RECEIPT, "receipt 0"),
    "receipt: size": (lambda: receipted(size=7), Outcome.BAD_RECEIPT, "receipt 0"),
    "receipt: digest": (lambda: receipted(digest=forge.b64(bytes(32))), Outcome.BAD_RECEIPT, "receipt 0"),
    "end: session": (lambda: small("resigned").finish(session="session-else"), Outcome.RECORD_MISMATCH, "end"),
    "end: head": (lambda: small("resigned").finish(head=forge.b64(bytes(32))), Outcome.BROKEN_CHAIN, "end"),
    "end: records": (lambda: small("resigned").finish(records=3), Outcome.BROKEN_CHAIN, "end"),
    "end: segments": (lambda: small("resigned").finish(segments={"camera": 3}), Outcome.RECORD_MISMATCH, "end"),
    "end: signed by an epoch that had ended": (ended_by_old_key, Outcome.BROKEN_CHAIN, "end"),
    "completion: session": (lambda: completed(session="session-else"), Outcome.BAD_RECEIPT, "completion"),
    "completion: end": (lambda: completed(end=forge.b64(bytes(32))), Outcome.BAD_RECEIPT, "completion"),
}


@pytest.mark.parametrize("name", CASES)
def test_resigned(name: str) -> None:
    build, outcome, where = CASES[name]
    verdict = verified(build())
    assert (verdict.faults[0].outcome, verdict.faults[0].where) == (outcome, where)
    assert verdict.chain == outcome


def test_the_same_sessions_without_the_edit_are_sound() -> None:
    for draft in (bound(), recorded(), receipted(), small("resigned").finish(), completed()):
        assert verified(draft).faults == ()


@pytest.mark.parametrize("name", ["record: complete, torn", "record: more fragments"])
def test_a_cut_file_is_seen_without_a_key(name: str) -> None:
    build, outcome, where = CASES[name]
    assert [(fault.outcome, fault.where) for fault in verified(build(), opening=False).faults] == [(outcome, where)]


@pytest.mark.parametrize("absent", ["end", "completion", "receipts"])
def test_complete_needs_all_three(absent: str) -> None:
    draft = small("resigned").finish()
    assert verified(draft).complete
    if absent == "receipts":
        draft.receipts.pop()
    else:
        draft.completion = None
        draft.end = None if absent == "end" else draft.end
    verdict = verified(draft)
    assert (verdict.faults, verdict.complete) == ((), False)
