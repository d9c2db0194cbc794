"""Opening a signed agreement: the one place that decides whether an allowance may be believed. Pure."""

from app.contract.agreement import Agreement, Allowance
from app.contract.errors import IntegrityError, Outcome
from app.contract.sealing import jws, keys

AGREEMENT_TYPE = "fairlock-agreement+v1"


def open_agreement(token: str, institution_key: bytes, *, exam: str, candidate: str) -> Agreement:
    """Check an agreement's JWS against the key that signed the exam's policy (65-byte P-256 point, already pinned).

    Raises ``IntegrityError``: ``UNKNOWN_KEY``, ``BAD_SIGNATURE``, ``BAD_FORMAT`` (also for an allowance this version
    does not know) or ``WRONG_POLICY`` (it is another exam's or candidate's, or contradicts itself). Whether it has
    expired is for the caller's clock.
    """
    agreement = jws.verify(Agreement, token, keys.load_p256(institution_key), typ=AGREEMENT_TYPE)
    if (agreement.exam, agreement.candidate) != (exam, candidate):
        raise IntegrityError(Outcome.WRONG_POLICY, "the agreement is another candidate's or another exam's")
    check_consistency(agreement)
    return agreement


def check_consistency(agreement: Agreement) -> None:
    """Refuse what limits of single fields can't express; raises ``IntegrityError(WRONG_POLICY)``."""
    if agreement.expires_ms <= agreement.issued_ms:
        raise IntegrityError(Outcome.WRONG_POLICY, "the agreement expires before it was issued")
    if len(set(agreement.allowances)) != len(agreement.allowances):
        raise IntegrityError(Outcome.WRONG_POLICY, "an allowance stands in the agreement twice")
    if bool(agreement.breaks_s) != (Allowance.BREAKS in agreement.allowances):
        raise IntegrityError(Outcome.WRONG_POLICY, "breaks and their length go together")
