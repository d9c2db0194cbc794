"""The session at hand: opened by its link, its folder owned by this process, marked as taken up and as handed in, and
what it used up noted there.

Used by the recorder's main thread, which alone asks for it. What earlier exams left on this computer is sent meanwhile
in a thread of its own (``app.recorder.background``). Records nothing and opens no device.
"""

from contextlib import ExitStack
from pathlib import Path

from app import messages as m
from app.contract.errors import Retryable
from app.contract.times import Clock
from app.contract.wire import ExamLink
from app.metered import NetworkManager
from app.recorder.background import BackgroundUpload
from app.recorder.client import ServerClient
from app.recorder.joining import JoinedSession, join, session_folder, start_timeline
from app.recorder.leftovers import send
from app.recorder.marks import mark_handed_in, mark_taken_up
from app.recorder.ownership import owned
from app.recorder.spent import SpentHere

LEFTOVERS_DEADLINE_S = 2.0


class SessionAtHand:
    """``home`` holds the folders of all sessions on this computer; which of them is at hand, ``open`` knows.

    ``spent`` is there as soon as its folder is, also while the server can't be reached.
    """

    def __init__(self, home: Path, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._folder: Path | None = None
        self._client: ServerClient | None = None
        self._joined: JoinedSession | None = None
        self._background: BackgroundUpload | None = None
        self.spent: SpentHere | None = None
        self._ownership = ExitStack()

    def open(self, link: ExamLink, program_token: bytes) -> JoinedSession:
        """Own the folder of ``link`` and join its exam or resume it; raises what ``owned`` and ``join`` raise."""
        self._ownership.close()
        folder = session_folder(self._home, link)
        self._ownership.enter_context(owned(folder, self._clock))
        self._folder = folder  # known from here on, also where the server can't be reached
        self.spent = spent = SpentHere(folder, self._clock)
        self._client = client = ServerClient(link.server)
        self._joined = joined = join(client, link, program_token=program_token, home=self._home, clock=self._clock)
        spent.take_over(joined.spent_at_server)
        return joined

    def need(self) -> tuple[JoinedSession, ServerClient]:
        """Return the session and its server; raises ``Retryable`` while it is not joined."""
        if self._joined is None or self._client is None:
            raise Retryable("the session was not joined yet")
        return self._joined, self._client

    def take_up(self) -> None:
        """It is recorded from now on: its timeline has begun, and whatever ended it before does not count."""
        joined, _ = self.need()
        if self._background is not None:
            self._background.give_way()
        self._joined = joined = start_timeline(joined, self._clock)
        mark_taken_up(joined.folder)

    def note_hand_in(self, reason: str) -> None:
        """Mark the session as handed in, if ``reason`` ends it for good; whether it was joined or not."""
        if self._folder is not None and reason in m.ENDS_SESSION:
            mark_handed_in(self._folder)

    def send_leftovers(self) -> None:
        """Begin to send what earlier exams left, unless that has begun."""
        if self._background is None:
            folder = self.need()[0].folder
            self._background = BackgroundUpload(self._home, folder, self._clock, send=send, metering=NetworkManager())
            self._background.start()

    def go_on_with_leftovers(self) -> None:
        """Send on, after the exam to which that gave way."""
        if self._background is not None:
            self._background.start()

    def close(self) -> None:
        """Leave the session and what earlier ones left to whoever comes next."""
        if self._background is not None:
            self._background.end(LEFTOVERS_DEADLINE_S)
        self._ownership.close()
