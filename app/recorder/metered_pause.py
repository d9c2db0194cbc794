"""Keeps recordings from being sent over a network that is paid by volume, where the policy asks for that.

Runs in the thread ``metered``, which asks the system now and then. Heartbeats go on, nothing is lost: what waits is
sealed on the disk. It never waits with more than half of the room that the policy gives to waiting evidence, because
evidence is worth more than volume; then it is sent until a third waits. There the recording's quality, which a spool
that fills lowers, comes back (``capture.pressure``).
"""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from app.metered import Metering

LOOK_S = 10.0
MOST, FEW = 1 / 2, 1 / 3
"""Shares of the spool's quota: above the one it is sent after all, until no more than the other waits."""

_log = logging.getLogger("fairlock.recorder")


class Holdable(Protocol):
    """What is kept from sending (``Uploader``)."""

    def hold(self, *, held: bool) -> None:
        """Begin no more segments, or go on."""
        ...


class MeteredPause:
    """Holds ``uploader`` while ``metering`` says that the network is metered and ``waiting_bytes`` are not too many.

    ``on_change`` hears each change and its reason; called in the thread, or by whoever calls ``look``.
    """

    def __init__(
        self,
        metering: Metering,
        uploader: Holdable,
        *,
        waiting_bytes: Callable[[], int],
        quota_bytes: int,
        on_change: Callable[[bool, str], None],
    ) -> None:
        self._metering, self._uploader, self._on_change = metering, uploader, on_change
        self._waiting_bytes, self._quota_bytes = waiting_bytes, quota_bytes
        self._makes_room = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metered", daemon=True)
        self.holds = False

    def start(self) -> None:
        """Look now, so that nothing is sent before the first answer, and then every ``LOOK_S`` seconds."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and let everything be sent."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._set(holds=False, reason="the exam is over")

    def look(self) -> None:
        """Ask once and act on it."""
        metered = self._metering.is_metered()
        self._makes_room = self._waiting_bytes() > self._quota_bytes * (FEW if self._makes_room else MOST)
        if metered and self._makes_room:
            self._set(holds=False, reason="too much waits")
        elif metered:
            self._set(holds=True, reason="the network is metered")
        else:
            self._set(holds=False, reason="the network is not metered")

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            try:
                self.look()
            except Exception:  # noqa: BLE001  (a thread's main: a doubt about costs must not stop the upload)
                _log.exception("nobody knows whether the network is metered")
                self._set(holds=False, reason="not known")

    def _set(self, *, holds: bool, reason: str) -> None:
        if holds == self.holds:
            return
        self.holds = holds
        self._uploader.hold(held=holds)
        self._on_change(holds, reason)
