"""The session's state machine: pure, total, and the only place that decides what happens next.

``step(state, event)`` returns the next state and the effects to run, in order. Effects are data; the shell's
controller runs them and feeds what came of them back as events. An event that means nothing in a state leaves
the state alone and has no effects.

Invariants (property tests in ``tests/property/test_session.py``): ``ENDED`` is reachable from every state; from
``LOCKING``, ``RUNNING`` and ``PAUSED`` every way leads through ``UNLOCKING``; the exam is shown only in ``RUNNING``.
"""

from collections.abc import Mapping
from enum import StrEnum


class SessionState(StrEnum):
    """Where a session stands."""

    IDLE = "idle"
    RECOVERING = "recovering"
    JOINING = "joining"
    NOTICE = "notice"
    CHECKING = "checking"
    IDENTIFYING = "identifying"
    LOCKING = "locking"
    RUNNING = "running"
    PAUSED = "paused"
    UNLOCKING = "unlocking"
    FLUSHING = "flushing"
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to a session."""

    OPEN_LINK = "open_link"
    LEFTOVER_FOUND = "leftover_found"
    RESTORED = "restored"
    RESUME_TOKEN = "resume_token"
    POLICY_VERIFIED = "policy_verified"
    ACKNOWLEDGED = "acknowledged"
    CHECKS_PASSED = "checks_passed"
    IDENTIFIED = "identified"
    CANCEL = "cancel"
    DECLINED = "declined"
    REFUSED = "refused"
    FAILED = "failed"
    LOCKED = "locked"
    LOCK_FAILED = "lock_failed"
    PAUSE = "pause"
    GUARANTEE_LOST = "guarantee_lost"
    FROZEN = "frozen"
    RESUME = "resume"
    SUBMIT = "submit"
    TIME_UP = "time_up"
    TERMINATE = "terminate"
    FATAL = "fatal"
    RELEASED = "released"
    RELEASE_FAILED = "release_failed"
    FLUSHED = "flushed"
    DEFERRED = "deferred"


class Effect(StrEnum):
    """What the controller must do."""

    RESTORE_LEFTOVER = "restore_leftover"
    JOIN = "join"
    SHOW_NOTICE = "show_notice"
    RUN_CHECKS = "run_checks"
    IDENTIFY = "identify"
    START_RECORDING = "start_recording"
    ENGAGE_LOCKDOWN = "engage_lockdown"
    SHOW_EXAM = "show_exam"
    COVER_EXAM = "cover_exam"
    CLOSE_EXAM = "close_exam"
    RELEASE_LOCKDOWN = "release_lockdown"
    FLUSH_EVIDENCE = "flush_evidence"
    SHOW_END = "show_end"


_S, _E, _F = SessionState, Event, Effect
_TO_UNLOCK = (_S.UNLOCKING, (_F.CLOSE_EXAM, _F.RELEASE_LOCKDOWN))
_TO_FLUSH = (_S.FLUSHING, (_F.FLUSH_EVIDENCE,))
_TO_END = (_S.ENDED, (_F.SHOW_END,))
_COVER = (_S.PAUSED, (_F.COVER_EXAM,))

Step = tuple[SessionState, tuple[Effect, ...]]

TRANSITIONS: Mapping[tuple[SessionState, Event], Step] = {
    (_S.IDLE, _E.OPEN_LINK): (_S.JOINING, (_F.JOIN,)),
    (_S.IDLE, _E.LEFTOVER_FOUND): (_S.RECOVERING, (_F.RESTORE_LEFTOVER,)),
    (_S.IDLE, _E.CANCEL): _TO_END,
    (_S.IDLE, _E.FATAL): _TO_END,
    (_S.RECOVERING, _E.RESTORED): (_S.IDLE, ()),
    (_S.RECOVERING, _E.RESUME_TOKEN): (_S.JOINING, (_F.JOIN,)),
    (_S.RECOVERING, _E.FATAL): _TO_END,
    (_S.JOINING, _E.POLICY_VERIFIED): (_S.NOTICE, (_F.SHOW_NOTICE,)),
    (_S.NOTICE, _E.ACKNOWLEDGED): (_S.CHECKING, (_F.RUN_CHECKS,)),
    (_S.CHECKING, _E.CHECKS_PASSED): (_S.IDENTIFYING, (_F.IDENTIFY,)),
    (_S.IDENTIFYING, _E.IDENTIFIED): (_S.LOCKING, (_F.START_RECORDING, _F.ENGAGE_LOCKDOWN)),
    **{
        (state, event): _TO_END
        for state in (_S.JOINING, _S.NOTICE, _S.CHECKING, _S.IDENTIFYING)
        for event in (_E.CANCEL, _E.DECLINED, _E.REFUSED, _E.FAILED, _E.TERMINATE, _E.FATAL)
    },
    (_S.LOCKING, _E.LOCKED): (_S.RUNNING, (_F.SHOW_EXAM,)),
    **{(_S.LOCKING, event): _TO_UNLOCK for event in (_E.LOCK_FAILED, _E.CANCEL, _E.FAILED, _E.TERMINATE, _E.FATAL)},
    **{(_S.RUNNING, event): _COVER for event in (_E.PAUSE, _E.GUARANTEE_LOST, _E.FROZEN)},
    (_S.PAUSED, _E.RESUME): (_S.RUNNING, (_F.SHOW_EXAM,)),
    **{
        (state, event): _TO_UNLOCK
        for state in (_S.RUNNING, _S.PAUSED)
        for event in (_E.SUBMIT, _E.TIME_UP, _E.TERMINATE, _E.FATAL)
    },
    (_S.UNLOCKING, _E.RELEASED): _TO_FLUSH,
    (_S.UNLOCKING, _E.RELEASE_FAILED): _TO_FLUSH,
    (_S.FLUSHING, _E.FLUSHED): _TO_END,
    (_S.FLUSHING, _E.DEFERRED): _TO_END,
    (_S.FLUSHING, _E.FATAL): _TO_END,
}


def step(state: SessionState, event: Event) -> Step:
    """Return the state after ``event`` and the effects to run, in order. Total: every pair has an answer."""
    return TRANSITIONS.get((state, event), (state, ()))
