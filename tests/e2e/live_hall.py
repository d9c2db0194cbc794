"""A server with an exam that may be watched live, and media to record, for the tests of the page that watches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.contract import schema
from app.contract.incidents import Track
from app.contract.policy import Capture
from app.contract.sealing import keys
from app.contract.session import SessionState
from tests.e2e import console_media as media
from tests.e2e import server_rig
from tests.e2e.console_fixtures import PASSPHRASE, build_console
from tests.e2e.live_broadcast import Broadcast, material
from tests.e2e.server_rig import Application, Institution

EXAM = "algebra-live"
SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Hall:
    """The server's address, who examines there, and what is recorded of each candidate."""

    url: str
    institution: Institution
    cuts: Sequence[media.Cut]

    def seat(self, name: str) -> Application:
        """Seat a candidate whose exam runs."""
        application = self.institution.seat(EXAM, name)
        application.beat(None, SessionState.RUNNING)
        return application

    @contextmanager
    def recording(
        self,
        name: str,
        *,
        at_s: float,
        forged: frozenset[Track] = frozenset(),
        lost: Track | None = None,
        screen: Sequence[media.Cut] | None = None,
    ) -> Iterator[Broadcast]:
        """Seat a candidate of whose exam ``at_s`` were recorded; the test lets it go on from there.

        Openings of ``forged`` are signed by somebody else; of ``lost`` there is a first segment only.
        ``screen`` is recorded in the place of the usual one.
        """
        others = [cut for cut in self.cuts if screen is None or cut.track is not Track.SCREEN]
        broadcast = Broadcast(
            application=self.seat(name),
            cuts=[cut for cut in [*others, *(screen or ())] if cut.track is not lost or cut.start_ms == 0],
            forged=forged,
            url=self.url,
            place_s=at_s,
            hold_at_s=at_s,
        )
        with broadcast.running():
            yield broadcast


@contextmanager
def live_hall(folder: Path, seconds: float = SECONDS) -> Iterator[Hall]:
    """Run the server, whose console is built; of each candidate so many ``seconds`` can be recorded."""
    build_console()
    data = folder / "data"
    server_rig.prepare(data)
    with (
        server_rig.running(data) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http,
    ):
        institution = Institution(http)
        institution.sign_in()
        protected = keys.protect(institution.examiner, PASSPHRASE)
        institution.call("POST", "/api/v1/keys", {"label": "Ada's key", "key": schema.to_json(protected)})
        institution.exam(EXAM, capture=Capture(live_view=True))
        yield Hall(url=server.url, institution=institution, cuts=material(seconds))
