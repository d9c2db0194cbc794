"""Heartbeats: every few seconds the application confirms that it runs, with the newest cookie and the chain's head.

Runs in the thread ``heartbeat``. Being offline is not a state of the session: it is said to the shell and written
down, and everything else goes on.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.contract.actions import Action
from app.contract.errors import FairlockError, IntegrityError, Retryable
from app.contract.sealing import jws
from app.contract.sealing.records import ACTION_TYPE
from app.contract.session import SessionState
from app.contract.wire import Heartbeat, HeartbeatAnswer, Spent
from app.recorder.client import ServerClient


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatHandlers:
    """Who hears what came of a heartbeat; called in the heartbeat's thread.

    ``on_online`` hears of a server that is lost or back; that it answers from the start is no news.
    """

    on_online: Callable[[bool], None]
    on_frozen: Callable[[bool], None]
    on_action: Callable[[Action], None]
    on_refused: Callable[[FairlockError], None]


JOIN_S = 2.0
"""What the thread is waited for: a server whose answer drips must not keep what was recorded from being sealed."""


class HeartbeatLoop:
    """Sends heartbeats until stopped. ``spent`` says what the session used up so far."""

    def __init__(
        self,
        client: ServerClient,
        session: str,
        receipt_key: Ed25519PublicKey,
        *,
        interval_s: float,
        head: Callable[[], tuple[bytes, int]],
        handlers: HeartbeatHandlers,
        spent: Callable[[], Spent] = Spent,
    ) -> None:
        self._client = client
        self._session = session
        self._receipt_key = receipt_key
        self._interval_s = interval_s
        self._head = head
        self._handlers = handlers
        self._spent = spent
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._seen_actions: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self.cookie: str | None = None
        self.state = SessionState.CHECKING
        self.online: bool | None = None
        self.frozen = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def confirm(self, cookie: str) -> None:
        """A new cookie token was seen; the first one is confirmed at once."""
        first = self.cookie is None
        self.cookie = cookie
        if first or self.frozen:
            self._wake.set()

    def hurry(self) -> None:
        """Send the next one at once."""
        self._wake.set()

    def stop(self) -> None:
        """Send no other one. The thread ends with the answer it waits for, for which ``JOIN_S`` must do."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001  (thread main: a heartbeat must never be the last one)
                self._handlers.on_refused(FairlockError(f"heartbeat: {error!r}"))
            self._wake.wait(self._interval_s)
            self._wake.clear()

    def beat(self) -> None:
        """Send one heartbeat and hand out what it brought."""
        head, records = self._head()
        beat = Heartbeat(state=self.state, cookie=self.cookie, head=head, records=records, spent=self._spent())
        try:
            answer = self._client.heartbeat(self._session, beat)
        except Retryable:
            self._set_online(online=False)
            return
        except FairlockError as error:
            self._handlers.on_refused(error)
            return
        self._set_online(online=True)
        self._take(answer)

    def _take(self, answer: HeartbeatAnswer) -> None:
        if answer.frozen != self.frozen:
            self.frozen = answer.frozen
            self._handlers.on_frozen(answer.frozen)
        for token in answer.actions:
            try:
                action = jws.verify(Action, token, self._receipt_key, typ=ACTION_TYPE)
            except IntegrityError as error:
                self._handlers.on_refused(error)
                continue
            if action.session == self._session and action.id not in self._seen_actions:
                self._seen_actions.add(action.id)
                self._handlers.on_action(action)

    def _set_online(self, *, online: bool) -> None:
        before, self.online = self.online, online
        is_first_answer = online and before is None  # nothing was lost, so nothing is back
        if online != before and not is_first_answer:
            self._handlers.on_online(online)
