"""A server on a clock of its own with one finished session of two segments, for tests of what comes after an exam."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx

from app.clock import ManualClock
from app.contract.incidents import Track
from app.contract.policy import Retention
from server.app import open_context
from server.context import Context
from tests.e2e.server_rig import Application, Institution, prepare, timed

DAYS, DAY_S = 2, 86_400
LONG_AGO_MS = 1_700_000_000_000

F = TypeVar("F", bound="Finished")


@dataclass(slots=True, kw_only=True)
class Finished:
    """The session's application, its sealed segments with their records, and the server, which deletes after ``DAYS``.

    Tests add what they need in classes of their own.
    """

    data: Path
    clock: ManualClock
    institution: Institution
    app: Application
    sealed: list[tuple[str, bytes]] = field(default_factory=list)

    @contextmanager
    def context(self) -> Iterator[Context]:
        """Open the server's folder beside the server, on its clock."""
        context = open_context(self.data, public_url="http://127.0.0.1", now=lambda: self.clock.now().utc_ms)
        try:
            yield context
        finally:
            context.database.close()


@contextmanager
def finished(cls: type[F], data: Path, *, settings: str = "") -> Iterator[F]:
    """Run a server on ``data`` and finish a session there."""
    clock = ManualClock(utc_ms=LONG_AGO_MS)
    prepare(data, settings=settings)
    with timed(data, clock) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        institution = Institution(http)
        institution.sign_in()
        institution.exam("algebra", retention=Retention(days=DAYS))
        app = Application(http, institution.invite("algebra"))
        app.join()
        app.bind()
        sealed = [app.seal(track) for track in (Track.CAMERA, Track.SCREEN)]
        for record, segment in sealed:
            assert app.put(record, segment).status_code == 201
        app.end(app.end_token())
        yield cls(data=data, clock=clock, institution=institution, app=app, sealed=sealed)
