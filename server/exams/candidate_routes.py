"""HTTP routes of the application: keys, policy, join, evidence, end. ``app.contract.wire`` is their law."""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.contract.wire import (
    RECORD_HEADER,
    EndAnswer,
    EndRequest,
    JoinAnswer,
    JoinRequest,
    PolicyAnswer,
    SegmentAnswer,
    ServerKeys,
)
from server.exams import ending, policies, roster, upload
from server.exams.segment_answers import Placed
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


@router.put(
    "/sessions/{session}/segments/{epoch}/{track}/{sequence}",
    **spoken(answers={201: SegmentAnswer, 200: SegmentAnswer}, tag=_TAG),
)
async def put_segment(parts: Parts, request: Request, token: AccessToken, place: Placed) -> Response:
    """Store a segment; its record comes in the header ``Fairlock-Record``.

    With the header ``Fairlock-Live: 1`` and no body the bytes that were pushed live are stored; 428 when some lack.
    """
    record = request.headers.get(RECORD_HEADER, "")
    stored, new = await upload.receive(parts, request, place, token, record)
    return answer(stored, 201 if new else 200)


@router.post("/sessions/{session}/end", **spoken(request=EndRequest, answers={200: EndAnswer}, tag=_TAG))
def end(
    parts: Parts, session: str, token: AccessToken, body: Annotated[EndRequest, Depends(body_of(EndRequest))]
) -> Response:
    """Take the signed end; complete the session when nothing is missing."""
    ended = ending.end(parts, session, token, body.end)
    from_thread.run_sync(parts.live.ended, session)
    return answer(ended)
