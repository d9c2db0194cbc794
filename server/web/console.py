"""Serves the console's built files at ``/console/`` and says so plainly when they were not built."""

import re
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from server.web.pages import PAGE_POLICY, page

DIST = Path(__file__).parents[1] / "console" / "dist"

CONSOLE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

# Vite writes a hash of the content into the names of its assets, so they never change.
_HASHED = re.compile(r"assets/.+-[A-Za-z0-9_-]{8,}\.\w+")


def routes(dist: Path = DIST) -> APIRouter:
    """Return the routes of the console and of the root address."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    @router.get("/console")
    async def root() -> Response:
        return RedirectResponse("/console/")

    @router.get("/console/{path:path}")
    def file(path: str) -> Response:
        found = (dist / path).resolve()
        if not found.is_relative_to(dist.resolve()):
            return Response(status_code=404)
        if not found.is_file():
            if Path(path).suffix:
                return Response(status_code=404)
            found = dist / "index.html"
        if not found.is_file():
            text = "<p>The console is not built. Run <code>make setup</code> and start the server again.</p>"
            headers = {"Content-Security-Policy": PAGE_POLICY}
            return HTMLResponse(page("No console here", text), status_code=404, headers=headers)
        lasting = _HASHED.fullmatch(path) is not None
        caching = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return FileResponse(found, headers={"Content-Security-Policy": CONSOLE_POLICY, "Cache-Control": caching})

    return router
