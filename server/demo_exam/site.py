"""The exam site itself: every request asks the gate first, as nginx or Traefik would on its behalf."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from server.demo_exam.questions import NAMES, PAGES, exam_page, submitted_page

FILES = Path(__file__).parent / "files"
SITE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_ASSETS = {"exam.css": "text/css", "exam.js": "text/javascript", "exam.svg": "image/svg+xml"}
MAX_ANSWER = 10_000

Handler = Callable[[Request], Awaitable[Response]]


def create_app(*, gate: str, rehearse_s: int | None = None) -> Starlette:
    """Return the site. With ``rehearse_s`` the page's script answers the questions and submits after that time."""
    site = _Site(gate.rstrip("/"), rehearse_s)
    routes = [
        Route("/.fairlock/{path:path}", site.to_gate),
        Route("/", site.guarded(site.questions)),
        Route("/part/{number:int}", site.guarded(site.questions)),
        Route("/answers", site.guarded(site.save), methods=["POST"]),
        Route("/submitted", site.guarded(site.submitted)),
        Route("/files/{name}", site.guarded(site.file)),
    ]
    return Starlette(routes=routes, lifespan=site.lifespan)


class _Site:
    def __init__(self, gate: str, rehearse_s: int | None) -> None:
        self._gate = gate
        self._rehearse_s = rehearse_s
        self._answers: dict[str, dict[str, str]] = {}
        self._client = httpx.AsyncClient(timeout=5, trust_env=False)

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Close the connections to the gate at the end."""
        async with self._client:
            yield

    def guarded(self, handler: Handler) -> Handler:
        """Return ``handler`` behind the gate: its answers carry the gate's next cookie token."""

        async def ask_first(request: Request) -> Response:
            try:
                verdict = await self._ask("/gate/verify", request)
            except httpx.HTTPError:
                return PlainTextResponse("The exam server does not answer. Try again.", status_code=503)
            if verdict.status_code == 204:
                request.state.session = verdict.headers["X-Fairlock-Session"]
                response = await handler(request)
                response.headers.append("Set-Cookie", verdict.headers["Set-Cookie"])
                response.headers.setdefault("Content-Security-Policy", SITE_POLICY)
                response.headers.setdefault("Cache-Control", "no-store")
                return response
            frozen = verdict.status_code == 403
            return _passed_on(await self._ask("/gate/frozen" if frozen else "/gate/required", request))

        return ask_first

    async def to_gate(self, request: Request) -> Response:
        """Hand ``/.fairlock/…`` to the gate's ``/gate/…``."""
        try:
            return _passed_on(await self._ask(f"/gate/{request.path_params['path']}", request))
        except httpx.HTTPError:
            return PlainTextResponse("The exam server does not answer. Try again.", status_code=503)

    async def questions(self, request: Request) -> Response:
        """Show a page of questions."""
        number = request.path_params.get("number", 1)
        if not 1 <= number <= len(PAGES):
            return PlainTextResponse("There is no such page.", status_code=404)
        given = self._answers.get(request.state.session, {})
        return HTMLResponse(exam_page(number, answers=given, rehearse_s=self._rehearse_s))

    async def save(self, request: Request) -> Response:
        """Keep answers, in memory: this is a demonstration."""
        body = await request.body()
        if len(body) > MAX_ANSWER:
            return PlainTextResponse("The answer is too long.", status_code=413)
        given = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        kept = self._answers.setdefault(request.state.session, {})
        kept.update({name: text for name, text in given.items() if name in NAMES})
        return Response(status_code=204)

    async def submitted(self, _request: Request) -> Response:
        """Show the last page."""
        return HTMLResponse(submitted_page())

    async def file(self, request: Request) -> Response:
        """Return the style sheet or the script."""
        name = request.path_params["name"]
        if name not in _ASSETS:
            return PlainTextResponse("There is no such file.", status_code=404)
        return FileResponse(FILES / name, media_type=_ASSETS[name])

    async def _ask(self, path: str, request: Request) -> httpx.Response:
        headers = {"Cookie": request.headers.get("Cookie", "")}
        return await self._client.get(self._gate + path, params=dict(request.query_params), headers=headers)


def _passed_on(answer: httpx.Response) -> Response:
    kept = ("Content-Type", "Location", "Set-Cookie", "Content-Security-Policy", "Cache-Control")
    response = Response(answer.content, status_code=answer.status_code)
    for name in kept:
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    return response
