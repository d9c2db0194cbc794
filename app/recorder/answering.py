"""What the recorder does with the server's answers to its heartbeats: into the journal, to the uploader, to the shell.

Called in the thread ``heartbeat``. Decides nothing: the exam is paused and ended by the shell.
"""

import logging
from collections.abc import Callable

from app.contract.actions import Action
from app.contract.incidents import IncidentKind
from app.contract.wire import Spent
from app.messages import ActionArrived
from app.recorder.client import ServerClient
from app.recorder.heartbeat import HeartbeatHandlers, HeartbeatLoop
from app.recorder.joining import JoinedSession
from app.recorder.recording import Recording

_log = logging.getLogger("fairlock.recorder")


class Answers:
    """``tell_shell`` takes a message for the shell; ``tell_status`` makes it hear at once how things stand."""

    def __init__(
        self, recording: Recording, tell_shell: Callable[[object], object], tell_status: Callable[[], None]
    ) -> None:
        self._recording, self._tell_shell, self._tell_status = recording, tell_shell, tell_status

    def loop(self, client: ServerClient, joined: JoinedSession, spent: Callable[[], Spent]) -> HeartbeatLoop:
        """Return the heartbeats of the session, not started yet; ``spent`` is asked in their thread."""
        handlers = HeartbeatHandlers(
            on_online=lambda online: self._online_changed(online=online),
            on_frozen=lambda frozen: self._frozen_changed(frozen=frozen),
            on_action=self._action_arrived,
            on_refused=lambda error: _log.warning("heartbeat refused: %s %s", error.code, error),
        )
        return HeartbeatLoop(
            client,
            joined.session,
            joined.receipt_key,
            interval_s=joined.policy.upload.heartbeat_ms / 1000,
            head=self._recording.head,
            handlers=handlers,
            spent=spent,
        )

    def _online_changed(self, *, online: bool) -> None:
        kind = IncidentKind.SERVER_BACK if online else IncidentKind.SERVER_UNREACHABLE
        self._recording.incidents.report(kind, source="heartbeat")
        if online:
            self._recording.uploader.wake()
        self._tell_status()

    def _frozen_changed(self, *, frozen: bool) -> None:
        kind = IncidentKind.FROZEN if frozen else IncidentKind.THAWED
        self._recording.incidents.report(kind, source="server")
        self._tell_status()

    def _action_arrived(self, action: Action) -> None:
        self._recording.journal.note(action=action.kind.value, action_id=action.id, issuer=action.issuer)
        self._tell_shell(ActionArrived(action=action))
