"""Finds the session that a request of the application speaks for."""

import hmac
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends, Request
from sqlalchemy.orm import Session as Transaction
from starlette.requests import HTTPConnection

from server import tokens
from server.db.database import LOCKING
from server.db.models import Session
from server.refused import Refused


def token_of(request: HTTPConnection) -> str:
    """Return the access token that a request shows; raises ``Refused`` 401."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "E-NOT-SIGNED-IN", "no access token")
    return token


# In the event loop: there is nothing to wait for.
async def _bearer(request: Request) -> str:
    return token_of(request)


AccessToken = Annotated[str, Depends(_bearer)]


def find(tx: Transaction, session: str, *, hold: bool = False) -> Session:
    """Return a session; raises ``Refused`` 404.

    With ``hold`` nobody else writes about it until this transaction ends: what was read stays true.
    """
    row = tx.get(Session, session, with_for_update=LOCKING if hold else None)
    if row is None:
        raise Refused(404, "E-SESSION-UNKNOWN")
    return row


def bound(tx: Transaction, session: str, access: str, *, hold: bool = False) -> Session:
    """Return the session that ``access`` is bound to now, held as in ``find``; raises ``Refused`` 404 or 401."""
    return admitted(find(tx, session, hold=hold), access)


class Guarded(Protocol):
    """What an access token opens: ``access`` is the digest of the one that counts, none before the first binding."""

    @property
    def access(self) -> bytes | None:
        """SHA-256 of the token."""
        ...


G = TypeVar("G", bound=Guarded)


def admitted(found: G | None, access: str) -> G:
    """Return ``found`` to who shows its access token; raises ``Refused`` 404 when there is nothing, or 401."""
    if found is None:
        raise Refused(404, "E-SESSION-UNKNOWN")
    if found.access is None or not hmac.compare_digest(found.access, tokens.digest(access)):
        raise Refused(401, "E-NOT-SIGNED-IN", "the access token is not this session's present one")
    return found
