"""HTTP routes of live view: pieces in from the application, pieces out to examiners who watch.

Runs in the event loop; what must ask the database does so in a thread, which it gives back at once.
"""

from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from app.contract import live
from app.contract.errors import IntegrityError, Retryable
from server.accounts import audit, logins
from server.accounts.logins import SignedIn
from server.context import Context
from server.live.answer import LiveAnswer
from server.refused import Refused
from server.verification import access
from server.verification.access import AccessToken
from server.web.bodies import Parts, spoken
from server.web.draining import drain

router = APIRouter(prefix="/api/v1")
_PIECES: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_PUSHED = spoken(answers={204: None}, tag="application")
_PUSHED["openapi_extra"] = {"requestBody": {"required": True, "content": _PIECES}}
_WATCHED = spoken(answers={200: None}, tag="examiner")
_WATCHED["responses"][200] = {"description": "Pieces, without end.", "content": _PIECES}


@router.post("/sessions/{session}/live", **_PUSHED)
async def push(parts: Parts, request: Request, session: str, token: AccessToken) -> Response:
    """Take pieces of the segments that are being written, at most 4 MiB, and hand them to whoever watches."""
    body = request.stream()
    try:
        await _admit(parts, session, token)
        pieces = live.decode(await parts.live.intake.read(session, body))
        parts.live.hub.push(session, pieces)
    except IntegrityError as error:
        raise Refused(422, "E-FORMAT", str(error)) from error
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    except Exception:
        await drain(body, live.MAX_PUSH)
        raise
    return Response(status_code=204)


@router.get("/sessions/{session}/live", **_WATCHED)
async def watch(parts: Parts, request: Request, examiner: SignedIn, session: str) -> Response:
    """Answer with what is being recorded, as it comes, from the beginning of each track's newest segment on."""
    watcher = parts.live.hub.watch(session)
    leave = partial(parts.live.hub.leave, session, watcher)
    try:
        await to_thread.run_sync(_begin, parts, session, examiner.name)
    except BaseException:
        leave()
        raise
    may_go_on = partial(to_thread.run_sync, _may_go_on, parts, session, request.cookies[logins.COOKIE])
    return LiveAnswer(watcher, now=parts.now, may_go_on=may_go_on, leave=leave)


async def _admit(parts: Context, session: str, token: str) -> None:
    admissions = parts.live.admissions
    if admissions.knows(session, token):
        return
    changes = admissions.changes
    await to_thread.run_sync(_check_sender, parts, session, token)
    admissions.remember(session, token, changes=changes)


def _check_sender(parts: Context, session: str, token: str) -> None:
    with parts.database.read() as tx:
        if access.bound(tx, session, token).completion is not None:
            raise Refused(409, "E-SESSION-ENDED", "everything of this session has arrived")


def _begin(parts: Context, session: str, examiner: str) -> None:
    _check_open(parts, session)
    audit.viewed(parts, examiner, "live.watched", session)


def _check_open(parts: Context, session: str) -> None:
    with parts.database.read() as tx:
        if access.find(tx, session).end is not None:
            raise Refused(409, "E-SESSION-ENDED", "this session has ended")


def _may_go_on(parts: Context, session: str, login: str) -> bool:
    """Whether the login is good and the session goes on; a database that is away for a moment ends no watching."""
    try:
        logins.find(parts, login)
        _check_open(parts, session)
    except Refused:
        return False
    except Retryable:
        return True
    return True
