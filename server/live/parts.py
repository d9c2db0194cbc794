"""What live view holds for as long as the server runs. Touched in the event loop only."""

from dataclasses import dataclass

from anyio import sleep

from server.clock import Now
from server.live.admissions import Admissions
from server.live.hub import Hub
from server.live.intake import Intake

TIDY_S = 10.0


@dataclass(frozen=True, slots=True)
class LiveView:
    """The hub, who may push into it, and what is on its way in."""

    hub: Hub
    admissions: Admissions
    intake: Intake

    @classmethod
    def on(cls, now: Now) -> "LiveView":
        """Return an empty one on the clock ``now``."""
        return cls(Hub(now), Admissions(now), Intake())

    async def tidy(self) -> None:
        """Forget what is over its time, also when nothing comes in any more; never returns."""
        while True:
            await sleep(TIDY_S)
            self.hub.sweep()

    def bound(self, session: str) -> None:
        """Note that another program speaks for a session now."""
        self.admissions.forget(session)

    def ended(self, session: str) -> None:
        """Note that a session has ended: nobody pushes, nobody watches."""
        self.admissions.forget(session)
        self.hub.end(session)
