"""The route that segments come in by, and its description. Runs in the event loop.

Read by hand and not by FastAPI: a server answers it more often than all others, and to find out by their types what
the parts of a request are took as long as to receive it.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.contract.canonical import MAX_INTEGER
from app.contract.incidents import Track
from app.contract.wire import RECORD_HEADER, SegmentAnswer
from server.context import Context
from server.exams import upload
from server.refused import Refused
from server.storage.base import Place
from server.verification import access
from server.web.bodies import answer, spoken

PATH = "/api/v1/sessions/{session}/segments/{epoch}/{track}/{sequence}"


async def put_segment(request: Request) -> Response:
    """Store a segment; its record comes in the header ``Fairlock-Record``.

    With the header ``Fairlock-Live: 1`` and no body the bytes that were pushed live are stored; 428 when some lack.
    """
    context: Context = request.app.state.context
    token, place = access.token_of(request), _place(request.path_params)
    stored, new = await upload.receive(context, request, place, token, request.headers.get(RECORD_HEADER, ""))
    return answer(stored, 201 if new else 200)


def described() -> dict[str, Any]:
    """Return what OpenAPI says of the route."""
    said = spoken(answers={201: SegmentAnswer, 200: SegmentAnswer}, tag="application")
    texts, number = {"type": "string"}, {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
    track = {"type": "string", "enum": [str(track) for track in Track]}
    parts = {"session": texts, "epoch": number, "track": track, "sequence": number}
    return {
        "tags": said["tags"],
        "summary": "Put Segment",
        "description": put_segment.__doc__,
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": schema} for name, schema in parts.items()),
            {"name": RECORD_HEADER, "in": "header", "required": True, "schema": texts},
        ],
        "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
        "responses": {str(status): response for status, response in said["responses"].items()},
    }


def _place(parts: dict[str, str]) -> Place:
    try:
        track = Track(parts["track"])
    except ValueError:
        raise Refused(422, "E-FORMAT", "path.track: there is no such track") from None
    return Place(
        session=parts["session"], epoch=_number(parts, "epoch"), track=track, sequence=_number(parts, "sequence")
    )


def _number(parts: dict[str, str], name: str) -> int:
    text = parts[name]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_INTEGER)) and int(text) <= MAX_INTEGER):
        raise Refused(422, "E-FORMAT", f"path.{name}: must be a number from 0 to {MAX_INTEGER}")
    return int(text)
