"""Sends what earlier exams left on this computer, by itself, while no exam runs.

Runs in the thread ``leftovers`` of the recorder: from joining until the recording starts, and again after the exam. It
gives way at once, never touches the session at hand, and ends no session that its candidate could still take up again.
A session whose server takes nothing lets the others go first, and has its hour after them.
Where a session's policy minds what the network costs, that is asked before and, every ``LOOK_S``, while it is sent.
"""

import logging
import threading
from pathlib import Path
from typing import Protocol

from app.contract.errors import IntegrityError
from app.contract.policy import Policy
from app.contract.sealing import jws
from app.contract.times import Clock
from app.metered import Metering
from app.recorder.joining import SavedSession
from app.recorder.leftovers import TROUBLES, OnProgress, unfinished
from app.recorder.marks import is_over
from app.recorder.turns import Turns

DEADLINE_S = 3_600.0
LOOK_S = 60.0
NAP_S = 1.0
"""How late the end of a wait may be noticed: the clock's time passes without waking anybody."""

_log = logging.getLogger("fairlock.recorder")


class Send(Protocol):
    """Sends one session (``leftovers.send``)."""

    def __call__(
        self, folder: Path, saved: SavedSession, clock: Clock, *, deadline_s: float, on_progress: OnProgress
    ) -> bool:
        """Return whether everything was received."""
        ...


class _GivingWay(Exception):
    """An exam starts, the network has begun to cost, or others go first; its text says which."""


class BackgroundUpload:
    """Sends the sessions below ``home``, but not that of the folder ``present``, one after the other."""

    def __init__(self, home: Path, present: Path, clock: Clock, *, send: Send, metering: Metering) -> None:
        self._home, self._present, self._clock = home, present, clock
        self._send, self._metering = send, metering
        self._may_send, self._leaving = threading.Event(), threading.Event()
        self._minds = False
        self._asked_ns = 0
        self._turns = Turns(clock)
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
        self._leaving.set()
        self._may_send.set()
        if self._thread.ident is not None:
            self._thread.join(deadline_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            waiting = [
                (folder, saved)
                for folder, saved in unfinished(self._home)
                if folder != self._present and is_over(folder, saved, self._clock)
            ]
            self._may_send.wait()
            while waiting and not self._leaving.is_set():
                waiting = [one for one in waiting if not self._is_done(*one, is_alone=len(waiting) == 1)]
                if waiting:
                    self._rest()
        except Exception:  # noqa: BLE001  (a thread's main: earlier sessions must not harm the present one)
            _log.exception("what earlier exams left could not be sent")

    def _is_done(self, folder: Path, saved: SavedSession, *, is_alone: bool) -> bool:
        """Send a session if that may be now; ``False`` when it has to wait."""
        self._minds = _minds(saved)
        self._turns.begin(folder, is_alone=is_alone)
        try:
            self._ask()
            self._check()
            self._send(folder, saved, self._clock, deadline_s=DEADLINE_S, on_progress=self._check)
        except _GivingWay as reason:
            _log.info("session %s waits: %s", saved.session, reason)
            return False
        except TROUBLES as error:  # of this one: the others have their turn
            _log.info("session %s stays on this computer: %s", saved.session, error)
        return True

    def _rest(self) -> None:
        """Return after the exam that it gave way to, or after ``LOOK_S``."""
        if not self._may_send.is_set():
            self._may_send.wait()
            return
        began = self._clock.now()
        while self._may_send.is_set() and self._clock.now().seconds_since(began) < LOOK_S:
            if self._leaving.wait(NAP_S):
                return

    def _check(self, sent: int = 0, total: int = 0) -> None:
        if self._leaving.is_set() or not self._may_send.is_set():
            raise _GivingWay("an exam starts")
        if self._turns.is_over(sent, total - sent):
            raise _GivingWay("its server takes nothing, and others go first")
        if self._clock.now().mono_ns - self._asked_ns >= LOOK_S * 1e9:
            self._ask()

    def _ask(self) -> None:
        """Give way if the network costs and this session's institution minds."""
        self._asked_ns = self._clock.now().mono_ns
        if self._minds and self._metering.is_metered():
            raise _GivingWay("the network is metered")


def _minds(saved: SavedSession) -> bool:
    try:
        return jws.unverified(Policy, saved.policy).upload.pause_when_metered
    except IntegrityError:
        return False
