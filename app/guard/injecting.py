"""What follows from input that a program made, as the policy says. Called from the watch's thread."""

from collections.abc import Callable

from app.contract.incidents import IncidentKind
from app.contract.policy import Capability, Lockdown, Treatment
from app.guard.watching import Tell
from app.messages import Concern
from lockdown.capabilities import Finding

CERTAIN = 1_000  # thousandths: the X server itself says so
SAYS = "A program on this computer types or clicks. Close it, or tell your examiner why you need it."


def heeding(tell: Tell, warn: Callable[[Concern], object], policy: Lockdown) -> Tell:
    """Return ``tell`` without the injected input that the policy ignores; it warns once if the policy asks for that."""
    follows = policy.injected_input
    waiting = [follows] if follows in (Treatment.WARN, Treatment.REFUSE) else []

    def heed(finding: Finding, capability: Capability) -> None:
        if finding.kind is IncidentKind.INPUT_INJECTED:
            if follows is Treatment.IGNORE:
                return
            if waiting:
                waiting.clear()
                signals = tuple(f"{name}: {count}" for name, count in sorted(finding.facts.items()))
                warn(Concern(kind=finding.kind, treatment=Treatment.WARN, score=CERTAIN, signals=signals, says=SAYS))
        tell(finding, capability)

    return heed
