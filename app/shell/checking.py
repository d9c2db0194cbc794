"""The checks of one round, from three sides (recorder, guard, this process), and what they come to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.contract.errors import Unsupported
from app.contract.policy import Capability, Treatment
from app.contract.tiers import Tier
from app.messages import Check, Concern, ProcessInfo
from app.shell import text

HELD_BY_WINDOW = (Capability.KIOSK, Capability.INPUT_GUARD)


class Round:
    """Collects; ``is_complete`` once the recorder is done and the guard has looked at programs and machine."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._programs: tuple[ProcessInfo, ...] | None = None
        self._is_examined = False
        self.recorder_done = False
        self.still_running = False

    def add(self, check: Check) -> None:
        """Take a result; a later one of the same name replaces it."""
        self._checks[check.name] = check

    def found(self, programs: Sequence[ProcessInfo]) -> None:
        """Take the list of programs that must not run."""
        self._programs = tuple(programs)

    def could_not_close(self, programs: Sequence[ProcessInfo]) -> None:
        """Take the programs that would not end."""
        self._programs = tuple(programs)
        self.still_running = True

    def examined(self) -> None:
        """The guard has looked at the machine; what it minds was added as checks."""
        self._is_examined = True

    @property
    def programs(self) -> tuple[ProcessInfo, ...]:
        """What has to be closed."""
        return self._programs or ()

    @property
    def is_complete(self) -> bool:
        """Whether everybody has answered."""
        return self.recorder_done and self._programs is not None and self._is_examined

    @property
    def is_good(self) -> bool:
        """Whether the exam may start, once the programs are closed."""
        return (
            self.is_complete and not self.still_running and all(c.ok or not c.blocking for c in self._checks.values())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is known about this computer before the session.

    ``platform`` is Qt's name for the window system, ``absent`` what the desktop certainly can't do
    (``lockdown.select.absent``, as are ``tier`` and ``doubts``), ``sandbox`` whether the browser's sandbox is on,
    ``displays`` their number.
    """

    platform: str
    sandbox: bool
    displays: int
    absent: Mapping[Capability, Unsupported] = field(default_factory=dict)
    tier: str = ""
    doubts: tuple[str, ...] = ()


def own_checks(machine: Machine, require: Sequence[Capability]) -> tuple[Check, ...]:
    """Return what this process knows; ``require`` is what the policy allows no exam without."""
    many = text.DISPLAYS_ONE if machine.displays == 1 else text.DISPLAYS_MANY.format(count=machine.displays)
    return (
        _desktop(machine, require),
        *_protection(machine),
        Check(name="Displays", ok=True, blocking=False, message=many),
        Check(
            name="Browser",
            ok=machine.sandbox,
            blocking=False,
            message=text.SANDBOX_GOOD if machine.sandbox else text.SANDBOX_ROOT,
        ),
    )


def checks_of(concerns: Sequence[Concern]) -> tuple[Check, ...]:
    """Return a check for each kind of concern that the guard has about this computer; nothing is kept back."""
    named: dict[str, list[Concern]] = {}
    for concern in concerns:
        named.setdefault(text.CONCERN_NAMES.get(concern.kind, text.CONCERN_OTHER), []).append(concern)
    return tuple(
        Check(
            name=name,
            ok=False,
            blocking=any(concern.treatment is Treatment.REFUSE for concern in some),
            message=" ".join(concern.says for concern in some),
        )
        for name, some in named.items()
    )


def whole_check(limits: Mapping[str, str]) -> tuple[Check, ...]:
    """Return why the exam can't start where ``limits`` are what is required whole and holds only in part."""
    if not limits:
        return ()
    return (Check(name=text.WHOLE_NAME, ok=False, blocking=True, message=text.partly_held(limits)),)


def _protection(machine: Machine) -> tuple[Check, ...]:
    """Say to the candidate what the examiner will read as well."""
    if not machine.tier:
        return ()
    words = text.protection(machine.tier, machine.doubts)
    good = machine.tier != Tier.C and not machine.doubts
    return (Check(name="Protection", ok=good, blocking=False, message=words),)


def _desktop(machine: Machine, require: Sequence[Capability]) -> Check:
    """Say early what would only fail when the exam is locked, and never that a desktop holds what it can't."""
    if machine.platform == "offscreen":
        return Check(name="Desktop", ok=False, blocking=Capability.KIOSK in require, message=text.DESKTOP_NONE)
    required = [name for name in machine.absent if name in require]
    concerned = required or [name for name in HELD_BY_WINDOW if name in machine.absent]
    if not concerned:
        return Check(name="Desktop", ok=True, blocking=False, message=text.DESKTOP_GOOD)
    reasons = {name.value: str(machine.absent[name].args[0]) for name in concerned}
    advice = [machine.absent[name].advice for name in concerned]
    if required:
        return Check(name="Desktop", ok=False, blocking=True, message=text.missing_capabilities(reasons, advice))
    words = text.DESKTOP_LACKS.format(what=text.with_reasons(reasons))
    todo = " ".join(dict.fromkeys(advice))
    return Check(name="Desktop", ok=False, blocking=False, message=f"{words} {todo}".strip())
