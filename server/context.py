"""What every request needs: made once at start, never changed afterwards."""

from dataclasses import dataclass

from server.accounts.attempts import Attempts
from server.clock import Now
from server.db.database import Database
from server.keys import ServerKeyPairs
from server.live.parts import LiveView
from server.load import Load
from server.storage.base import SegmentStore
from server.uptime import Uptime

SESSION_BYTES = 20 * 1024**3
"""What one session may store by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The server's parts."""

    database: Database
    store: SegmentStore
    keys: ServerKeyPairs
    now: Now
    uptime: Uptime
    public_url: str
    attempts: Attempts
    load: Load
    live: LiveView
    session_bytes: int = SESSION_BYTES

    @property
    def secure(self) -> bool:
        """Whether browsers reach the server over TLS."""
        return self.public_url.startswith("https:")
