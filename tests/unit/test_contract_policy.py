"""A policy is believed only whole: signed by the pinned key, within its limits, with no setting that is not known."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from app.contract import canonical, schema
from app.contract.errors import IntegrityError, Outcome
from app.contract.policy import Capability, Policy
from app.contract.sealing import jws
from app.contract.sealing.policies import open_policy
from app.contract.sealing.records import POLICY_TYPE
from tests.vectors import forge
from tests.vectors.draft import DEPUTY, EXAMINER, policy

INSTITUTION = forge.p256("institution")
PUBLIC, PIN = forge.public(INSTITUTION), forge.key_id(INSTITUTION)


def signed(**edits: Any) -> str:
    return forge.token(policy((EXAMINER, DEPUTY), **edits), INSTITUTION, POLICY_TYPE)


def refusal(token: str, *, key: bytes = PUBLIC, pin: str | None = PIN) -> tuple[Outcome, str]:
    with pytest.raises(IntegrityError) as caught:
        open_policy(token, key, pin=pin)
    return caught.value.outcome, str(caught.value)


def test_a_signed_policy_opens_with_its_defaults() -> None:
    opened = open_policy(signed(), PUBLIC, pin=PIN)
    assert opened.exam == "algebra-1"
    assert opened.lockdown.require == (Capability.KIOSK, Capability.PROCESS_WATCH)
    assert opened.capture.camera
    assert open_policy(signed(), PUBLIC, pin=None) == opened


def test_what_the_product_signs_it_opens() -> None:
    wanted = schema.from_json(Policy, policy())
    assert open_policy(jws.sign(wanted, INSTITUTION, typ=POLICY_TYPE), PUBLIC, pin=PIN) == wanted


def test_another_pin_is_refused() -> None:
    assert refusal(signed(), pin=forge.key_id(forge.p256("stranger")))[0] == Outcome.UNKNOWN_KEY


def test_another_institution_is_refused_by_the_pin_although_its_signature_holds() -> None:
    other = forge.p256("another institution")
    token = forge.token(policy(), other, POLICY_TYPE)
    assert open_policy(token, forge.public(other), pin=None).exam == "algebra-1"
    assert refusal(token, key=forge.public(other))[0] == Outcome.UNKNOWN_KEY
    assert refusal(token)[0] == Outcome.UNKNOWN_KEY


@pytest.mark.parametrize("position", [0, 40, -1, -44, -86])
def test_a_changed_signature_is_refused(position: int) -> None:
    head, body, signature = signed().split(".")
    raw = bytearray(canonical.unb64(signature))
    raw[position % 64] ^= 1
    assert refusal(f"{head}.{body}.{canonical.b64(bytes(raw))}")[0] == Outcome.BAD_SIGNATURE


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_a_signature_of_another_form_is_refused(signature: bytes) -> None:
    head, body, _ = signed().split(".")
    assert refusal(f"{head}.{body}.{canonical.b64(signature)}")[0] == Outcome.BAD_SIGNATURE


@pytest.mark.parametrize("alg", ["none", "HS256", "EdDSA", "ES384"])
def test_the_algorithm_follows_from_the_key_not_from_the_header(alg: str) -> None:
    _, body, signature = signed().split(".")
    head = canonical.b64(canonical.dumps({"alg": alg, "kid": PIN, "typ": POLICY_TYPE}))
    assert refusal(f"{head}.{body}.{signature}")[0] == Outcome.BAD_SIGNATURE
    assert refusal(f"{head}.{body}.")[0] == Outcome.BAD_SIGNATURE


@pytest.mark.parametrize("alg", ["none", "EdDSA"])
def test_another_algorithm_is_refused_although_the_signature_holds(alg: str) -> None:
    head = canonical.b64(canonical.dumps({"alg": alg, "kid": PIN, "typ": POLICY_TYPE}))
    text = f"{head}.{canonical.b64(canonical.dumps(policy()))}"
    r, s = decode_dss_signature(INSTITUTION.sign(text.encode(), ec.ECDSA(SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert refusal(f"{text}.{canonical.b64(signature)}")[0] == Outcome.BAD_SIGNATURE


def test_a_signature_has_one_length() -> None:
    head, body, signature = signed().split(".")
    raw = canonical.unb64(signature)
    longer = canonical.b64(raw[:32] + b"\0" + raw[32:])
    assert refusal(f"{head}.{body}.{longer}")[0] == Outcome.BAD_SIGNATURE


@pytest.mark.parametrize("section", [None, "server", "browser", "lockdown", "capture", "detection", "upload"])
def test_a_misspelt_setting_is_refused_by_name(section: str | None) -> None:
    body: Any = schema.to_json(schema.from_json(Policy, policy()))
    (body if section is None else body[section])["prohbit"] = []
    outcome, message = refusal(forge.token(body, INSTITUTION, POLICY_TYPE))
    assert outcome == Outcome.BAD_FORMAT
    assert message == f"Policy.{f'{section}.' if section else ''}prohbit: is not a known setting; check its spelling"


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"version": 2}, "Policy.version: must be at most 1"),
        ({"version": 0}, "Policy.version: must be at least 1"),
        ({"exam": ""}, "Policy.exam: must be at least 1"),
        ({"title": "x" * 201}, "Policy.title: must be at most 200"),
        ({"duration_s": 29}, "Policy.duration_s: must be at least 30"),
        ({"recipients": []}, "Policy.recipients: must be at least 1"),
        ({"upload": {"heartbeat_ms": 5_001}}, "Policy.upload.heartbeat_ms: must be at most 5000"),
        ({"capture": {"codec": "theora"}}, "Policy.capture.codec: must be one of vp9, h264, av1"),
        ({"capture": {"camera": 1}}, "Policy.capture.camera: must be of type bool"),
        ({"capture": {"camera_fps": True}}, "Policy.capture.camera_fps: must be of type int"),
        ({"lockdown": {"require": "kiosk"}}, "Policy.lockdown.require: must be a list"),
        ({"lockdown": []}, "Policy.lockdown: must be an object"),
    ],
)
def test_a_setting_outside_its_limits_is_refused_by_name(edits: dict[str, Any], message: str) -> None:
    assert refusal(signed(**edits)) == (Outcome.BAD_FORMAT, message)


def test_a_policy_without_the_server_is_refused() -> None:
    body = {key: value for key, value in policy().items() if key != "server"}
    message = "Policy.server: is missing"
    assert refusal(forge.token(body, INSTITUTION, POLICY_TYPE)) == (Outcome.BAD_FORMAT, message)


def test_contradictions_are_refused() -> None:
    recipients = policy((EXAMINER, DEPUTY))["recipients"]
    swapped = [{**recipients[0], "id": recipients[1]["id"]}]
    for edits in ({"expires_ms": 1}, {"recipients": [recipients[0]] * 2}, {"recipients": swapped}):
        token = forge.token(policy(**edits), INSTITUTION, POLICY_TYPE)
        assert refusal(token)[0] == Outcome.WRONG_POLICY


def test_another_kind_of_statement_is_not_a_policy() -> None:
    assert refusal(forge.token(policy(), INSTITUTION, "fairlock-record+v1"))[0] == Outcome.BAD_SIGNATURE
