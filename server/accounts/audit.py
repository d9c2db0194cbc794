"""The audit log: who looked at what and who changed what. Entries are only ever added."""

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from server.context import Context
from server.db.models import AuditEntry

REPEAT_MS = 10 * 60_000


def note(tx: Transaction, *, now_ms: int, account: str, action: str, subject: str, **facts: str) -> None:
    """Add an entry."""
    tx.add(AuditEntry(at_ms=now_ms, account=account, action=action, subject=subject, facts=facts))


def noted_lately(tx: Transaction, *, now_ms: int, account: str, action: str, subject: str) -> bool:
    """Whether the same entry was made within ``REPEAT_MS``: playback asks for hundreds of segments."""
    query = select(AuditEntry.id).where(
        AuditEntry.account == account,
        AuditEntry.subject == subject,
        AuditEntry.at_ms > now_ms - REPEAT_MS,
        AuditEntry.action == action,
    )
    return tx.scalars(query.limit(1)).first() is not None


def viewed(context: Context, account: str, action: str, session: str) -> None:
    """Note a look at a session, once per ``REPEAT_MS``: the console looks again every few seconds."""
    entry = {"account": account, "action": action, "subject": session}
    with context.database.read() as tx:
        if noted_lately(tx, now_ms=context.now(), **entry):
            return
    with context.database.write() as tx:
        note(tx, now_ms=context.now(), **entry)
