"""Request bodies and answers as contract dataclasses, and refusals as status codes. Runs in the event loop."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from app.contract import canonical, schema
from app.contract.errors import IntegrityError, Retryable
from app.contract.wire import Refusal, RefusalCode
from server.context import Context
from server.refused import Refused
from server.web.documents import json_schema

T = TypeVar("T")
MAX_BODY = 512 * 1024
"""Bytes of a JSON body; the largest is a policy's JWS, but for grants."""

log = logging.getLogger("fairlock.server")


async def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


Parts = Annotated[Context, Depends(_context)]


def body_of(cls: type[T], *, limit: int = MAX_BODY) -> Callable[[Request], Awaitable[T]]:
    """Return a dependency that reads the body, at most ``limit`` bytes, as the JSON of ``cls``.

    It refuses with 422 or 413 ``E-FORMAT``.
    """

    async def read(request: Request) -> T:
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > limit:
                raise Refused(413, "E-FORMAT", "the body is too large")
        try:
            value = json.loads(bytes(data))
            # What has no canonical form (floats, lone surrogates) could be neither stored nor answered.
            canonical.dumps(value)
            return schema.from_json(cls, value)
        except (ValueError, RecursionError):
            raise Refused(422, "E-FORMAT", "the body is not JSON as this API speaks it") from None
        except IntegrityError as error:
            raise Refused(422, "E-FORMAT", str(error)) from error

    return read


def answer(value: object, status: int = 200) -> Response:
    """Return a contract dataclass as a JSON answer."""
    return Response(schema.dumps(value), status_code=status, media_type="application/json")


def spoken(*, request: type | None = None, answers: dict[int, type | None], tag: str) -> dict[str, Any]:
    """Return the route arguments that document what is asked and answered."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status, cls in answers.items():
        content = {"application/json": {"schema": json_schema(cls)}} if cls else {}
        responses[status] = {"description": (cls.__doc__ or "").split("\n")[0] if cls else "Done.", "content": content}
    responses["4XX"] = {
        "description": "Refused.",
        "content": {"application/json": {"schema": json_schema(Refusal)}},
    }
    extra: dict[str, Any] = {}
    if request is not None:
        body = {"application/json": {"schema": json_schema(request)}}
        extra["requestBody"] = {"required": True, "content": body}
    first = next(iter(answers))
    return {
        "response_model": None,
        "status_code": first,
        "responses": responses,
        "openapi_extra": extra,
        "tags": [tag],
    }


def refusal(status: int, code: RefusalCode, detail: str = "", *, retry_after_s: float | None = None) -> Response:
    """Return an error answer."""
    response = answer(Refusal(code=code, detail=detail), status)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, round(retry_after_s)))
    return response


def map_errors(app: FastAPI) -> None:
    """Answer every error with a ``Refusal``; what nobody expected is logged and says nothing to the outside."""

    async def refused(_request: Request, error: Exception) -> Response:
        problem = cast(Refused, error)
        code = cast(RefusalCode, problem.code)
        return refusal(problem.status, code, problem.detail, retry_after_s=problem.retry_after_s)

    async def integrity(_request: Request, error: Exception) -> Response:
        return refusal(422, "E-RECORD", f"{cast(IntegrityError, error).outcome}: {error}")

    async def later(_request: Request, error: Exception) -> Response:
        return refusal(503, "E-STORAGE", str(error), retry_after_s=cast(Retryable, error).after_s or 10)

    async def invalid(_request: Request, error: Exception) -> Response:
        first = cast(RequestValidationError, error).errors()[0]
        return refusal(422, "E-FORMAT", f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")

    async def unfit(_request: Request, _error: Exception) -> Response:
        # A number beyond 64 bits; a zero byte, which PostgreSQL keeps in no text.
        return refusal(422, "E-FORMAT", "a value does not fit into the database")

    async def plain(_request: Request, error: Exception) -> Response:
        problem = cast(HTTPException, error)
        response = refusal(problem.status_code, "E-FORMAT", str(problem.detail))
        response.headers.update(problem.headers or {})
        return response

    async def unexpected(request: Request, _error: Exception) -> Response:
        log.exception("%s %s failed", request.method, request.scope.get("route", request.scope["type"]))
        return refusal(500, "E-STORAGE", "the server failed; its log says why")

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(IntegrityError, integrity)
    app.add_exception_handler(Retryable, later)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(DataError, unfit)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Exception, unexpected)
