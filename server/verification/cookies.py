"""Cookie tokens: random values that the gate sets anew with every answer, and the window of those that still count.

A browser sends requests in parallel and its answers arrive in any order, so the newest token that was issued need not
be the one it holds. A token counts while it is among the newest ``NEWEST`` or was seen within ``RECENT_MS``: used in
a request, or confirmed by the application, which names the one that the browser really holds.
"""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as Transaction

from server import tokens
from server.db.models import CookieToken

NAME = "fairlock"
NEWEST = 32
RECENT_MS = 30_000


def issue(tx: Transaction, session: str, now_ms: int) -> str:
    """Make the next token of ``session`` and forget those that do not count any more."""
    newest = tx.scalar(select(func.max(CookieToken.serial)).where(CookieToken.session == session)) or 0
    value = tokens.new_token()
    tx.add(CookieToken(token=tokens.digest(value), session=session, serial=newest + 1, seen_ms=now_ms))
    tx.execute(
        delete(CookieToken).where(
            CookieToken.session == session,
            CookieToken.serial <= newest + 1 - NEWEST,
            CookieToken.seen_ms < now_ms - RECENT_MS,
        )
    )
    return value


def owner(tx: Transaction, value: str) -> str | None:
    """Return the session of a token, or none when it does not count."""
    return tx.scalar(select(CookieToken.session).where(CookieToken.token == tokens.digest(value)))


def see(tx: Transaction, value: str, now_ms: int) -> str | None:
    """Note that a token was used; return its session, or none when it does not count."""
    row = tx.get(CookieToken, tokens.digest(value))
    if row is None:
        return None
    row.seen_ms = now_ms
    return row.session


def revoke(tx: Transaction, session: str) -> None:
    """Forget all tokens of ``session``."""
    tx.execute(delete(CookieToken).where(CookieToken.session == session))
