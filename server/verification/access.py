"""Finds the session that a request of the application speaks for."""

import hmac
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session as Transaction

from server import tokens
from server.db.models import Session
from server.refused import Refused


async def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "E-NOT-SIGNED-IN", "no access token")
    return token


AccessToken = Annotated[str, Depends(_bearer)]


def find(tx: Transaction, session: str) -> Session:
    """Return a session; raises ``Refused`` 404."""
    row = tx.get(Session, session)
    if row is None:
        raise Refused(404, "E-SESSION-UNKNOWN")
    return row


def bound(tx: Transaction, session: str, access: str) -> Session:
    """Return the session that ``access`` is bound to now; raises ``Refused`` 404 or 401."""
    row = find(tx, session)
    if row.access is None or not hmac.compare_digest(row.access, tokens.digest(access)):
        raise Refused(401, "E-NOT-SIGNED-IN", "the access token is not this session's present one")
    return row
