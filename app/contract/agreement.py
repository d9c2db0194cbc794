"""Agreements: what the institution grants one candidate, and which incidents are covered by it. Pure.

A policy is one document for all candidates, so it can't name anybody's needs. What a single candidate is allowed
stands in an ``Agreement`` of its own, signed with the same key (``sealing.agreements``; docs/adr/0012-allowances.md).
It says what may be used, never why.

``settle`` is the one place where an allowance changes how an incident is told: the recorder asks it for everything
that the shell, the guard and the detectors report. What is covered stays in the evidence, as context and with the
words "by agreement"; only what the candidate need not be looked at for is not looked for at all (``not_looked_for``).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from app.contract import assistive
from app.contract.incidents import IncidentKind, Severity
from app.contract.policy import Policy
from app.contract.schema import setting

AGREEMENT_VERSION = 1
LONGEST_S = 86_400
"""As ``Policy.duration_s``: no exam is longer, whatever time comes on top."""
BY_AGREEMENT = "by_agreement"
"""The fact that names the allowance which covers an incident."""


class Allowance(StrEnum):
    """What a candidate may use or do. Where an allowance names programs, they are those of ``assistive``."""

    SCREEN_READER = "screen_reader"
    MAGNIFIER = "magnifier"
    INPUT_METHOD = "input_method"
    ACCESSIBILITY_KEYS = "accessibility_keys"
    ASSISTIVE_INPUT = "assistive_input"
    READING_ALOUD = "reading_aloud"
    NO_CAMERA_JUDGEMENT = "no_camera_judgement"
    BREAKS = "breaks"


WORDS: Mapping[Allowance, str] = MappingProxyType(
    {
        Allowance.SCREEN_READER: "screen reader",
        Allowance.MAGNIFIER: "magnifier",
        Allowance.INPUT_METHOD: "input method",
        Allowance.ACCESSIBILITY_KEYS: "accessibility keys",
        Allowance.ASSISTIVE_INPUT: "assistive input",
        Allowance.READING_ALOUD: "speaking aloud",
        Allowance.NO_CAMERA_JUDGEMENT: "need not face the camera",
        Allowance.BREAKS: "breaks",
    }
)
"""An allowance as people read it, after "By agreement:"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What one candidate of one exam is granted. ``candidate`` is the name on the roster, as in ``records.Binding``."""

    version: int = setting(doc="Version of this table.", minimum=AGREEMENT_VERSION, maximum=AGREEMENT_VERSION)
    exam: str = setting(doc="Exam id.", minimum=1, maximum=64)
    candidate: str = setting(doc="Candidate's name as on the roster.", minimum=1, maximum=200)
    allowances: tuple[Allowance, ...] = setting((), doc="What the candidate may use or do.", maximum=len(Allowance))
    extra_time_permille: int = setting(
        0, doc="Time on top of the exam's, in thousandths of it.", minimum=0, maximum=4_000
    )
    breaks_s: int = setting(
        0, doc="Seconds of breaks in all, during which time stands still.", minimum=0, maximum=28_800
    )
    issued_ms: int = setting(doc="When it was signed (UTC, milliseconds).", minimum=0)
    expires_ms: int = setting(doc="When it ceases to hold (UTC, milliseconds).", minimum=0)

    def apply(self, policy: Policy) -> Policy:
        """Return ``policy`` as it holds for this candidate: more time (rounded up), less that is looked for.

        Who need not face the camera is not told either how to face it better.
        """
        duration_s, detection = policy.duration_s, policy.detection
        if duration_s is not None:
            duration_s = min(LONGEST_S, duration_s + -(-duration_s * self.extra_time_permille // 1_000))
        if IncidentKind.SPEECH in not_looked_for(self.allowances):
            detection = replace(detection, speech=False, loud_noise=False)  # nobody else tells a voice from noise
        if IncidentKind.LOOKING_AWAY in not_looked_for(self.allowances):
            detection = replace(detection, looking_away=False, gaze=False, continuity=False, hints=False)
        return replace(policy, duration_s=duration_s, detection=detection)


_PROGRAMS: Mapping[Allowance, frozenset[str]] = MappingProxyType(
    {
        Allowance.SCREEN_READER: assistive.SCREEN_READERS,
        Allowance.MAGNIFIER: assistive.MAGNIFIERS,
        Allowance.INPUT_METHOD: assistive.INPUT_METHODS,
        Allowance.ASSISTIVE_INPUT: assistive.INPUT_AIDS,
    }
)
# What these programs do by their nature: their windows and bubbles, the keys they take, the text they send.
_DONE_BY_PROGRAMS = frozenset(
    {
        IncidentKind.FOCUS_LOST,
        IncidentKind.WINDOW_OVER_EXAM,
        IncidentKind.KEYBOARD_TAKEN,
        IncidentKind.PROCESS_UNKNOWN,
        IncidentKind.INPUT_INJECTED,
        IncidentKind.REMOTE_SESSION,
        IncidentKind.DEBUGGER,
    }
)
_WHOLE_KINDS: Mapping[IncidentKind, tuple[Allowance, ...]] = MappingProxyType(
    {
        IncidentKind.INPUT_INJECTED: (Allowance.ASSISTIVE_INPUT,),
        IncidentKind.SPEECH: (Allowance.READING_ALOUD,),
        IncidentKind.ABSENT: (Allowance.NO_CAMERA_JUDGEMENT, Allowance.BREAKS),
        IncidentKind.NO_FACE: (Allowance.NO_CAMERA_JUDGEMENT, Allowance.BREAKS),
        IncidentKind.LOOKING_AWAY: (Allowance.NO_CAMERA_JUDGEMENT, Allowance.BREAKS),
        IncidentKind.OTHER_PERSON: (Allowance.NO_CAMERA_JUDGEMENT, Allowance.BREAKS),
    }
)


def covers(kind: IncidentKind, facts: Mapping[str, str], allowances: Collection[Allowance]) -> Allowance | None:
    """Return the allowance that covers an incident, or ``None``.

    ``facts`` are the incident's: ``name`` and ``path`` say which program did it, ``keys`` which combination was
    pressed. A program is known by the exact name of its process or file. A name can be borrowed, which is why a
    covered incident is still recorded; what the rules prohibit (``PROCESS_FOUND`` and what follows) is never covered.
    ``BREAKS`` belongs into ``allowances`` only while a break lasts.
    """
    for allowance in _WHOLE_KINDS.get(kind, ()):
        if allowance in allowances:
            return allowance
    if kind in _DONE_BY_PROGRAMS:
        names = assistive.names_of(facts.get("name", ""), facts.get("path", ""))
        for allowance, programs in _PROGRAMS.items():
            if allowance in allowances and names & programs:
                return allowance
    if kind is IncidentKind.KEY_BLOCKED and Allowance.ACCESSIBILITY_KEYS in allowances:
        return Allowance.ACCESSIBILITY_KEYS if facts.get("keys") in assistive.KEYS else None
    return None


def settle(
    kind: IncidentKind, facts: Mapping[str, str], severity: Severity, allowances: Collection[Allowance]
) -> tuple[Mapping[str, str], Severity]:
    """Return facts and severity as they are recorded: what an allowance covers is context and says so."""
    allowance = covers(kind, facts, allowances)
    if allowance is None:
        return facts, severity
    return {**facts, BY_AGREEMENT: WORDS[allowance]}, Severity.INFO


def not_looked_for(allowances: Collection[Allowance]) -> frozenset[IncidentKind]:
    """Return the kinds that the detectors leave out altogether."""
    lasting = [allowance for allowance in allowances if allowance is not Allowance.BREAKS]
    return frozenset(kind for kind, by in _WHOLE_KINDS.items() if set(by) & set(lasting)) - _DONE_BY_PROGRAMS


def described(agreement: Agreement) -> tuple[str, ...]:
    """Return what is granted in short words, for the candidate and for the examiner."""
    said = [WORDS[allowance] for allowance in agreement.allowances]
    if agreement.extra_time_permille:
        said.append(f"{agreement.extra_time_permille / 10:g}\u00a0% more time")
    if agreement.breaks_s and Allowance.BREAKS in agreement.allowances:
        said[said.index(WORDS[Allowance.BREAKS])] = f"breaks of {-(-agreement.breaks_s // 60)} minutes in all"
    return tuple(said)
