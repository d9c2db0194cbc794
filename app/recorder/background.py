"""Sends what earlier exams left on this computer, by itself, while no exam runs.

Runs in the thread ``leftovers`` of the recorder: from joining until the recording starts, and again after the exam. It
gives way at once, never touches the session at hand, and ends no session that its candidate could still take up again.
"""

import logging
import threading
from pathlib import Path
from typing import Protocol

from app.contract.errors import FairlockError, IntegrityError
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.times import Clock
from app.metered import Metering
from app.recorder.joining import SavedSession
from app.recorder.leftovers import OnProgress, is_over, unfinished

DEADLINE_S = 3_600.0

_log = logging.getLogger("fairlock.recorder")


class Send(Protocol):
    """Sends one session (``leftovers.send``)."""

    def __call__(
        self, folder: Path, saved: SavedSession, clock: Clock, *, deadline_s: float, on_progress: OnProgress
    ) -> bool:
        """Return whether everything was received."""
        ...


class _GivingWay(Exception):
    """An exam starts."""


class BackgroundUpload:
    """Sends the sessions below ``home``, but not that of the folder ``present``, one after the other."""

    def __init__(self, home: Path, present: Path, clock: Clock, *, send: Send, metering: Metering) -> None:
        self._home, self._present, self._clock = home, present, clock
        self._send, self._metering = send, metering
        self._may_send = threading.Event()
        self._leaving = False
        self._thread = threading.Thread(target=self._run, name="leftovers", daemon=True)

    def start(self) -> None:
        """Begin, or go on after ``give_way``."""
        self._may_send.set()
        if self._thread.ident is None:
            self._thread.start()

    def give_way(self) -> None:
        """Stop after the segments under way; does not wait for that."""
        self._may_send.clear()

    def end(self, deadline_s: float) -> bool:
        """End for good; ``False`` when that takes longer than ``deadline_s``."""
        self._leaving = True
        self._may_send.set()
        if self._thread.ident is not None:
            self._thread.join(deadline_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            for folder, saved in list(unfinished(self._home)):
                if folder != self._present and is_over(folder, saved, self._clock) and self._is_free(saved):
                    self._send_patiently(folder, saved)
        except Exception:  # noqa: BLE001  (a thread's main: earlier sessions must not harm the present one)
            _log.exception("what earlier exams left could not be sent")

    def _send_patiently(self, folder: Path, saved: SavedSession) -> None:
        while True:
            self._may_send.wait()
            if self._leaving:
                return
            try:
                self._send(folder, saved, self._clock, deadline_s=DEADLINE_S, on_progress=self._check)
            except _GivingWay:
                _log.info("session %s waits: an exam starts", saved.session)
                continue
            except FairlockError as error:
                _log.info("session %s stays on this computer: %s", saved.session, error.code)
            return

    def _check(self, _sent: int, _total: int) -> None:
        if self._leaving or not self._may_send.is_set():
            raise _GivingWay

    def _is_free(self, saved: SavedSession) -> bool:
        """Whether the network costs nothing, or this session's institution does not mind."""
        try:
            minds = jws.unverified(Policy, saved.policy).upload.pause_when_metered
        except IntegrityError:
            minds = False
        return not (minds and self._metering.is_metered())
