"""Evidence: single signs, each weak and each listed, and the score that they come to together. Pure, any thread.

No sign decides alone what is only likely: a laptop with Hyper-V shows the processor's hypervisor bit as a virtual
machine does. So every sign has a weight, the weights are combined, and the policy says from which score on, and how,
the result counts. It is about machines, never about a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from app.contract.incidents import IncidentKind
from app.contract.legible import fact
from app.contract.policy import Lockdown, Treatment

CERTAIN = 1_000
LONGEST_SIGN = 200
"""Characters: one sign with a long name in it must not take the room of all others."""


class Subject(StrEnum):
    """What evidence is about; each is named after the setting of ``Lockdown`` that says how it is treated."""

    EXTRA_DISPLAYS = "extra_displays"
    STORAGE_DEVICES = "storage_devices"
    INPUT_DEVICES = "input_devices"
    VIRTUAL_MACHINE = "virtual_machine"
    REMOTE_SESSION = "remote_session"
    DEBUGGER = "debugger"
    VIRTUAL_DEVICES = "virtual_devices"

    @property
    def kind(self) -> IncidentKind:
        """The kind of incident it becomes."""
        return _KINDS[self]

    def treatment(self, policy: Lockdown) -> Treatment:
        """Return what the policy says about it."""
        return Treatment(getattr(policy, self.value))


_KINDS: Mapping[Subject, IncidentKind] = {
    Subject.EXTRA_DISPLAYS: IncidentKind.DISPLAY_CHANGED,
    Subject.STORAGE_DEVICES: IncidentKind.DEVICE_CHANGED,
    Subject.INPUT_DEVICES: IncidentKind.DEVICE_CHANGED,
    Subject.VIRTUAL_MACHINE: IncidentKind.VIRTUAL_MACHINE,
    Subject.REMOTE_SESSION: IncidentKind.REMOTE_SESSION,
    Subject.DEBUGGER: IncidentKind.DEBUGGER,
    Subject.VIRTUAL_DEVICES: IncidentKind.VIRTUAL_DEVICE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One observation: a short sentence, and how much it says, in thousandths (1,000 leaves no doubt)."""

    says: str
    weight: int

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= CERTAIN:
            raise ValueError(f"{self.weight} is not a weight in thousandths")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All signs of one thing. ``name`` tells several things of a subject apart: two sticks, two cameras.

    ``ordinary`` is what belongs to every computer (its keyboard): no concern while it is there, but news when it
    comes or goes.
    """

    subject: Subject
    signals: tuple[Signal, ...]
    name: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    ordinary: bool = False

    @property
    def score(self) -> int:
        """How sure the signs are together, in thousandths."""
        return combine(signal.weight for signal in self.signals)

    def described(self) -> dict[str, str]:
        """Return the facts of its incident: what is known, every sign, and the score."""
        named = {"name": self.name} if self.name else {}
        if not self.signals:
            return {**self.facts, **named}
        signals = "; ".join(fact(signal.says, LONGEST_SIGN) for signal in self.signals)
        return {**self.facts, **named, "signals": signals, "score": str(self.score)}


def combine(weights: Iterable[int]) -> int:
    """Return the score of several signs, in thousandths: noisy-or, as if they were independent.

    0 for no sign; never less than the strongest; more signs never lower it; without a certain one it stays below
    1,000.
    """
    ascending = sorted(weights)
    doubt = 1.0
    for weight in ascending:
        doubt *= 1 - weight / CERTAIN
    if not ascending or ascending[-1] == CERTAIN:
        return CERTAIN if ascending else 0
    return max(ascending[-1], min(CERTAIN - 1, round(CERTAIN * (1 - doubt))))


def treatment(evidence: Evidence, policy: Lockdown) -> Treatment:
    """Return what follows from ``evidence``: nothing below the policy's least score, and nothing for the ordinary."""
    if evidence.ordinary or not evidence.signals or evidence.score < policy.evidence_permille:
        return Treatment.IGNORE
    return evidence.subject.treatment(policy)


@runtime_checkable
class Survey(Protocol):
    """A part of lockdown that can say at any moment what is there."""

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        """Return all evidence there is now, ordinary things included.

        ``policy`` says how many displays are allowed. Raises ``Unsupported`` if it can't look.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is different between two surveys."""

    came: tuple[Evidence, ...]
    went: tuple[Evidence, ...]


def compare(before: Sequence[Evidence], now: Sequence[Evidence]) -> News:
    """Return what came (also: what shows a sign it did not show before) and what went, each in its order."""
    known = {(one.subject, one.name): {signal.says for signal in one.signals} for one in before}
    there = {(one.subject, one.name) for one in now}
    return News(
        came=tuple(
            one
            for one in now
            if (one.subject, one.name) not in known
            or {signal.says for signal in one.signals} - known[one.subject, one.name]
        ),
        went=tuple(one for one in before if (one.subject, one.name) not in there),
    )
