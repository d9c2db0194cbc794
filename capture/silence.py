"""What counts as silence of a microphone: less than the noise that this one always had. Pure; one thread.

A microphone that works is never quiet: its amplifier and the room leave a noise floor, usually between -45 and -75 dB
below full scale, and it stays within a few decibels. Two things are silence:

* less than two steps of 16-bit sound (-84 dBFS), which is what a muted or dead device gives: zeros, or a dithering bit;
* 20 dB below the floor that this microphone had so far, and below -70 dBFS: a switch on its cable that is off.

A quiet room is neither. Some headsets and drivers cut pauses out (a noise gate): they go silent and come back again and
again. After ``_GATES`` times in ``_GATE_WINDOW_S`` the microphone is known to do that, and silence has to last
``GATED_S`` to mean anything.
"""

from collections import deque
from collections.abc import Mapping

from app.contract.times import Instant

GATED_S = 30.0

_DEAD_DBFS = -84.0
_QUIET_DBFS = -70.0
_BELOW_FLOOR_DB = 20.0
_FALLS, _RISES = 0.05, 0.0002
"""How much of the way to a lower and to a higher level the floor goes with each 20 ms: so it follows pauses."""
_KNOWN_AFTER = 500
"""So many 20 ms of sound, ten seconds, are heard before the floor is taken for known."""
_GATES, _GATE_WINDOW_S = 5, 120.0


class Silence:
    """Follows one microphone's noise floor; ``is_gated`` says whether pauses are cut out of its sound."""

    def __init__(self) -> None:
        self._floor: float | None = None
        self._heard = 0
        self._was_silent = False
        self._ended: deque[Instant] = deque(maxlen=_GATES)
        self.is_gated = False

    def hear(self, level_dbfs: float, at: Instant) -> bool:
        """Take the level of the next 20 ms; say whether it is silence. Silence teaches nothing about the floor."""
        is_silent = level_dbfs < _DEAD_DBFS or self._is_far_below(level_dbfs)
        if not is_silent:
            self._learn(level_dbfs)
        if self._was_silent and not is_silent:
            self._ended.append(at)
        self._was_silent = is_silent
        self.is_gated = len(self._ended) == _GATES and at.seconds_since(self._ended[0]) < _GATE_WINDOW_S
        return is_silent

    def facts(self) -> Mapping[str, str]:
        """Return what is known of the floor, for the report."""
        known = {"noise_floor_dbfs": f"{self._floor:.0f}"} if self._floor is not None and self._is_known() else {}
        return {**known, **({"cuts_pauses_out": "yes"} if self.is_gated else {})}

    def _is_known(self) -> bool:
        return self._heard >= _KNOWN_AFTER

    def _is_far_below(self, level_dbfs: float) -> bool:
        if self._floor is None or not self._is_known():
            return False
        return level_dbfs < _QUIET_DBFS and level_dbfs < self._floor - _BELOW_FLOOR_DB

    def _learn(self, level_dbfs: float) -> None:
        self._heard += 1
        if self._floor is None:
            self._floor = level_dbfs
            return
        self._floor += (_FALLS if level_dbfs < self._floor else _RISES) * (level_dbfs - self._floor)
