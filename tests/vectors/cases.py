"""The sessions that the vectors hold: some sound ones, and a small one for each thing that can be wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.vectors import forge
from tests.vectors.draft import DEPUTY, EXAMINER, STRANGER, Draft, policy

CASES: dict[str, "Case"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One vector. ``outcome`` is the first fault's, or "ok"; ``key`` and ``pin`` name what the verifier is given."""

    name: str
    outcome: str
    about: str
    build: Callable[[], Draft]
    complete: bool
    key: str | None
    pin: str | None
    unreadable: bool


def case(
    outcome: str,
    *,
    complete: bool = False,
    key: str | None = EXAMINER,
    pin: str | None = "institution",
    unreadable: bool = False,
) -> Callable[[Callable[[], Draft]], Callable[[], Draft]]:
    """Register a function that builds a vector; its name and docstring are the vector's.

    ``unreadable``: already the manifest is refused, so that there is nothing to verify.
    """

    def register(build: Callable[[], Draft]) -> Callable[[], Draft]:
        name = build.__name__.replace("_", "-")
        about = (build.__doc__ or "").strip()
        CASES[name] = Case(
            name=name,
            outcome=outcome,
            about=about,
            build=build,
            complete=complete,
            key=key,
            pin=pin,
            unreadable=unreadable,
        )
        return build

    return register


def small(name: str, segments: int = 2, **arguments: Any) -> Draft:
    """Return a bound session of ``segments`` camera segments."""
    draft = Draft(f"session-{name}", **arguments)
    draft.bind()
    for _ in range(segments):
        draft.segment("camera")
    return draft


def renumbered(draft: Draft, keep: list[int]) -> Draft:
    """Keep only (and reorder to) these records with their receipts."""
    draft.records = [draft.records[index] for index in keep]
    draft.receipts = [draft.receipts[index] for index in keep]
    return draft


def on_fragments(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    """Return an edit of a segment file's list of length-prefixed fragments."""

    def edit(data: bytes) -> bytes:
        preamble, *fragments = forge.split(data)
        return b"".join([preamble, *change(fragments)])

    return edit


def flipped(data: bytes) -> bytes:
    """Return ``data`` with its last bit flipped."""
    return data[:-1] + bytes([data[-1] ^ 1])


# --- sound sessions ------------------------------------------------------------------------------------------------


@case("ok", complete=True)
def ok() -> Draft:
    """A crash after the first epoch: what was left of it is recorded in the second. Two recipients, all receipts."""
    draft = Draft("session-ok", recipients=(EXAMINER, DEPUTY))
    draft.bind()
    opened_at = draft.head
    draft.segment("camera")
    draft.segment("microphone", previous=opened_at)
    draft.segment("screen")
    draft.segment("journal")
    draft.segment("camera")
    draft.bind()
    draft.segment("screen", epoch=0, final=False)
    draft.segment("microphone", epoch=0)
    draft.segment("camera")
    draft.segment("journal")
    draft.segment("pictures")
    return draft.finish()


@case("ok", complete=True, key=None)
def ok_without_key() -> Draft:
    """Nobody's key is given: all is checked but the plaintext."""
    return small("ok-without-key").finish()


@case("ok", complete=True, pin=None)
def ok_without_pin() -> Draft:
    """No pin is given: the evidence is consistent with itself."""
    return small("ok-without-pin").finish()


@case("ok", complete=True)
def ok_empty() -> Draft:
    """A session that ended before anything was recorded."""
    return small("ok-empty", 0).finish()


@case("ok")
def ok_no_end() -> Draft:
    """The application never came back: sound as far as it goes, but not complete."""
    return small("ok-no-end")


@case("ok")
def ok_no_receipt() -> Draft:
    """One receipt is missing: sound, but not complete."""
    draft = small("ok-no-receipt").finish()
    draft.receipts.pop()
    return draft


@case("ok", complete=True)
def ok_torn_bytes() -> Draft:
    """A segment torn inside a fragment was recorded as it was found."""
    draft = small("ok-torn-bytes", 1)
    draft.bind()
    name = draft.segment("camera", epoch=0, edit=lambda data: data[:-20], record={"fragments": 2, "complete": False})
    draft.fragments[name].pop()
    return draft.finish()


# --- policy and bindings -------------------------------------------------------------------------------------------


@case("bad-format")
def policy_unknown_setting() -> Draft:
    """The policy holds a setting that is not known (a misspelt one)."""
    return small("policy-unknown-setting", policy_edits={"lockdwon": {}}).finish()


@case("bad-signature")
def policy_edited() -> Draft:
    """The policy was changed after it was signed."""
    draft = Draft("session-policy-edited")
    head, _, signature = draft.policy.split(".")
    draft.policy = f"{head}.{forge.b64(forge.canonical(policy(title='Another title')))}.{signature}"
    draft.bind()
    draft.segment("camera")
    return draft.finish()


@case("unknown-key")
def policy_other_institution() -> Draft:
    """Policy and institution's key were both replaced: consistent, but not what the pin says."""
    draft = Draft("session-policy-other-institution")
    draft.institution = forge.p256("another institution")
    draft.policy = forge.token(policy(), draft.institution, "fairlock-policy+v1")
    draft.bind()
    draft.segment("camera")
    return draft.finish()


@case("wrong-policy")
def policy_recipient_id() -> Draft:
    """A recipient's id is not the thumbprint of its key."""
    recipients = [{**policy()["recipients"][0], "id": forge.key_id(forge.p256(STRANGER))}]
    return small("policy-recipient-id", policy_edits={"recipients": recipients}).finish()


@case("wrong-policy")
def binding_other_policy() -> Draft:
    """The server bound the session to another policy."""
    draft = Draft("session-binding-other-policy")
    draft.bind(policy=forge.b64(forge.seeded("another policy")))
    draft.segment("camera")
    return draft.finish()


@case("record-mismatch")
def binding_other_session() -> Draft:
    """The binding is another session's."""
    draft = Draft("session-binding-other-session")
    draft.bind(session="session-elsewhere")
    draft.segment("camera")
    return draft.finish()


@case("broken-chain")
def binding_epoch_skipped() -> Draft:
    """The second binding is of epoch 2."""
    draft = small("binding-epoch-skipped", 1)
    draft.bind(epoch=2)
    return draft.finish()


@case("missing")
def binding_missing() -> Draft:
    """No binding is there."""
    draft = small("binding-missing", 1).finish()
    draft.bindings.clear()
    return draft


# --- the chain of records ------------------------------------------------------------------------------------------


@case("bad-signature")
def record_edited() -> Draft:
    """A record's payload was changed after it was signed."""
    draft = small("record-edited")
    head, body, signature = draft.records[1].split(".")
    draft.records[1] = f"{head}.{body[:-4]}{'AAAA' if body[-4:] != 'AAAA' else 'AAAB'}.{signature}"
    return draft


@case("unknown-key")
def record_forged() -> Draft:
    """A record was signed with a key that no binding names."""
    draft = small("record-forged", 1)
    draft.segment("camera", signer=forge.ed("forger"))
    return draft.finish()


@case("bad-signature")
def record_of_other_type() -> Draft:
    """A statement of another type stands where a record must."""
    draft = small("record-of-other-type", 1)
    draft.segment("camera", typ="fairlock-end+v1")
    return draft.finish()


@case("broken-chain")
def record_old_epoch_key() -> Draft:
    """After the second epoch began, a record was signed with the first epoch's key."""
    draft = small("record-old-epoch-key", 1)
    draft.bind()
    draft.segment("camera")
    draft.segment("camera", epoch=0, signer=draft.epoch_key(0))
    return draft.finish()


@case("broken-chain")
def chain_dropped() -> Draft:
    """A record was taken out of the middle."""
    return renumbered(small("chain-dropped", 3).finish(), [0, 2])


@case("broken-chain")
def chain_reordered() -> Draft:
    """Two records changed places."""
    return renumbered(small("chain-reordered", 3).finish(), [0, 2, 1])


@case("broken-chain")
def chain_cut_at_start() -> Draft:
    """The first record was taken away."""
    return renumbered(small("chain-cut-at-start", 3).finish(), [1, 2])


@case("broken-chain")
def chain_cut_at_end() -> Draft:
    """The last record was taken away; the end still counts it."""
    return renumbered(small("chain-cut-at-end", 3).finish(), [0, 1])


@case("bad-receipt")
def chain_cut_receipt_left() -> Draft:
    """The last record and the end were taken away; a receipt still speaks of the record."""
    draft = small("chain-cut-receipt-left")
    draft.records.pop()
    return draft


@case("broken-chain")
def sequence_skipped() -> Draft:
    """A track skips a number although the chain holds."""
    draft = small("sequence-skipped", 1)
    draft.segment("camera", header={"sequence": 2}, record={"sequence": 2})
    draft.files["segments/0-camera-2.fls"] = draft.files.pop("segments/0-camera-1.fls")
    return draft.finish()


# --- segment files -------------------------------------------------------------------------------------------------


@case("missing")
def segment_missing() -> Draft:
    """A segment's file is not there."""
    draft = small("segment-missing").finish()
    del draft.files["segments/0-camera-1.fls"]
    return draft


@case("digest-mismatch")
def segment_edited() -> Draft:
    """One bit of a stored file was flipped."""
    draft = small("segment-edited").finish()
    name = "segments/0-camera-1.fls"
    draft.files[name] = flipped(draft.files[name])
    return draft


@case("digest-mismatch")
def segment_cut() -> Draft:
    """A stored file lost its last fragment."""
    draft = small("segment-cut").finish()
    name = "segments/0-camera-1.fls"
    draft.files[name] = b"".join(forge.split(draft.files[name])[:-1])
    return draft


def recorded(name: str, **arguments: Any) -> Draft:
    """Return a session whose second segment was made wrong by who recorded it: digest and record agree."""
    draft = small(name, 1)
    draft.segment("camera", **arguments)
    return draft.finish()


@case("bad-format")
def segment_not_one() -> Draft:
    """The recorded file is no segment."""
    return recorded("segment-not-one", edit=lambda data: b"FLS2" + data[4:])


@case("unknown-suite")
def segment_unknown_suite() -> Draft:
    """The header names a suite that is not known (a downgrade)."""
    return recorded("segment-unknown-suite", header={"suite": "NULL"})


@case("record-mismatch")
def segment_other_place() -> Draft:
    """The header says another place than the record."""
    return recorded("segment-other-place", header={"sequence": 7})


@case("record-mismatch")
def segment_other_session() -> Draft:
    """The segment was taken from another session of the same exam."""
    return recorded("segment-other-session", header={"session": "session-elsewhere"})


@case("broken-chain")
def segment_begun_elsewhere() -> Draft:
    """The header's ``previous`` is no earlier head of this chain."""
    return recorded("segment-begun-elsewhere", previous=forge.seeded("another head"))


@case("wrong-recipient")
def segment_recipient_left_out() -> Draft:
    """Sealed to one recipient where the policy names two."""
    draft = Draft("session-segment-recipient-left-out", recipients=(EXAMINER, DEPUTY))
    draft.bind()
    draft.segment("camera", recipients=draft.recipients[:1])
    return draft.finish()


@case("wrong-recipient")
def segment_recipient_added() -> Draft:
    """Sealed also to somebody whom the policy does not name."""
    draft = small("segment-recipient-added", 0)
    draft.segment("camera", recipients=[*draft.recipients, forge.p256(STRANGER)])
    return draft.finish()


@case("wrong-recipient", key=STRANGER)
def key_of_nobody() -> Draft:
    """The key that is given is not a recipient's."""
    return small("key-of-nobody").finish()


@case("bad-wrap")
def segment_header_edited() -> Draft:
    """The header was changed after the keys were wrapped under it."""
    return recorded("segment-header-edited", edits_after_wrap={"mime": "text/html"})


@case("bad-commitment")
def segment_two_keys() -> Draft:
    """Two recipients were given two data keys, so that they would see different things."""
    draft = Draft("session-segment-two-keys", recipients=(DEPUTY, EXAMINER))
    draft.bind()
    other = {forge.key_id(forge.p256(EXAMINER)): forge.seeded("another data key")}
    draft.segment("camera", data_keys=other)
    return draft.finish()


@case("bad-fragment")
def fragment_edited() -> Draft:
    """A fragment was changed before the file was recorded."""
    return recorded("fragment-edited", edit=on_fragments(lambda f: [f[0], flipped(f[1]), f[2]]))


@case("bad-fragment")
def fragment_dropped() -> Draft:
    """A fragment was left out in the middle."""
    return recorded("fragment-dropped", edit=on_fragments(lambda f: [f[0], f[2]]))


@case("bad-fragment")
def fragment_repeated() -> Draft:
    """A fragment was repeated."""
    return recorded("fragment-repeated", edit=on_fragments(lambda f: [f[0], f[1], f[1], f[2]]))


@case("bad-fragment")
def fragments_reordered() -> Draft:
    """Two fragments changed places."""
    return recorded("fragments-reordered", edit=on_fragments(lambda f: [f[1], f[0], f[2]]))


@case("truncated")
def final_fragment_missing() -> Draft:
    """Recorded as complete, but the final fragment is not there."""
    return recorded("final-fragment-missing", final=False, record={"complete": True})


@case("truncated")
def fewer_fragments() -> Draft:
    """The record counts more fragments than the file holds."""
    return recorded("fewer-fragments", record={"fragments": 4})


# --- receipts, end, completion -------------------------------------------------------------------------------------


@case("bad-receipt")
def receipt_other_file() -> Draft:
    """The server confirmed another size than the record's."""
    draft = small("receipt-other-file", 1)
    draft.receipts.pop()
    draft.receipt({"digest": forge.b64(forge.seeded("another file")), "size": 1})
    return draft.finish()


@case("bad-receipt")
def receipt_forged() -> Draft:
    """A receipt was signed with another key than the server's."""
    draft = small("receipt-forged", 1)
    draft.receipts.pop()
    draft.server = forge.ed("forger")
    draft.receipt({"digest": forge.b64(forge.seeded("x")), "size": 1})
    return draft


@case("broken-chain")
def end_other_head() -> Draft:
    """The end names another head."""
    return small("end-other-head").finish(head=forge.b64(forge.seeded("another head")))


@case("record-mismatch")
def end_other_counts() -> Draft:
    """The end counts other segments than the chain holds."""
    return small("end-other-counts").finish(segments={"camera": 1, "screen": 1})


@case("missing")
def end_missing() -> Draft:
    """The server's completion is there, the end that it confirms is not."""
    draft = small("end-missing").finish()
    draft.end = None
    return draft


@case("bad-receipt")
def completion_other_end() -> Draft:
    """The completion confirms another end."""
    draft = small("completion-other-end").finish()
    draft.complete(end=forge.b64(forge.seeded("another end")))
    return draft


KEYS: Mapping[str, str] = {EXAMINER: "correct horse battery staple", STRANGER: "pässphräse"}
"""The protected keys that the vectors bring, and their passphrases."""
