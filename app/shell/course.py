"""What is known of one session so far: filled by the controller, read by the screens and by the end. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from app.contract.agreement import Agreement, Allowance
from app.contract.policy import Policy
from app.messages import ENDS_SESSION, Joined, ProcessInfo
from app.shell import text
from app.shell.screens.ending import Ending


class ExitCode(IntEnum):
    """How the application ends, for scripts."""

    DONE = 0  # the exam took place and the server has everything
    FAILED = 1
    LEFT = 2  # declined or left before the exam
    DEFERRED = 3  # the exam took place; part of the recording waits on this computer


BY_CHOICE = frozenset({"declined", "cancel"})


@dataclass(slots=True, kw_only=True)
class Course:
    """``ended_by`` is the name of the event that ended it, or "quit_code"; ``why`` a sentence for the candidate.

    ``hand_in_noted`` is false where nobody knows whether the recorder marked the session as handed in;
    ``taken`` are the capabilities that window or guard ever held, ``notice`` the words that were acknowledged.
    """

    joined: Joined | None = None
    policy: Policy | None = None
    agreement: Agreement | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    ended_by: str = ""
    why: str = ""
    locked: bool = False
    taken: set[str] = field(default_factory=set)
    notice: str = ""
    exam_seen: bool = False
    complete: bool | None = None
    hand_in_noted: bool = True
    undone: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    closed: list[ProcessInfo] = field(default_factory=list)

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        """What the candidate was granted."""
        return self.agreement.allowances if self.agreement is not None else ()

    def known_policy(self) -> Policy:
        """Return the policy, which every state after JOINING has."""
        assert self.policy is not None  # noqa: S101  (no state after JOINING is reached without one)
        return self.policy

    def end(self, by: str, why: str = "") -> None:
        """Note how it ended; the first word counts."""
        if not self.ended_by:
            self.ended_by = by
        self.why = self.why or why

    def ending(self) -> Ending:
        """Return what the end screen shows."""
        by = self.ended_by or "fatal"
        line = self.why or {"declined": text.END_DECLINED, "cancel": text.END_CANCELLED}.get(by, "")
        if not line and not self.exam_seen:
            line = text.END_NOT_STARTED
        upload = ""
        if self.complete is not None and self.locked:
            handed_in = text.END_DEFERRED if self.hand_in_noted else text.END_UNNOTED
            later = handed_in if by in ENDS_SESSION else text.END_KEPT
            upload = text.END_COMPLETE if self.complete else later
        return Ending(
            title=text.END_TITLES.get(by, text.END_TITLES["fatal"]),
            line=line,
            good=self.exit_code() in (ExitCode.DONE, ExitCode.LEFT) and not self.failed,
            upload=upload,
            upload_good=bool(self.complete),
            changed=self.locked,
            undone=self._given_back(),
            failed=self.failed,
            closed=tuple(sorted({program.name for program in self.closed})),
            step=4 if self.exam_seen else 2,
        )

    def _given_back(self) -> tuple[str, ...]:
        """Return what was changed and how it is again, as sentences."""
        held = tuple(words for name, words in text.GIVEN_BACK.items() if name in self.taken)
        return (*held, *(f"{words.rstrip('.')}." for words in self.undone))

    def exit_code(self) -> ExitCode:
        """Return how the application ends."""
        if self.ended_by in BY_CHOICE:
            return ExitCode.LEFT
        if self.ended_by not in ENDS_SESSION or not self.exam_seen:
            return ExitCode.FAILED
        return ExitCode.DONE if self.complete else ExitCode.DEFERRED
