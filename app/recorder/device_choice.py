"""The devices of a session before it is recorded: chosen, checked, shown to the candidate, exchanged for others.

Used by the recorder's main thread; what the devices yield is shown by threads of ``app.recorder.previewing``. Records
nothing: the recording opens the chosen sources itself, once they were let go of here.
"""

from collections.abc import Callable

from app import messages as m
from app.contract.incidents import Track
from app.contract.policy import Policy
from app.contract.times import Clock
from app.recorder.checks import CheckContext, check_picked, run_checks
from app.recorder.detection import DetectionChoice
from app.recorder.options import RecorderOptions
from app.recorder.previewing import Previews
from app.recorder.session_at_hand import SessionAtHand
from app.recorder.sources import Sources, choose, devices


class DeviceChoice:
    """``sources`` are those chosen by now, none before ``choose``; ``send`` takes messages for the shell."""

    def __init__(
        self,
        session: SessionAtHand,
        detection: DetectionChoice,
        options: RecorderOptions,
        clock: Clock,
        send: Callable[[object], object],
    ) -> None:
        self.sources = Sources()
        self._session, self._detection = session, detection
        self._options, self._clock, self._send = options, clock, send
        self._picked: dict[Track, str] = {}
        self._has_checked = False
        self._previews = Previews(send, clock)

    def choose(self, policy: Policy) -> None:
        """Choose what ``policy`` wants recorded, of the devices that were picked; raises ``UserFacing``."""
        self.let_go()
        self.sources = choose(policy, self._options, self._clock, self._picked)

    def check(self) -> None:
        """Check everything that the exam needs, then show what the devices yield."""
        self.let_go()
        for check in run_checks(self._context()):
            self._send(check)
        self._send(m.ChecksDone(sources=self.sources.origins(), models=self._detection.names))
        self._has_checked = True
        self._show()

    def pick(self, track: Track, name: str) -> None:
        """Take another device for ``track``, and look whether it works. Only while nothing is recorded."""
        joined, _ = self._session.need()
        self.let_go()
        self._picked[track] = name
        self.choose(joined.policy)
        if not self._has_checked:  # a new process of an exam that runs is about to record, and nobody waits for checks
            return
        for check in check_picked(self._context(), track):
            self._send(check)
        self._show()

    def let_go(self) -> None:
        """Show nothing more; returns when every device is closed."""
        self._previews.stop()

    def _context(self) -> CheckContext:
        joined, client = self._session.need()
        return CheckContext(
            policy=joined.policy,
            client=client,
            sources=self.sources,
            folder=joined.folder,
            detection=self._detection,
        )

    def _show(self) -> None:
        self._send(m.DevicesFound(devices=devices(self.sources)))
        self._previews.start(self.sources)
