"""HTTP routes of the application: keys, policy, join, end. ``app.contract.wire`` is their law.

Evidence comes by ``upload_route``.
"""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, Depends
from fastapi.responses import Response

from app.contract.wire import (
    EndAnswer,
    EndRequest,
    JoinAnswer,
    JoinRequest,
    PolicyAnswer,
    ServerKeys,
)
from server.exams import ending, policies, roster
from server.verification.access import AccessToken
from server.web.bodies import Parts, answer, body_of, spoken

router = APIRouter(prefix="/api/v1")
_TAG = "application"


@lru_cache
def server_version() -> str:
    """Return the installed version; in a bare checkout there is none to tell."""
    try:
        return version("fairlock")
    except PackageNotFoundError:
        return "0"


@router.get("/server", **spoken(answers={200: ServerKeys}, tag=_TAG))
async def server_keys(parts: Parts) -> Response:
    """Return the server's public keys, for policies."""
    keys = parts.keys
    return answer(ServerKeys(version=server_version(), token_key=keys.token_public, receipt_key=keys.receipt_public))


@router.get("/exams/{exam}/policy", **spoken(answers={200: PolicyAnswer}, tag=_TAG))
def policy(parts: Parts, exam: str) -> Response:
    """Return an exam's signed policy."""
    with parts.database.read() as tx:
        return answer(policies.policy_of(tx, exam))


@router.post("/join", **spoken(request=JoinRequest, answers={200: JoinAnswer}, tag=_TAG))
def join(parts: Parts, body: Annotated[JoinRequest, Depends(body_of(JoinRequest))]) -> Response:
    """Exchange an invite for a session."""
    with parts.database.write(durable=True) as tx:
        joined = roster.join(tx, parts, body)
    return answer(joined)


@router.post("/sessions/{session}/end", **spoken(request=EndRequest, answers={200: EndAnswer}, tag=_TAG))
def end(
    parts: Parts, session: str, token: AccessToken, body: Annotated[EndRequest, Depends(body_of(EndRequest))]
) -> Response:
    """Take the signed end; complete the session when nothing is missing."""
    ended = ending.end(parts, session, token, body.end)
    from_thread.run_sync(parts.live.ended, session)
    return answer(ended)
