"""Takes the application's confirmation: it runs, its browser holds this cookie token, its chain ends here."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as Transaction

from app.contract.actions import ActionKind
from app.contract.session import SessionState
from app.contract.wire import Heartbeat, HeartbeatAnswer
from server.context import Context
from server.db.models import ActionRecord, Session
from server.db.retries import retried
from server.verification import access, cookies, freezing, spending


@retried
def heartbeat(context: Context, session: str, access_token: str, beat: Heartbeat) -> HeartbeatAnswer:
    """Write the heartbeat down and say whether the candidate is frozen; raises ``Refused`` 401 or 404."""
    now = context.now()
    with context.database.write() as tx:
        row = access.bound(tx, session, access_token, hold=True)
        # First what was, by the state that the application last told; then what it tells now.
        freezing.notice(tx, row, now_ms=now, since_ms=context.uptime.since_ms)
        row.alive_ms = now
        row.state = beat.state.value
        spending.hear(row, beat.spent, now_ms=now)
        if beat.state is SessionState.RUNNING and row.running_ms is None:
            row.running_ms = now
        if beat.records >= row.records:
            row.head, row.records = beat.head, beat.records
        if beat.cookie is not None and cookies.see(tx, beat.cookie, now) == row.id:
            freezing.confirm(tx, row, now_ms=now, by="application")
            row.ticket = None
        frozen = freezing.frozen_now(row, now_ms=now, since_ms=context.uptime.since_ms)
        actions = _actions(tx, row)
    return HeartbeatAnswer(server_ms=now, frozen=frozen, health=context.load.health, actions=actions)


def _actions(tx: Transaction, row: Session) -> tuple[str, ...]:
    """Return what this program may not have heard of, and the pause that still holds, however old it is."""
    mine = ActionRecord.session == row.id
    turns = select(ActionRecord).where(mine, ActionRecord.kind.in_((ActionKind.PAUSE, ActionKind.RESUME)))
    last = tx.scalars(turns.order_by(ActionRecord.issued_ms.desc()).limit(1)).first()
    wanted = ActionRecord.issued_ms >= row.actions_from_ms
    if last is not None and last.kind == ActionKind.PAUSE:
        wanted = or_(wanted, ActionRecord.id == last.id)
    query = select(ActionRecord.jws).where(mine, wanted).order_by(ActionRecord.issued_ms)
    return tuple(tx.scalars(query))
