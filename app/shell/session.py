"""The session's state machine at work: what happens is fed into it in turn, and the effects it answers are carried out.

GUI thread; no Qt. ``app.contract.session.step`` alone decides what comes next, and nobody else changes the state.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping

from app.contract.errors import FairlockError, Fatal
from app.contract.session import Effect, Event, SessionState, step
from app.messages import Refused
from app.shell import refusals
from app.shell.course import Course

MOST_WAITING = 32

_S = SessionState
_log = logging.getLogger("fairlock.shell")


class Session:
    """``state`` is where it stands; ``course`` is told how it ends.

    ``changed`` is called with the state before and the reason, ``give_up`` when not even the last screen can be shown.
    """

    def __init__(
        self, course: Course, *, changed: Callable[[SessionState, str], None], give_up: Callable[[], None]
    ) -> None:
        self.state = SessionState.IDLE
        self._course = course
        self._changed = changed
        self._give_up = give_up
        self._events: deque[tuple[Event, str]] = deque(maxlen=MOST_WAITING)
        self._is_busy = False

    def start(self, effects: Mapping[Effect, Callable[[], None]]) -> None:
        """Open the link; from now on ``effects`` are carried out."""
        self._effects = effects
        self.happen(Event.OPEN_LINK)

    def happen(self, event: Event, why: str = "") -> None:
        """Something happened. What happens while effects run waits for its turn; ``Fatal`` if nothing else happens."""
        if len(self._events) == MOST_WAITING:
            raise Fatal(f"{MOST_WAITING} events wait for the effects of one.")
        self._events.append((event, why))
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._events:
                self._advance(*self._events.popleft())
        finally:
            self._is_busy = False

    def fail(self, event: Event, sentence: str) -> None:
        """Something ends the session; ``sentence`` is what the candidate reads."""
        if step(self.state, event)[0] is not self.state:
            self._course.end(event.value, sentence)
        self.happen(event)

    def _advance(self, event: Event, why: str) -> None:
        before = self.state
        state, effects = step(before, event)
        if state is not before:
            _log.info("%s: %s -> %s", event.value, before.value, state.value)
            self.state = state
            if state in (_S.UNLOCKING, _S.ENDED):
                self._course.end(event.value)
            self._carry_out(lambda: self._changed(before, why or event.value))
        for effect in effects:
            self._carry_out(self._effects[effect])

    def _carry_out(self, effect: Callable[[], None]) -> None:
        """Run ``effect``. One that fails ends the session in order and keeps no other one, such as unlocking, back.

        This comes to an end: from every state ``FATAL`` leads on, or does nothing.
        """
        try:
            effect()
        except Exception:  # noqa: BLE001  (a Qt slot's edge: whatever failed, the machine must not stay locked)
            _log.exception("an effect of the state %s failed", self.state.value)
            if self.state is _S.ENDED:
                self._give_up()  # there is nothing left to show, and nothing is locked
                return
            if step(self.state, Event.FATAL)[0] is not self.state:
                self._course.end(Event.FATAL.value, refusals.sentence(Refused.of(FairlockError("a fault"))))
            self._events.appendleft((Event.FATAL, "a fault of our own"))
