"""Signs an examiner's action and leaves it where the session's heartbeats pick it up."""

from sqlalchemy.orm import Session as Transaction

from app.contract.actions import Action, ActionKind
from app.contract.sealing import jws
from app.contract.sealing.records import ACTION_TYPE
from server import tokens
from server.actions.views import ActionView, NewAction
from server.context import Context
from server.db.models import ActionRecord
from server.refused import Refused
from server.verification import access, freezing

MAX_TEXT = 2_000


def issue(tx: Transaction, context: Context, session: str, asked: NewAction, issuer: str) -> ActionView:
    """Issue an action; raises ``Refused`` 404, 409 after the end, or 422 for a text that is too long."""
    row = access.find(tx, session, hold=True)
    if row.end is not None:
        raise Refused(409, "E-SESSION-ENDED")
    if any(len(key) + len(text) > MAX_TEXT for key, text in asked.arguments.items()):
        raise Refused(422, "E-FORMAT", f"an argument has at most {MAX_TEXT} characters")
    now = context.now()
    action = Action(
        id=tokens.new_id(),
        session=session,
        kind=asked.kind,
        arguments=dict(asked.arguments),
        issuer=issuer,
        issued_ms=now,
    )
    tx.add(
        ActionRecord(
            id=action.id,
            session=session,
            kind=action.kind.value,
            arguments=dict(action.arguments),
            issuer=issuer,
            issued_ms=now,
            jws=jws.sign(action, context.keys.receipt, typ=ACTION_TYPE),
        )
    )
    if action.kind is ActionKind.THAW:
        freezing.notice(tx, row, now_ms=now, since_ms=context.uptime.since_ms)
        if row.confirmed_ms is not None:
            freezing.confirm(tx, row, now_ms=now, by=issuer)
    return ActionView(id=action.id, kind=action.kind, arguments=action.arguments, issuer=issuer, issued_ms=now)
