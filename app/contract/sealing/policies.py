"""Opening a signed policy: the one place that decides whether a policy may be believed. Pure; never fetches one."""

from app.contract.errors import IntegrityError, Outcome
from app.contract.policy import Policy
from app.contract.sealing import jws, keys
from app.contract.sealing.records import POLICY_TYPE


def open_policy(token: str, institution_key: bytes, *, pin: str | None) -> Policy:
    """Check a policy's JWS against the institution's key (65-byte P-256 point) and that key against ``pin``.

    ``pin`` is the key's id from the exam link; without one the key is taken as given. Raises ``IntegrityError``:
    ``UNKNOWN_KEY`` (not the pinned key, or signed with another), ``BAD_SIGNATURE``, ``BAD_FORMAT`` (also for a
    misspelt setting) or ``WRONG_POLICY`` (it contradicts itself). Whether it has expired is for the caller's clock.
    """
    key = keys.load_p256(institution_key)
    if pin is not None and keys.key_id(key) != pin:
        raise IntegrityError(Outcome.UNKNOWN_KEY, "the institution's key is not the one that was pinned")
    policy = jws.verify(Policy, token, key, typ=POLICY_TYPE)
    check_consistency(policy)
    return policy


def check_consistency(policy: Policy) -> None:
    """Refuse what limits of single fields can't express; raises ``IntegrityError(WRONG_POLICY)``."""
    if policy.expires_ms <= policy.issued_ms:
        raise IntegrityError(Outcome.WRONG_POLICY, "the policy expires before it was issued")
    ids = [recipient.id for recipient in policy.recipients]
    if len(set(ids)) != len(ids):
        raise IntegrityError(Outcome.WRONG_POLICY, "a recipient stands in the policy twice")
    for recipient in policy.recipients:
        if keys.key_id(keys.load_p256(recipient.key)) != recipient.id:
            raise IntegrityError(Outcome.WRONG_POLICY, f"the id of recipient {recipient.name!r} is not its key's")
