"""Exams: a policy is taken when a registered institution key signed it and it names this server's keys."""

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session as Transaction

from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.sealing.policies import open_policy
from app.contract.wire import PolicyAnswer
from server.context import Context
from server.db.database import LOCKING
from server.db.models import Candidate, Exam, InstitutionKey, Session
from server.exams.views import ExamAnswer, ExamList, ExamRow
from server.refused import Refused


def add(tx: Transaction, context: Context, token: str) -> tuple[ExamAnswer, bool]:
    """Store an exam; return it and whether it is new or changed. Raises ``Refused`` or ``IntegrityError``."""
    signer = tx.get(InstitutionKey, jws.key_id_of(token))
    if signer is None:
        raise Refused(422, "E-RECORD", "the policy is not signed with a registered institution key")
    policy = open_policy(token, signer.public, pin=None)
    keys = (policy.server.token_key, policy.server.receipt_key)
    if keys != (context.keys.token_public, context.keys.receipt_public):
        raise Refused(422, "E-RECORD", "the policy names the keys of another server")
    digest = jws.digest(token)
    stored = ExamAnswer(exam=policy.exam, title=policy.title, policy=digest)
    known = tx.get(Exam, policy.exam, with_for_update=LOCKING)
    if known is not None and known.digest == digest:
        return stored, False
    if known is not None:
        if tx.scalars(select(Session.id).where(Session.exam == policy.exam).limit(1)).first() is not None:
            raise Refused(409, "E-CONFLICT", "candidates have joined this exam under another policy")
        if policy.issued_ms < jws.unverified(Policy, known.policy).issued_ms:
            raise Refused(409, "E-CONFLICT", "a policy of this exam that was issued later is stored")
        _write(known, policy, token, signer.id)
    else:
        exam = Exam(id=policy.exam, created_ms=context.now())
        _write(exam, policy, token, signer.id)
        tx.add(exam)
    return stored, True


def _write(exam: Exam, policy: Policy, token: str, signer: str) -> None:
    exam.institution_key = signer
    exam.title, exam.institution = policy.title, policy.institution
    exam.policy, exam.digest = token, jws.digest(token)
    exam.start_url, exam.expires_ms = policy.browser.start_url, policy.expires_ms


def find(tx: Transaction, exam: str, *, hold: bool = False) -> Exam:
    """Return an exam; raises ``Refused`` 404. With ``hold`` its policy stays as it is until the transaction ends."""
    row = tx.get(Exam, exam, with_for_update=LOCKING if hold else None)
    if row is None:
        raise Refused(404, "E-EXAM-UNKNOWN")
    return row


def policy_of(tx: Transaction, exam: str) -> PolicyAnswer:
    """Return an exam's signed policy and the key that signed it."""
    row = find(tx, exam)
    return PolicyAnswer(policy=row.policy, institution_key=tx.get_one(InstitutionKey, row.institution_key).public)


def listed(tx: Transaction) -> ExamList:
    """Return all exams, the newest first."""
    candidates = _counts(tx, select(Candidate.exam, func.count()).group_by(Candidate.exam))
    sessions = _counts(tx, select(Session.exam, func.count()).group_by(Session.exam))
    rows = tx.scalars(select(Exam).order_by(Exam.created_ms.desc(), Exam.id))
    return ExamList(
        exams=tuple(
            ExamRow(
                exam=row.id,
                title=row.title,
                institution=row.institution,
                expires_ms=row.expires_ms,
                created_ms=row.created_ms,
                candidates=candidates.get(row.id, 0),
                sessions=sessions.get(row.id, 0),
            )
            for row in rows
        )
    )


def _counts(tx: Transaction, query: Select[str, int]) -> dict[str, int]:
    return dict(tx.execute(query).all())
