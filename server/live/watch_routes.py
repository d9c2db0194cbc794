"""The route by which examiners watch.

Runs in the event loop; what asks the database does so in a thread, which it gives back at once: however long somebody
watches, they hold neither.
"""

from functools import partial

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.contract.errors import Retryable
from server.accounts import audit, logins
from server.accounts.logins import SignedIn
from server.context import Context
from server.live.answer import LiveAnswer
from server.live.push_route import PIECES
from server.refused import Refused
from server.verification import access
from server.web.bodies import Parts, spoken

router = APIRouter(prefix="/api/v1")
_WATCHED = spoken(answers={200: None}, tag="examiner")
_WATCHED["responses"][200] = {"description": "Pieces, without end.", "content": PIECES}


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
