"""Who is signed in: the cookie, the check of it, and the header that other sites can't send."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import delete

from server import tokens
from server.accounts import audit, passwords
from server.context import Context
from server.db.models import Account, Login
from server.refused import Refused
from server.web.bodies import Parts

COOKIE = "fairlock_examiner"
LASTS_MS = 12 * 3_600_000
CSRF_HEADER = "X-Fairlock"


@dataclass(frozen=True, slots=True)
class Examiner:
    """The account that a request is made for."""

    name: str
    role: str


def sign_in(context: Context, name: str, password: str) -> tuple[Examiner, str]:
    """Check a password and return the account and a new cookie; raises ``Refused`` 401 or 429."""
    context.attempts.check(name)
    with context.database.read() as tx:
        account = tx.get(Account, name)
    if not passwords.matches(account, password) or account is None:
        context.attempts.failed(name)
        raise Refused(401, "E-NOT-SIGNED-IN", "wrong name or password")
    context.attempts.succeeded(name)
    cookie, now = tokens.new_token(), context.now()
    with context.database.write() as tx:
        tx.execute(delete(Login).where(Login.expires_ms < now))
        tx.add(Login(token=tokens.digest(cookie), account=name, expires_ms=now + LASTS_MS))
        audit.note(tx, now_ms=now, account=name, action="login", subject=name)
    return Examiner(account.name, account.role), cookie


def sign_out(context: Context, cookie: str) -> None:
    """End a login."""
    with context.database.write() as tx:
        tx.execute(delete(Login).where(Login.token == tokens.digest(cookie)))


def _examiner(request: Request, context: Parts) -> Examiner:
    if request.method not in ("GET", "HEAD"):
        _check_header(request)
    return find(context, request.cookies.get(COOKIE, ""))


def find(context: Context, cookie: str) -> Examiner:
    """Return who is signed in with ``cookie``; raises ``Refused`` 401."""
    with context.database.read() as tx:
        login = tx.get(Login, tokens.digest(cookie))
        if login is None or login.expires_ms < context.now():
            raise Refused(401, "E-NOT-SIGNED-IN")
        account = tx.get_one(Account, login.account)
        return Examiner(account.name, account.role)


def _administrator(examiner: "Annotated[Examiner, Depends(_examiner)]") -> Examiner:
    if examiner.role != passwords.ADMIN:
        raise Refused(403, "E-NOT-ALLOWED", "only an administrator may do this")
    return examiner


# In the event loop: a thread for this would be one that a flood of logins takes from the gate.
async def _own_page(request: Request) -> None:
    _check_header(request)


def _check_header(request: Request) -> None:
    # Another site can make a browser send the cookie in old browsers, but not this header without our consent.
    if request.headers.get(CSRF_HEADER) != "1":
        raise Refused(403, "E-NOT-ALLOWED", f"the header {CSRF_HEADER}: 1 is missing")


SignedIn = Annotated[Examiner, Depends(_examiner)]
Administrator = Annotated[Examiner, Depends(_administrator)]
OwnPage = Depends(_own_page)
