"""Sessions to which a recipient was added later, soundly and by somebody who should not.

A bad grant never spoils good evidence: all but the last of these are sound sessions, and what is wrong with a grant is
said of the grant.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from tests.vectors import forge
from tests.vectors.cases import case, flipped, small
from tests.vectors.draft import EXAMINER, START_MS, STRANGER, Draft
from tests.vectors.tampering import CASES, edited

__all__ = ["CASES"]
"""All vectors: those of ``tampering`` and those that are registered here."""

TYPE = "fairlock-grant+v1"


def wraps(draft: Draft, *, to: str = STRANGER, data_key: bytes | None = None) -> list[bytes]:
    """Return record's digest ‖ enc ‖ ct for each segment of a session of camera segments, in the chain's order."""
    made = []
    for number, (name, record) in enumerate(zip(draft.files, draft.records, strict=True)):
        place = f"{draft.session} 0 camera {number}"
        ephemeral = forge.p256(f"grant {place} {to}")
        info = b"fairlock-grant-v1\0" + forge.split(draft.files[name])[0][8:]
        key = data_key or forge.seeded(f"data key {place}")
        made.append(forge.token_digest(record) + forge.hpke_seal(forge.p256(to).public_key(), ephemeral, key, info))
    return made


def grant(
    draft: Draft,
    pieces: Sequence[bytes] | None = None,
    *,
    to: str = STRANGER,
    by: str = EXAMINER,
    typ: str = TYPE,
    recipient: Mapping[str, Any] | None = None,
    **edits: Any,
) -> Draft:
    """Add a grant of all segments or of ``pieces``; ``recipient`` and ``edits`` override fields before it is signed."""
    joined = b"".join(wraps(draft, to=to) if pieces is None else pieces)
    key = forge.p256(to)
    named = {"id": forge.key_id(key), "name": "Second examiner", "key": forge.b64(forge.public(key))}
    payload = {
        "version": 1,
        "session": draft.session,
        "policy": forge.b64(forge.token_digest(draft.policy)),
        "recipient": {**named, **(recipient or {})},
        "wraps": forge.b64(hashlib.sha256(joined).digest()),
        "granted_ms": START_MS + 3_600_000,
        **edits,
    }
    draft.grants.append({"statement": forge.token(payload, forge.p256(by), typ), "wraps": forge.b64(joined)})
    return draft


def finished(name: str) -> Draft:
    """Return a sound session of two segments."""
    return small(name).finish()


@case("ok", complete=True, key=STRANGER)
def grant_opens() -> Draft:
    """Somebody was added later: the grant's key opens every segment"""
    return grant(finished("grant-opens"))


@case("ok", complete=True, key=STRANGER)
def grant_in_part() -> Draft:
    """Somebody was added for the first segment alone: the second is not opened, and that is no fault"""
    draft = finished("grant-in-part")
    draft.unopened = {"segments/0-camera-1.fls"}
    return grant(draft, wraps(draft)[:1])


@case("ok", complete=True, key=STRANGER)
def grant_wraps_moved() -> Draft:
    """Who made the grant put each segment's wrap at the other segment: neither opens"""
    draft = finished("grant-wraps-moved")
    draft.unopened = set(draft.files)
    one, other = wraps(draft)
    return grant(draft, [one[:32] + other[32:], other[:32] + one[32:]])


@case("ok", complete=True, key=STRANGER)
def grant_second_opens() -> Draft:
    """A grant whose wraps do not open does not keep another one from opening"""
    draft = finished("grant-second-opens")
    return grant(grant(draft, [flipped(piece) for piece in wraps(draft)]))


@case("ok", complete=True, key=STRANGER)
def grant_other_data_key() -> Draft:
    """Who made the grant wrapped another key than the one committed to"""
    draft = finished("grant-other-data-key")
    draft.unopened = set(draft.files)
    return grant(draft, wraps(draft, data_key=forge.seeded("another data key")))


@case("ok", complete=True)
def grant_forged() -> Draft:
    """The grant was signed by the one whom it adds"""
    return grant(finished("grant-forged"), by=STRANGER)


@case("ok", complete=True)
def grant_edited() -> Draft:
    """The grant's recipient was renamed after it was signed"""
    draft = grant(finished("grant-edited"))
    statement = draft.grants[0]["statement"]
    key = forge.p256(STRANGER)
    renamed = {"id": forge.key_id(key), "name": "Examination office", "key": forge.b64(forge.public(key))}
    draft.grants[0]["statement"] = edited(statement, recipient=renamed)
    return draft


@case("ok", complete=True)
def grant_of_other_type() -> Draft:
    """A statement of another type, signed by a recipient, stands where a grant must"""
    return grant(finished("grant-of-other-type"), typ="fairlock-action+v1")


@case("ok", complete=True)
def grant_of_other_session() -> Draft:
    """The grant is that of another session"""
    draft = finished("grant-of-other-session")
    draft.grants = grant(finished("grant-elsewhere")).grants
    return draft


@case("ok", complete=True)
def grant_names_other_session() -> Draft:
    """The grant holds wraps of this session and names another one"""
    return grant(finished("grant-names-other-session"), session="session-elsewhere")


@case("ok", complete=True)
def grant_under_other_policy() -> Draft:
    """The grant was made under another policy"""
    return grant(finished("grant-under-other-policy"), policy=forge.b64(forge.seeded("another policy")))


@case("ok", complete=True)
def grant_wraps_replaced() -> Draft:
    """The wraps were replaced after the grant was signed"""
    draft = grant(finished("grant-wraps-replaced"))
    draft.grants[0]["wraps"] = forge.b64(b"".join(reversed(wraps(draft))))
    return draft


@case("ok", complete=True)
def grant_wraps_cut_off() -> Draft:
    """The wraps that were signed end inside one"""
    draft = finished("grant-wraps-cut-off")
    return grant(draft, [b"".join(wraps(draft))[:-1]])


@case("ok", complete=True)
def grant_segment_unknown() -> Draft:
    """The grant wraps the key of a segment that is not in the chain"""
    draft = finished("grant-segment-unknown")
    return grant(draft, [*wraps(draft), forge.seeded("no record") + wraps(draft)[0][32:]])


@case("ok", complete=True)
def grant_segment_twice() -> Draft:
    """A segment stands in the grant twice"""
    draft = finished("grant-segment-twice")
    return grant(draft, [*wraps(draft), wraps(draft)[0]])


@case("ok", complete=True)
def grant_recipient_id() -> Draft:
    """The id of the grant's recipient is not the thumbprint of its key"""
    return grant(finished("grant-recipient-id"), recipient={"id": "A" * 43})


@case("ok", complete=True)
def grant_to_recipient() -> Draft:
    """The grant adds somebody whom the policy names already"""
    return grant(finished("grant-to-recipient"), to=EXAMINER)


@case("ok", complete=True)
def grants_unreadable() -> Draft:
    """The file of the grants has a member that nobody knows"""
    draft = grant(finished("grants-unreadable"))
    draft.grants_edits = {"comment": ""}
    return draft


@case("wrong-recipient", key=STRANGER)
def key_of_forged_grant() -> Draft:
    """The key that is given is of somebody who added themselves"""
    return grant(finished("key-of-forged-grant"), by=STRANGER)
