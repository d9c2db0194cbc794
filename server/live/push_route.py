"""The route that pieces of live view come in by, and its description. Runs in the event loop.

Read by hand, as ``exams.upload_route`` is, and for the same reason: each candidate sends one a second. What must ask
the database does so in a thread, and seldom (``Admissions``).
"""

from typing import Any

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.contract import live
from app.contract.errors import IntegrityError
from server.context import Context
from server.refused import Refused
from server.verification import access
from server.web.bodies import spoken
from server.web.draining import drain

PATH = "/api/v1/sessions/{session}/live"
PIECES: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
"""What OpenAPI says of pieces."""


async def push(request: Request) -> Response:
    """Take pieces of the segments that are being written, at most 4 MiB, and hand them to whoever watches."""
    parts: Context = request.app.state.context
    session, token, body = request.path_params["session"], access.token_of(request), request.stream()
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


def described() -> dict[str, Any]:
    """Return what OpenAPI says of the route."""
    said = spoken(answers={204: None}, tag="application")
    return {
        "tags": said["tags"],
        "summary": "Push",
        "description": push.__doc__,
        "parameters": [{"name": "session", "in": "path", "required": True, "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": PIECES},
        "responses": {str(status): response for status, response in said["responses"].items()},
    }


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
