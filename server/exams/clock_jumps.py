"""Whether the server's clock may be believed when it says that something is to be deleted for good.

A clock that was set wrong, by a person, a dead battery or a false time server, would make all evidence overdue at once.
So the time of now and then is kept in the audit log, and a clock that comes back far ahead of it has to go on like that
for ``GRACE_MS`` before anything is deleted: as long as somebody has to notice. A server that was switched off for a
while deletes so much later. It does not stop who moves the clock slowly, or less than ``JUMP_MS``.
"""

import logging

from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from server.accounts import audit
from server.context import Context
from server.db.models import AuditEntry, Session

ACCOUNT, SUBJECT = "retention", "clock"
SEEN, JUMPED = "clock.seen", "clock.jumped"
DAY_MS = 86_400_000
JUMP_MS = 7 * DAY_MS
GRACE_MS = 3 * DAY_MS

_log = logging.getLogger("fairlock.retention")


def is_believed(context: Context) -> bool:
    """Whether the clock goes on from where it was, or has shown its new time for ``GRACE_MS``; keeps a note of it."""
    now = context.now()
    with context.database.write() as tx:
        last = _last(tx)
        action = _judge(now, last, newest_ms=_newest(tx))
        if action and (last is None or (last.action, last.at_ms) != (action, now)):
            audit.note(tx, now_ms=now, account=ACCOUNT, action=action, subject=SUBJECT)
    if action == JUMPED:
        _log.error(
            "the clock is more than %d days ahead of where it was; nothing is deleted for %d days. Check the clock.",
            JUMP_MS // DAY_MS,
            GRACE_MS // DAY_MS,
        )
    return action == SEEN or (not action and (last is None or last.action == SEEN))


def _judge(now: int, last: AuditEntry | None, *, newest_ms: int) -> str:
    """Return what is to be noted of the clock, empty for nothing new."""
    if last is None:
        return JUMPED if newest_ms and now - newest_ms > JUMP_MS else SEEN
    since = now - last.at_ms
    if last.action == JUMPED:
        if since < -DAY_MS or GRACE_MS <= since <= GRACE_MS + JUMP_MS:
            return SEEN  # it was put right, or it stays like that
        return JUMPED if since > GRACE_MS else ""
    if since > JUMP_MS:
        return JUMPED
    return SEEN if since >= DAY_MS or since < -JUMP_MS else ""


def _last(tx: Transaction) -> AuditEntry | None:
    query = select(AuditEntry).where(AuditEntry.account == ACCOUNT, AuditEntry.subject == SUBJECT)
    return tx.scalars(query.order_by(AuditEntry.id.desc()).limit(1)).first()


def _newest(tx: Transaction) -> int:
    """Return when a session was last heard of, 0 if there was none."""
    started, alive = tx.execute(select(func.max(Session.started_ms), func.max(Session.alive_ms))).one()
    return max(started or 0, alive or 0)
