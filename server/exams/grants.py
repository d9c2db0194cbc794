"""Keeps what recipients wrapped for others whom they added later, and hands it out. Runs in worker threads.

The server checks who signed, for which session, and that the wraps are the signed ones of segments that it stores. It
can open none of them. The wraps lie with the session's segments and go when those are shredded.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from app.contract.policy import Policy
from app.contract.sealing import grants, jws
from app.contract.sealing.grants import Grants, OpenedGrant, SignedGrant
from app.contract.sealing.records import FORMAT_VERSION
from server import tokens
from server.accounts import audit
from server.context import Context
from server.db.models import Exam, GrantRecord, Segment
from server.exams import segment_files
from server.exams.views import GrantAnswer
from server.refused import Refused
from server.storage.base import GrantPlace
from server.verification import access

_log = logging.getLogger("fairlock.grants")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    place: GrantPlace
    statement: str


def add(context: Context, session: str, signed: SignedGrant, account: str) -> tuple[GrantAnswer, bool]:
    """Store a grant that ``account`` brought; return it, and whether it is new.

    When this returns, wraps and row survive a power cut. Raises ``Refused`` 404, or 409 for one too many,
    ``IntegrityError`` when it does not hold, ``StorageFull``.
    """
    with context.database.read() as tx:
        opened = _checked(tx, session, signed)
    place = GrantPlace(session=session, grant=tokens.new_id())
    upload = context.store.begin(place)
    try:
        upload.write(signed.wraps)
        upload.finish()
        # Outside of the transaction: a store that does not answer must not hold up anybody's heartbeats.
        upload.publish()
    finally:
        upload.discard()
    try:
        new = _note(context, place, signed.statement, _answer(opened), account)
    except Refused:
        segment_files.take_back(context, place)  # the session was deleted meanwhile, or holds too many
        raise
    # After any other error the row may be there all the same; wraps without one go with their session.
    if not new:
        segment_files.take_back(context, place)  # it holds this grant already
    return _answer(opened), new


def gather(context: Context, session: str) -> Grants:
    """Return a session's grants in the order in which they came; raises ``Refused`` 404 or ``StorageFull``.

    One whose wraps are lost is left out: without them it says nothing that anybody could check.
    """
    with context.database.read() as tx:
        access.find(tx, session)
        query = select(GrantRecord).where(GrantRecord.session == session)
        rows = [
            _Stored(place=GrantPlace(session=session, grant=row.id), statement=row.statement)
            for row in tx.scalars(query.order_by(GrantRecord.taken_ms, GrantRecord.id))
        ]
    found = []
    for row in rows:
        try:
            with context.store.open(row.place) as file:
                found.append(SignedGrant(statement=row.statement, wraps=file.read()))
        except FileNotFoundError:
            _log.error("the wraps of grant %s are lost", row.place.grant)
    return Grants(version=FORMAT_VERSION, grants=tuple(found))


def _note(context: Context, place: GrantPlace, statement: str, said: GrantAnswer, account: str) -> bool:
    """Write the row and the audit log; return whether the grant is new."""
    with context.database.write(durable=True) as tx:
        access.find(tx, place.session, hold=True)
        if _known(tx, place.session, statement):
            return False
        now = context.now()
        tx.add(GrantRecord(id=place.grant, session=place.session, statement=statement, account=account, taken_ms=now))
        facts = {"recipient": said.name, "key": said.recipient, "granter": said.granter, "segments": str(said.segments)}
        audit.note(tx, now_ms=now, account=account, action="recipient.added", subject=place.session, **facts)
    return True


def _checked(tx: Transaction, session: str, signed: SignedGrant) -> OpenedGrant:
    row = access.find(tx, session)
    token = tx.get_one(Exam, row.exam).policy
    policy = jws.unverified(Policy, token)
    opened = grants.open_grant(signed, session=session, policy_token=token, policy=policy)
    grants.check_records(opened, set(tx.scalars(select(Segment.record_digest).where(Segment.session == session))))
    return opened


def _known(tx: Transaction, session: str, statement: str) -> bool:
    """Return whether this very grant is stored; raises ``Refused`` 409 where there is no room for another one."""
    mine = select(func.count()).select_from(GrantRecord).where(GrantRecord.session == session)
    if tx.scalar(mine.where(GrantRecord.statement == statement)):
        return True
    if (tx.scalar(mine) or 0) >= grants.MAX_GRANTS:
        raise Refused(409, "E-CONFLICT", f"a session has at most {grants.MAX_GRANTS} grants")
    return False


def _answer(opened: OpenedGrant) -> GrantAnswer:
    added = opened.grant.recipient
    return GrantAnswer(recipient=added.id, name=added.name, granter=opened.granter.id, segments=len(opened.wraps))
