"""Sealing a whole session with the product's own writers, and every way of tampering with it, named after the field."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.contract import canonical, schema
from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import Track
from app.contract.policy import Recipient
from app.contract.sealing import jws, keys, segment
from app.contract.sealing.segment import SegmentHeader, SegmentSealer, open_segment
from tests.vectors import forge

EXAMINER, DEPUTY = forge.p256("examiner"), forge.p256("deputy")
RECIPIENTS = [
    Recipient(id=forge.key_id(key), name=name, key=forge.public(key))
    for name, key in (("examiner", EXAMINER), ("deputy", DEPUTY))
]
PARTS = [b"init", b"first fragment", b"", b"last fragment"]


def sealed(
    parts: Sequence[bytes] = PARTS, *, track: Track = Track.CAMERA, sequence: int = 0, final: bool = True
) -> bytes:
    sealer = SegmentSealer(
        session="session-1",
        epoch=0,
        track=track,
        sequence=sequence,
        mime="video/mp4",
        start_ms=5_000,
        utc_ms=1_800_000_000_000,
        previous=bytes(32),
        recipients=RECIPIENTS,
    )
    last = len(parts) - 1
    data = sealer.preamble + b"".join(sealer.seal(p, final=final and i == last) for i, p in enumerate(parts))
    record = sealer.record(previous=bytes(32), duration_ms=1, closed_ms=1)
    assert (record.size, record.fragments, record.complete) == (len(data), len(parts), final)
    return data


def outcome_of(data: bytes) -> Outcome:
    with pytest.raises(IntegrityError) as caught:
        open_segment(data, EXAMINER)
    return caught.value.outcome


@pytest.mark.parametrize("key", [EXAMINER, DEPUTY], ids=["examiner", "deputy"])
def test_every_recipient_opens_every_fragment(key: Any) -> None:
    opened = open_segment(sealed(), key)
    assert (list(opened.fragments), opened.complete) == (PARTS, True)


def test_plaintext_and_data_key_are_not_in_the_file() -> None:
    data = sealed([b"a secret that is long enough to be found"])
    assert b"secret" not in data
    assert segment.unwrap(segment.parse(data).header, EXAMINER) not in data


def test_two_segments_never_share_a_key() -> None:
    headers = [segment.parse(sealed()).header for _ in range(2)]
    assert segment.unwrap(headers[0], EXAMINER) != segment.unwrap(headers[1], EXAMINER)


def test_what_the_forge_writes_the_product_opens() -> None:
    header = {"session": "session-1", "epoch": 0, "track": "screen", "sequence": 3, "mime": "m", "start_ms": 1}
    rest = {"utc_ms": 2, "previous": forge.b64(bytes(32))}
    data = forge.segment({**header, **rest}, [DEPUTY, EXAMINER], PARTS)
    assert open_segment(data, EXAMINER).fragments == tuple(PARTS)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 255, 256, 257, 300])
def test_fragments_are_counted_beyond_one_byte(count: int) -> None:
    parts = [b"%d" % index for index in range(count)]
    assert list(open_segment(sealed(parts), EXAMINER).fragments) == parts


# --- the header, field by field ------------------------------------------------------------------------------------

OTHER: dict[str, Any] = {
    "version": 2,
    "suite": "HPKE-P256-SHA256-AES256GCM/SFrame-4",
    "session": "session-2",
    "epoch": 1,
    "track": "screen",
    "sequence": 1,
    "mime": "text/html",
    "start_ms": 5_001,
    "utc_ms": 1_800_000_000_001,
    "previous": canonical.b64(b"\1" * 32),
    "commitment": canonical.b64(b"\1" * 32),
    "wraps": [],
}
EXPECTED = {
    "version": Outcome.BAD_FORMAT,
    "suite": Outcome.UNKNOWN_SUITE,
    "wraps": Outcome.WRONG_RECIPIENT,
}


def with_header(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    preamble, *fragments = forge.split(data)
    header: Any = canonical.loads(preamble[8:])
    change(header)
    encoded = canonical.dumps(header)
    return preamble[:4] + len(encoded).to_bytes(4, "big") + encoded + b"".join(fragments)


def test_every_header_field_is_tampered_with_below() -> None:
    assert set(OTHER) == {field.name for field in dataclasses.fields(SegmentHeader)}


@pytest.mark.parametrize("name", OTHER)
def test_header_field_changed(name: str) -> None:
    changed = with_header(sealed(), lambda header: header.__setitem__(name, OTHER[name]))
    assert outcome_of(changed) == EXPECTED.get(name, Outcome.BAD_WRAP)


@pytest.mark.parametrize("name", OTHER)
def test_header_field_removed(name: str) -> None:
    assert outcome_of(with_header(sealed(), lambda header: header.pop(name))) == Outcome.BAD_FORMAT


def test_header_field_added() -> None:
    assert outcome_of(with_header(sealed(), lambda h: h.__setitem__("note", "x"))) == Outcome.BAD_FORMAT


def test_header_not_canonical() -> None:
    data = sealed()
    preamble, *fragments = forge.split(data)
    spaced = preamble[8:].replace(b'"epoch":0', b'"epoch": 0')
    assert outcome_of(preamble[:4] + len(spaced).to_bytes(4, "big") + spaced + b"".join(fragments)) == (
        Outcome.BAD_FORMAT
    )


def test_recipient_removed_from_the_header() -> None:
    # Which recipients there are is bound into every fragment, beside being checked against the policy.
    assert outcome_of(with_header(sealed(), lambda header: header["wraps"].pop())) == Outcome.BAD_FRAGMENT


def test_recipients_in_another_order() -> None:
    assert outcome_of(with_header(sealed(), lambda header: header["wraps"].reverse())) == Outcome.BAD_FRAGMENT


def test_recipients_swapped() -> None:
    def swap(header: dict[str, Any]) -> None:
        first, second = header["wraps"]
        first["key"], second["key"] = second["key"], first["key"]

    assert outcome_of(with_header(sealed(), swap)) == Outcome.BAD_WRAP


def test_wrap_changed() -> None:
    def change(header: dict[str, Any]) -> None:
        raw = bytearray(canonical.unb64(header["wraps"][0]["key"]))
        raw[-1] ^= 1
        header["wraps"][0]["key"] = canonical.b64(bytes(raw))

    assert outcome_of(with_header(sealed(), change)) == Outcome.BAD_WRAP


def test_wrap_with_a_point_off_the_curve() -> None:
    def change(header: dict[str, Any]) -> None:
        header["wraps"][0]["key"] = canonical.b64(b"\4" + b"\1" * 112)

    assert outcome_of(with_header(sealed(), change)) == Outcome.BAD_WRAP


def test_wraps_moved_from_another_segment() -> None:
    other: Any = canonical.loads(forge.split(sealed())[0][8:])
    changed = with_header(sealed(), lambda header: header.__setitem__("wraps", other["wraps"]))
    assert outcome_of(changed) == Outcome.BAD_WRAP


def test_two_data_keys_for_two_recipients() -> None:
    header = {"session": "session-1", "epoch": 0, "track": "screen", "sequence": 3, "mime": "m", "start_ms": 1}
    rest = {"utc_ms": 2, "previous": forge.b64(bytes(32))}
    other = {forge.key_id(EXAMINER): forge.seeded("another data key")}
    data = forge.segment({**header, **rest}, [DEPUTY, EXAMINER], PARTS, data_keys=other)
    assert open_segment(data, DEPUTY).complete
    assert outcome_of(data) == Outcome.BAD_COMMITMENT


def test_key_of_a_stranger() -> None:
    with pytest.raises(IntegrityError) as caught:
        open_segment(sealed(), forge.p256("stranger"))
    assert caught.value.outcome == Outcome.WRONG_RECIPIENT


# --- fragments -----------------------------------------------------------------------------------------------------


def with_fragments(data: bytes, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    preamble, *fragments = forge.split(data)
    return preamble + b"".join(change(fragments))


@pytest.mark.parametrize("index", range(len(PARTS)))
def test_fragment_edited(index: int) -> None:
    def edit(fragments: list[bytes]) -> list[bytes]:
        fragments[index] = fragments[index][:-1] + bytes([fragments[index][-1] ^ 1])
        return fragments

    assert outcome_of(with_fragments(sealed(), edit)) == Outcome.BAD_FRAGMENT


@pytest.mark.parametrize("index", range(len(PARTS)))
def test_sframe_header_edited(index: int) -> None:
    def edit(fragments: list[bytes]) -> list[bytes]:
        length, header, rest = fragments[index][:4], fragments[index][4], fragments[index][5:]
        fragments[index] = length + bytes([header ^ 0x10]) + rest
        return fragments

    assert outcome_of(with_fragments(sealed(), edit)) == Outcome.BAD_FRAGMENT


@pytest.mark.parametrize("index", range(len(PARTS) - 1))
def test_fragment_dropped(index: int) -> None:
    changed = with_fragments(sealed(), lambda f: f[:index] + f[index + 1 :])
    assert outcome_of(changed) == Outcome.BAD_FRAGMENT


@pytest.mark.parametrize("index", range(len(PARTS)))
def test_fragment_repeated(index: int) -> None:
    changed = with_fragments(sealed(), lambda f: f[: index + 1] + f[index:])
    assert outcome_of(changed) == Outcome.BAD_FRAGMENT


@pytest.mark.parametrize("index", range(len(PARTS) - 1))
def test_fragments_reordered(index: int) -> None:
    changed = with_fragments(sealed(), lambda f: [*f[:index], f[index + 1], f[index], *f[index + 2 :]])
    assert outcome_of(changed) == Outcome.BAD_FRAGMENT


@pytest.mark.parametrize(
    "other", [sealed(), sealed(sequence=1), sealed(track=Track.SCREEN)], ids=["same place", "sequence", "track"]
)
def test_fragment_moved_from_another_segment(other: bytes) -> None:
    foreign = forge.split(other)[2]
    changed = with_fragments(sealed(), lambda f: [f[0], foreign, *f[2:]])
    assert outcome_of(changed) == Outcome.BAD_FRAGMENT


def test_fragment_appended_after_the_final_one() -> None:
    extra = forge.split(sealed([*PARTS, b"more"]))[-1]
    assert outcome_of(with_fragments(sealed(), lambda f: [*f, extra])) == Outcome.BAD_FRAGMENT


def test_bytes_appended_after_the_final_fragment() -> None:
    assert outcome_of(sealed() + b"\0") == Outcome.BAD_FORMAT


def test_truncation_is_seen_at_every_byte() -> None:
    data = sealed()
    preamble = len(forge.split(data)[0])
    for size in range(len(data)):
        if size < preamble:
            assert outcome_of(data[:size]) == Outcome.BAD_FORMAT
        else:
            assert not open_segment(data[:size], EXAMINER).complete


def test_torn_segment_opens_up_to_the_tear() -> None:
    opened = open_segment(sealed(PARTS[:2], final=False), EXAMINER)
    assert (list(opened.fragments), opened.complete) == (PARTS[:2], False)


@pytest.mark.parametrize("length", [0xFFFFFFFF, segment.MAX_FRAGMENT + 1])
def test_fragment_that_claims_too_much(length: int) -> None:
    data = forge.split(sealed())[0] + length.to_bytes(4, "big")
    assert outcome_of(data) == Outcome.BAD_FORMAT


def test_header_that_claims_too_much() -> None:
    assert outcome_of(b"FLS1\xff\xff\xff\xff") == Outcome.BAD_FORMAT


def test_nothing_can_be_sealed_after_the_final_fragment() -> None:
    sealer = SegmentSealer(
        session="session-1",
        epoch=0,
        track=Track.CAMERA,
        sequence=0,
        mime="m",
        start_ms=0,
        utc_ms=0,
        previous=bytes(32),
        recipients=RECIPIENTS,
    )
    sealer.seal(b"x", final=True)
    with pytest.raises(ValueError, match="final"):
        sealer.seal(b"y")


def test_header_survives_the_codec() -> None:
    header = segment.parse(sealed()).header
    assert schema.loads(SegmentHeader, schema.dumps(header)) == header
    assert replace(header, wraps=()) != header


def test_jws_key_ids_are_thumbprints() -> None:
    assert keys.key_id(EXAMINER.public_key()) == forge.key_id(EXAMINER)
    assert jws.digest("a.b.c") == forge.token_digest("a.b.c")
