"""HTTP routes of examiners for recipients added later to a session."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.contract.sealing.grants import Grants, SignedGrant
from server.accounts import audit
from server.accounts.logins import SignedIn
from server.exams import grants, views
from server.exams.store_threads import waited
from server.web.bodies import Parts, answer, body_of, spoken

router = APIRouter(prefix="/api/v1/sessions/{session}/grants")
_TAG = "examiner"
MAX_BODY = 4 * 1024 * 1024
"""Bytes of the largest grant in base64url, its statement, and a little room."""


@router.get("", **spoken(answers={200: Grants}, tag=_TAG))
async def grant_list(parts: Parts, request: Request, examiner: SignedIn, session: str) -> Response:
    """Return the grants of a session: the same text as ``grants.json`` of an export."""

    def found() -> Response:
        gathered = grants.gather(parts, session)
        audit.viewed(parts, examiner.name, "grants.viewed", session)
        return answer(gathered)  # many megabytes of text, which the event loop must not wait for

    return await waited(request, found)


@router.post("", **spoken(request=SignedGrant, answers={201: views.GrantAnswer, 200: views.GrantAnswer}, tag=_TAG))
async def add_grant(
    parts: Parts,
    request: Request,
    examiner: SignedIn,
    session: str,
    body: Annotated[SignedGrant, Depends(body_of(SignedGrant, limit=MAX_BODY))],
) -> Response:
    """Store a grant that one of the policy's recipients signed; the same one again changes nothing."""
    stored, new = await waited(request, grants.add, parts, session, body, examiner.name)
    return answer(stored, 201 if new else 200)
