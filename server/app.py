"""Composition root: opens the data folder and puts the HTTP application together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, create_task_group
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.contract.errors import FairlockError
from server import keys, settings
from server.accounts import routes as account_routes
from server.accounts.attempts import Attempts
from server.accounts.turns import Turns
from server.clock import Now, utc_ms
from server.context import SESSION_BYTES, Context
from server.db import migrate
from server.exams import candidate_routes, examiner_routes, grant_routes, quota_routes, upload_route
from server.exams.store_threads import READERS
from server.exams.upload import DISK_THREADS
from server.live import push_route, watch_routes
from server.live.parts import LiveView
from server.load import Load
from server.uptime import Uptime
from server.verification import routes as verification_routes
from server.web import bodies, console, documents
from server.web.headers import SecurityHeaders
from server.web.pages import PAGE_POLICY


def open_context(data: Path, *, public_url: str, now: Now = utc_ms, session_bytes: int = SESSION_BYTES) -> Context:
    """Open a data folder that ``init`` made; raises ``UserFacing`` when it can't be used."""
    pairs = keys.load(data / "keys")
    wanted = settings.load(data / settings.NAME)
    database = settings.open_database(wanted, data)
    try:
        migrate.upgrade(database)
        store = settings.open_store(wanted, data)
    except FairlockError:
        database.close()
        raise
    uptime = Uptime(now)
    database.when_silent = uptime.interrupt
    return Context(
        database=database,
        store=store,
        keys=pairs,
        now=now,
        uptime=uptime,
        public_url=public_url.rstrip("/"),
        attempts=Attempts(now),
        load=Load(),
        live=LiveView.on(now),
        session_bytes=session_bytes,
    )


def create_app(context: Context) -> FastAPI:
    """Return the HTTP application."""
    app = FastAPI(
        title="Fairlock server",
        version=candidate_routes.server_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_alive,
    )
    app.state.context = context
    app.state.login_turns = Turns()
    app.state.disk_threads = CapacityLimiter(DISK_THREADS)
    app.state.store_threads = CapacityLimiter(READERS)
    bodies.map_errors(app)
    # Before all others: most requests are for these two.
    app.router.add_route(upload_route.PATH, upload_route.put_segment, methods=["PUT"])
    app.router.add_route(push_route.PATH, push_route.push, methods=["POST"])
    # Tried in this order: first what applications ask, which is most of the rest.
    for router in (
        verification_routes.router,
        candidate_routes.router,
        examiner_routes.router,
        watch_routes.router,
        quota_routes.router,
        grant_routes.router,
        account_routes.router,
        _documentation(app),
        console.routes(),
    ):
        app.include_router(router)
    app.add_middleware(SecurityHeaders, secure=context.secure)
    return app


@asynccontextmanager
async def _alive(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    async with create_task_group() as tasks:
        tasks.start_soon(context.live.tidy)
        yield
        tasks.cancel_scope.cancel()


def _documentation(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    def described() -> dict[str, Any]:
        document = app.openapi()
        document["paths"].setdefault(upload_route.PATH, {})["put"] = upload_route.described()
        document["paths"].setdefault(push_route.PATH, {})["post"] = push_route.described()
        return document

    @router.get("/api/openapi.json")
    def openapi() -> Response:
        return JSONResponse(described())

    @router.get("/api/docs")
    def docs() -> Response:
        html = documents.documentation(described())
        return HTMLResponse(html, headers={"Content-Security-Policy": PAGE_POLICY})

    return router
