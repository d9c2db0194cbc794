"""One small session for each field and each part that somebody could tamper with, named after it.

Whoever alters a stored file only makes ``digest-mismatch``. So most of these are by somebody worse, who could also sign
a fitting record: what is wrong must be found all the same.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from tests.vectors import forge
from tests.vectors.cases import CASES, case, flipped, on_fragments, recorded, small
from tests.vectors.draft import DEPUTY, EXAMINER, STRANGER, Draft, policy

__all__ = ["CASES"]
"""All vectors: those of ``cases`` and those that are registered here."""

ELSEWHERE = "session-elsewhere"


def on_header(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """Return an edit of a segment file's header that leaves the fragments as they are."""

    def edit(data: bytes) -> bytes:
        preamble, *fragments = forge.split(data)
        header = json.loads(preamble[8:])
        change(header)
        encoded = forge.canonical(header)
        return b"".join([b"FLS1", len(encoded).to_bytes(4, "big"), encoded, *fragments])

    return edit


def edited(token: str, **fields: Any) -> str:
    """Return a statement whose payload was changed after it was signed."""
    head, body, signature = token.split(".")
    payload = json.loads(forge.unb64(body)) | fields
    return f"{head}.{forge.b64(forge.canonical(payload))}.{signature}"


def elsewhere() -> Draft:
    """Return another session of the same exam, ended."""
    draft = Draft(ELSEWHERE)
    draft.bind()
    draft.segment("camera")
    draft.segment("screen")
    return draft.finish()


# --- each field of a segment's header, changed after the keys were wrapped under it -----------------------------------


@case("bad-format")
def header_version() -> Draft:
    """The header's version was lowered."""
    return recorded("header-version", edits_after_wrap={"version": 0})


@case("unknown-suite")
def header_suite() -> Draft:
    """The header's suite was replaced with a weaker one."""
    return recorded("header-suite", edits_after_wrap={"suite": "HPKE-P256-SHA256-AES128GCM/SFrame-4"})


@case("record-mismatch")
def header_session() -> Draft:
    """The header's session was changed."""
    return recorded("header-session", edits_after_wrap={"session": ELSEWHERE})


@case("record-mismatch")
def header_epoch() -> Draft:
    """The header's epoch was changed."""
    return recorded("header-epoch", edits_after_wrap={"epoch": 1})


@case("record-mismatch")
def header_track() -> Draft:
    """The header's track was changed."""
    return recorded("header-track", edits_after_wrap={"track": "screen"})


@case("record-mismatch")
def header_sequence() -> Draft:
    """The header's sequence was changed."""
    return recorded("header-sequence", edits_after_wrap={"sequence": 0})


@case("bad-wrap")
def header_mime() -> Draft:
    """The header's MIME type was changed."""
    return recorded("header-mime", edits_after_wrap={"mime": "text/html"})


@case("record-mismatch")
def header_start() -> Draft:
    """The header's start was changed."""
    return recorded("header-start", edits_after_wrap={"start_ms": 1})


@case("bad-wrap")
def header_utc() -> Draft:
    """The header's clock time was changed."""
    return recorded("header-utc", edits_after_wrap={"utc_ms": 1})


@case("broken-chain")
def header_previous() -> Draft:
    """The header's link into the chain was changed."""
    return recorded("header-previous", edits_after_wrap={"previous": forge.b64(forge.seeded("another head"))})


@case("bad-wrap")
def header_commitment() -> Draft:
    """The header's commitment was changed."""
    return recorded("header-commitment", edits_after_wrap={"commitment": forge.b64(forge.seeded("another key"))})


@case("wrong-recipient")
def header_recipient_replaced() -> Draft:
    """The only recipient's wrap was replaced with a stranger's."""
    return recorded("header-recipient-replaced", recipients=[forge.p256(STRANGER)])


@case("wrong-recipient")
def header_recipient_repeated() -> Draft:
    """A recipient stands in the header twice."""
    return recorded("header-recipient-repeated", edit=on_header(lambda h: h["wraps"].append(h["wraps"][0])))


@case("bad-wrap")
def header_wraps_swapped() -> Draft:
    """Two recipients' wrapped keys changed places."""

    def swap(header: dict[str, Any]) -> None:
        one, other = header["wraps"]
        one["key"], other["key"] = other["key"], one["key"]

    draft = Draft("session-header-wraps-swapped", recipients=(EXAMINER, DEPUTY))
    draft.bind()
    draft.segment("camera", edit=on_header(swap))
    return draft.finish()


@case("bad-wrap")
def header_wrap_edited() -> Draft:
    """One bit of a wrapped key was flipped."""

    def flip(header: dict[str, Any]) -> None:
        (wrap,) = header["wraps"]
        wrap["key"] = forge.b64(flipped(forge.unb64(wrap["key"])))

    return recorded("header-wrap-edited", edit=on_header(flip))


# --- parts moved from elsewhere ---------------------------------------------------------------------------------------


def _with_fragment(name: str, foreign: bytes) -> Draft:
    return recorded(name, edit=on_fragments(lambda own: [own[0], foreign, own[2]]))


@case("bad-fragment")
def fragment_of_other_session() -> Draft:
    """A fragment was put in from another session, from the same place."""
    return _with_fragment("fragment-of-other-session", forge.split(elsewhere().files["segments/0-camera-0.fls"])[2])


@case("bad-fragment")
def fragment_of_other_track() -> Draft:
    """A fragment was put in from another track of the session."""
    draft = small("fragment-of-other-track", 0)
    foreign = forge.split(draft.files[draft.segment("screen")])[2]
    draft.segment("camera", edit=on_fragments(lambda own: [own[0], foreign, own[2]]))
    return draft.finish()


@case("bad-fragment")
def fragment_of_other_segment() -> Draft:
    """A fragment was put in from the segment before it."""
    draft = small("fragment-of-other-segment", 1)
    foreign = forge.split(draft.files["segments/0-camera-0.fls"])[2]
    draft.segment("camera", edit=on_fragments(lambda own: [own[0], foreign, own[2]]))
    return draft.finish()


@case("bad-fragment")
def fragment_made_final() -> Draft:
    """The final fragment was cut off, and the record says that the one before it is the last of two."""
    return recorded("fragment-made-final", edit=on_fragments(lambda own: [own[0], own[2]]), record={"fragments": 2})


@case("digest-mismatch")
def segments_swapped() -> Draft:
    """Two stored files changed places."""
    draft = small("segments-swapped").finish()
    one, other = "segments/0-camera-0.fls", "segments/0-camera-1.fls"
    draft.files[one], draft.files[other] = draft.files[other], draft.files[one]
    return draft


@case("digest-mismatch")
def segment_of_other_session() -> Draft:
    """A stored file was replaced with that of another session, from the same place."""
    draft = small("segment-of-other-session", 1).finish()
    name = "segments/0-camera-0.fls"
    draft.files[name] = elsewhere().files[name]
    return draft


@case("unknown-key")
def record_of_other_session() -> Draft:
    """A record was replaced with that of another session, its file and receipt too."""
    draft, other = small("record-of-other-session", 1).finish(), elsewhere()
    name = "segments/0-camera-0.fls"
    draft.records[0], draft.receipts[0], draft.files[name] = other.records[0], other.receipts[0], other.files[name]
    return draft


@case("broken-chain")
def record_repeated() -> Draft:
    """A record stands in the chain twice."""
    draft = small("record-repeated", 1)
    draft.records.append(draft.records[0])
    return draft.finish()


# --- statements forged, changed, or another session's -----------------------------------------------------------------


@case("record-mismatch")
def manifest_session() -> Draft:
    """The manifest names another session than everything in it."""
    draft = small("manifest-session", 1).finish()
    draft.session = ELSEWHERE
    return draft


@case("unknown-key")
def manifest_institution_key() -> Draft:
    """The manifest names another institution's key than the one that signed the policy."""
    draft = small("manifest-institution-key", 1).finish()
    draft.institution = forge.p256("another institution")
    return draft


@case("bad-format", unreadable=True)
def manifest_version() -> Draft:
    """The manifest is of a version that is not known: there is nothing to verify."""
    draft = small("manifest-version", 1).finish()
    draft.manifest_edits["version"] = 2
    return draft


@case("bad-format", unreadable=True)
def manifest_member_added() -> Draft:
    """The manifest has a member that nobody knows: there is nothing to verify."""
    draft = small("manifest-member-added", 1).finish()
    draft.manifest_edits["note"] = "nothing to see here"
    return draft


@case("bad-signature")
def policy_recipient_replaced() -> Draft:
    """In the signed policy the recipient was replaced with somebody else."""
    draft = Draft("session-policy-recipient-replaced")
    draft.policy = edited(draft.policy, recipients=policy((STRANGER,))["recipients"])
    draft.recipients = [forge.p256(STRANGER)]
    draft.bind()
    draft.segment("camera")
    return draft.finish()


@case("unknown-key")
def binding_forged() -> Draft:
    """The binding was signed with another key than the server's."""
    draft = small("binding-forged", 0)
    real, draft.server = draft.server, forge.ed("forger")
    draft.bindings.clear()
    draft.epoch = -1
    draft.bind()
    draft.server = real
    draft.segment("camera")
    return draft.finish()


@case("bad-signature")
def binding_edited() -> Draft:
    """The binding's candidate was changed after it was signed."""
    draft = small("binding-edited", 1).finish()
    draft.bindings[0] = edited(draft.bindings[0], candidate="Somebody Else")
    return draft


@case("bad-receipt")
def receipt_edited() -> Draft:
    """A receipt's time was changed after it was signed."""
    draft = small("receipt-edited", 1).finish()
    draft.receipts[0] = edited(draft.receipts[0], received_ms=1)
    return draft


@case("bad-receipt")
def receipt_of_other_session() -> Draft:
    """A receipt is that of another session."""
    draft = small("receipt-of-other-session", 1).finish()
    draft.receipts[0] = elsewhere().receipts[0]
    return draft


@case("unknown-key")
def end_forged() -> Draft:
    """The end was signed with a key that no binding names."""
    return small("end-forged", 1).finish(signer=forge.ed("forger"))


@case("bad-signature")
def end_edited() -> Draft:
    """The end's reason was changed after it was signed."""
    draft = small("end-edited", 1).finish()
    draft.end = edited(draft.end or "", reason="terminated")
    return draft


@case("unknown-key")
def end_of_other_session() -> Draft:
    """End and completion are those of another session."""
    draft, other = small("end-of-other-session", 1), elsewhere()
    draft.end, draft.completion = other.end, other.completion
    return draft


@case("bad-receipt")
def chain_cut_and_ended_anew() -> Draft:
    """Who holds the session's key took the last record back and signed an end without it; its receipt still speaks."""
    draft = small("chain-cut-and-ended-anew")
    draft.records.pop()
    return draft.finish(segments={"camera": 1})


@case("bad-receipt")
def completion_forged() -> Draft:
    """The completion was signed with another key than the server's."""
    draft = small("completion-forged", 1)
    draft.server = forge.ed("forger")
    return draft.finish()


@case("bad-receipt")
def completion_of_other_session() -> Draft:
    """The completion is that of another session."""
    draft = small("completion-of-other-session", 1).finish()
    draft.completion = elsewhere().completion
    return draft


# --- downgrades of a version or of an algorithm -----------------------------------------------------------------------


@case("bad-format")
def policy_version() -> Draft:
    """The policy is of version 0."""
    return small("policy-version", 1, policy_edits={"version": 0}).finish()


@case("bad-format")
def binding_version() -> Draft:
    """The binding is of version 0."""
    draft = Draft("session-binding-version")
    draft.bind(version=0)
    draft.segment("camera")
    return draft.finish()


@case("bad-format")
def record_version() -> Draft:
    """A record is of version 0."""
    return recorded("record-version", record={"version": 0})


@case("bad-receipt")
def receipt_version() -> Draft:
    """A receipt is of version 0."""
    draft = small("receipt-version", 1)
    data = draft.files["segments/0-camera-0.fls"]
    draft.receipts.pop()
    draft.receipt({"digest": forge.b64(hashlib.sha256(data).digest()), "size": len(data)}, version=0)
    return draft.finish()


@case("bad-format")
def end_version() -> Draft:
    """The end is of version 0."""
    return small("end-version", 1).finish(version=0)


@case("bad-receipt")
def completion_version() -> Draft:
    """The completion is of version 0."""
    draft = small("completion-version", 1).finish()
    draft.complete(version=0)
    return draft


@case("bad-signature")
def record_type_downgraded() -> Draft:
    """A record was signed as one of an older version of the format."""
    return recorded("record-type-downgraded", typ="fairlock-record+v0")


@case("bad-signature")
def record_unsigned() -> Draft:
    """A record says that it is signed with no algorithm at all, and is not."""
    draft = small("record-unsigned", 1).finish()
    _, body, _ = draft.records[0].split(".")
    header = {"alg": "none", "kid": forge.key_id(draft.epoch_key(0)), "typ": "fairlock-record+v1"}
    draft.records[0] = f"{forge.b64(forge.canonical(header))}.{body}."
    return draft


@case("bad-signature")
def policy_algorithm() -> Draft:
    """The policy was signed with the server's algorithm instead of the institution's."""
    draft = Draft("session-policy-algorithm")
    draft.policy = forge.token(policy(), forge.ed("forger"), "fairlock-policy+v1", kid=forge.key_id(draft.institution))
    draft.bind()
    draft.segment("camera")
    return draft.finish()
