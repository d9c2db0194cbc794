"""The guard as the controller sees it: orders out, answers in, and a crash that covers the exam until it is back.

GUI thread. A guard that died has undone its changes (it is the dead man's switch), so a new one is told to engage. The
exam goes on only if the new one holds all that the policy requires.
"""

from collections.abc import Mapping

from app import messages as m
from app.contract import schema
from app.contract.incidents import IncidentKind, Severity
from app.contract.session import Event, SessionState
from app.contract.times import Instant
from app.shell import text
from app.shell.controller import Controller
from app.shell.locking import required_of
from app.shell.recorder_side import Peer

_S = SessionState
GUARDED_STATES = frozenset({_S.RUNNING, _S.PAUSED})
REASON = "guarantee_lost"


class GuardSide:
    """``peer`` is the guard's process of now."""

    def __init__(self, controller: Controller, peer: Peer) -> None:
        self._controller = controller
        self._peer = peer
        self._lost_since: Instant | None = None
        self._held: tuple[str, ...] = ()

    # --- orders ------------------------------------------------------------------------------------------------

    def look_around(self) -> None:
        """List the programs that must not run, and look at the machine."""
        self._peer.send(m.CloseProcesses(policy=self._policy(), close=False))
        self._peer.send(m.Examine(policy=self._policy()))

    def close_programs(self) -> None:
        """End them."""
        self._peer.send(m.CloseProcesses(policy=self._policy(), close=True))

    def engage(self) -> None:
        """Take every measure of the policy."""
        self._peer.send(m.Engage(policy=self._policy(), allowances=self._controller.course.allowances))

    def release(self) -> None:
        """Undo everything."""
        self._peer.send(m.Release())

    # --- answers -----------------------------------------------------------------------------------------------

    def receive(self, message: object) -> None:
        """Take one message."""
        controller = self._controller
        match message:
            case m.ProcessesFound():
                controller.preparation.programs_found(message.processes)
            case m.ProcessesClosed():
                self._closed(message)
            case m.Examined():
                controller.preparation.examined(message.concerns, message.limits)
            case m.Concern():
                controller.stage.show_concern(message.says)
            case m.Engaged():
                self._engaged(message)
            case m.Released():
                controller.course.undone = message.undone
                controller.course.failed = message.failed
                for failure in message.failed:
                    controller.reports.note(IncidentKind.UNLOCK_FAILED, {"change": failure[:300]})
                controller.session.happen(Event.RELEASE_FAILED if message.failed else Event.RELEASED)
            case m.Seen():
                self._seen(message.report)

    def _seen(self, report: m.Report) -> None:
        """Pass it on; who took the focus is told together with the window's own report of how long."""
        is_about_focus = report.kind is IncidentKind.FOCUS_LOST and "name" in report.facts
        if not (is_about_focus and self._controller.stage.window.focus.blame(report.facts)):
            self._controller.reports.forward(report)

    def _closed(self, answer: m.ProcessesClosed) -> None:
        controller = self._controller
        for kind, programs in (
            (IncidentKind.PROCESS_CLOSED, answer.closed),
            (IncidentKind.PROCESS_NOT_CLOSED, answer.left),
        ):
            for program in programs:
                facts = {"name": program.name, "path": program.path, "rule": program.rule, "pid": str(program.pid)}
                if program.copy_of:
                    facts["copy_of"] = program.copy_of
                controller.reports.note(kind, facts, source="guard.process_watch")
        controller.course.closed.extend(answer.closed)
        controller.preparation.programs_closed(answer.left)

    def _engaged(self, answer: m.Engaged) -> None:
        controller = self._controller
        before, self._held = self._held, answer.holding
        controller.course.taken.update(answer.holding)
        controller.engagement.lock.engaged = answer
        if self._lost_since is not None:
            since, self._lost_since = self._lost_since, None
            controller.reports.note(IncidentKind.COMPONENT_RESTARTED, {"component": "guard"}, since=since)
            controller.engagement.tell_lock()
            self._go_on_without({name: why for name, why in answer.missing.items() if name in before}, answer.missing)
        controller.engagement.lock_changed()

    def _go_on_without(self, lost: Mapping[str, str], missing: Mapping[str, str]) -> None:
        """The new guard does not hold ``missing``, ``lost`` of which the one before it held: say so, and uncover the
        exam unless the policy requires some of it.
        """
        controller = self._controller
        for name, reason in sorted(lost.items()):
            facts = {"capability": name, "reason": reason[:300]}
            controller.reports.note(IncidentKind.CAPABILITY_MISSING, facts, severity=Severity.ALERT)
        required = self._required_of(missing)
        if required:
            controller.session.fail(Event.FATAL, text.lost_capabilities(required))
        else:
            controller.sitting.go_on(REASON)

    # --- loss --------------------------------------------------------------------------------------------------

    def lost(self) -> None:
        """The process is gone; a new one comes, unless it went too often."""
        controller = self._controller
        controller.engagement.lock.engaged = None
        if controller.session.state in GUARDED_STATES:
            self._lost_since = self._lost_since or controller.clock.now()
            controller.sitting.pause(REASON)

    def restarted(self, peer: Peer) -> None:
        """Here is the new process: bring it to where the session stands."""
        self._peer = peer
        state = self._controller.session.state
        if state is _S.CHECKING:
            self.look_around()
        elif state is _S.LOCKING or state in GUARDED_STATES:
            self.engage()
        elif state is _S.UNLOCKING:
            self.release()

    def given_up(self) -> None:
        """It went too often: go on only if the policy does not require what it held."""
        controller = self._controller
        state = controller.session.state
        if state not in GUARDED_STATES:
            if state is _S.UNLOCKING:
                controller.engagement.release_unanswered()
            else:
                controller.session.fail(
                    Event.LOCK_FAILED if state is _S.LOCKING else Event.FAILED, text.GUARD_GONE_ENDS
                )
            return
        lost = dict.fromkeys(self._held, text.GUARD_GONE)
        if self._required_of(lost):
            controller.session.fail(Event.FATAL, text.GUARD_GONE_ENDS)
            return
        facts = {"capability": ", ".join(sorted(lost)), "reason": text.GUARD_GONE}
        controller.reports.note(IncidentKind.CAPABILITY_MISSING, facts, severity=Severity.ALERT)
        controller.sitting.go_on(REASON)

    def _required_of(self, missing: Mapping[str, str]) -> Mapping[str, str]:
        policy = self._controller.course.policy
        return required_of(missing, policy.lockdown.require) if policy is not None else {}

    def _policy(self) -> str:
        policy = self._controller.course.policy
        return schema.dumps(policy).decode() if policy is not None else ""
