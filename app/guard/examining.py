"""What the surroundings are like, before the exam and during it, and what follows from that by the policy.

Before the exam everything is looked at once and answered with ``Concern``s, which the candidate sees. During the exam
a thread per part looks again, and what is new becomes an incident. Nothing is judged: a concern is about the machine.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind, Severity
from app.contract.policy import Capability, Lockdown, Treatment
from app.contract.times import Clock
from app.guard.watching import tell_anyway
from app.messages import Concern
from lockdown.capabilities import Finding, Part, Watch
from lockdown.environment.evidence import Evidence, Subject, Survey, compare, treatment

QUIET_S = 60.0
"""What comes and goes again and again is reported once in this time."""
MOST_REMEMBERED = 500

_PLUGGED = (Subject.STORAGE_DEVICES, Subject.INPUT_DEVICES, Subject.EXTRA_DISPLAYS)
_Key = tuple[Subject, str, str]

ADVICE: Mapping[Subject, str] = {
    Subject.EXTRA_DISPLAYS: "Unplug the displays that are not allowed and stop mirroring.",
    Subject.STORAGE_DEVICES: "Unplug sticks, cards and disks that you don't need; eject them first.",
    Subject.INPUT_DEVICES: "Close programs that type or click for you, unless they were agreed with your institution.",
    Subject.VIRTUAL_MACHINE: "Start Fairlock on the computer itself, not inside another one.",
    Subject.REMOTE_SESSION: "End every remote connection to this computer, and close the programs that offer one.",
    Subject.DEBUGGER: "Close debuggers and programs that change others, then start Fairlock again.",
    Subject.VIRTUAL_DEVICES: "Close the programs that make cameras or microphones, and use those of the computer.",
}
_OPENING: Mapping[Subject, str] = {
    Subject.VIRTUAL_MACHINE: "This may be a virtual machine: ",
    Subject.REMOTE_SESSION: "Somebody may see or control this screen from elsewhere: ",
    Subject.DEBUGGER: "Another program may look into Fairlock: ",
    Subject.VIRTUAL_DEVICES: "A camera or microphone may be made by a program: ",
}
"""The rest speak for themselves: what is plugged in is there or not."""
_CONSEQUENCE: Mapping[Treatment, str] = {
    Treatment.RECORD: "You may start; this is written to the recording.",
    Treatment.WARN: "You may start; this is written to the recording.",
    Treatment.REFUSE: "The exam does not start like this.",
}


def concern_of(found: Sequence[Evidence], policy: Lockdown) -> Concern | None:
    """Return what the candidate is told about ``found``, all of one subject; ``None`` if the policy minds none."""
    minded = [evidence for evidence in found if treatment(evidence, policy) is not Treatment.IGNORE]
    if not minded:
        return None
    subject = minded[0].subject
    follows = subject.treatment(policy)
    signals = tuple(dict.fromkeys(f"{_named(one)}{signal.says}" for one in minded for signal in one.signals))
    seen = f"{_OPENING.get(subject, '')}{'; '.join(map(_said, minded))}"
    return Concern(
        kind=subject.kind,
        treatment=follows,
        score=max(evidence.score for evidence in minded),
        signals=signals,
        says=f"{seen[0].upper()}{seen[1:]}. {ADVICE[subject]} {_CONSEQUENCE[follows]}",
    )


def _said(evidence: Evidence) -> str:
    return f"{_named(evidence)}{', '.join(signal.says for signal in evidence.signals)}"


def _named(evidence: Evidence) -> str:
    """Several displays have the same signs; of the rest the sign itself says what it is about."""
    is_one_display = evidence.subject is Subject.EXTRA_DISPLAYS and "allowed" not in evidence.facts
    return f"display {evidence.name}: " if is_one_display else ""


class SurveyWatch:
    """A watch over one part's surveys: reports what comes and what goes, by the policy.

    A part that is a watch as well is asked here too, so that one thread alone uses its connections.
    ``warn`` is called with what the candidate is to be told; a refusal during the exam is a warning.
    """

    def __init__(self, survey: Survey, policy: Lockdown, clock: Clock, warn: Callable[[Concern], None]) -> None:
        self._survey = survey
        self._policy = policy
        self._clock = clock
        self._warn = warn
        self._before: Sequence[Evidence] | None = None
        self._said: dict[_Key, float] = {}

    def begin(self) -> Sequence[Finding]:
        """Look for the first time: return what is a concern already, and a list of the ordinary things."""
        self._changes()
        now = self._before = tuple(self._survey.survey(self._policy))
        ordinary = [one for one in now if one.ordinary and one.subject is Subject.INPUT_DEVICES]
        there = [one for one in now if self._is_minded(one) and not one.ordinary and self._is_news(one, "came")]
        return [*(_finding(one, "was there at the start") for one in there), *_list(ordinary)]

    def observe(self) -> Sequence[Finding]:
        """Return what came and what went since the last look."""
        if self._before is None:  # it could not look until now
            return self.begin()
        changes = self._changes()
        now = tuple(self._survey.survey(self._policy))
        news = compare(self._before, now)
        self._before = now
        came = [one for one in news.came if self._is_minded(one) and self._is_news(one, "came")]
        went = [one for one in news.went if self._is_missed(one) and self._is_news(one, "went")]
        self._tell_candidate(came)
        return [*changes, *(_finding(one, "came") for one in came), *(_finding(one, "went") for one in went)]

    def _changes(self) -> Sequence[Finding]:
        return self._survey.observe() if isinstance(self._survey, Watch) else ()

    def _is_minded(self, evidence: Evidence) -> bool:
        """Whether the policy wants to hear of it when it comes."""
        if evidence.ordinary:
            return evidence.subject.treatment(self._policy) is not Treatment.IGNORE
        return treatment(evidence, self._policy) is not Treatment.IGNORE

    def _is_missed(self, evidence: Evidence) -> bool:
        """Whether the policy wants to hear of it when it goes: of a device, not of a sign."""
        is_device = evidence.subject in _PLUGGED and (evidence.ordinary or "device" in evidence.facts)
        return is_device and evidence.subject.treatment(self._policy) is not Treatment.IGNORE

    def _tell_candidate(self, came: Sequence[Evidence]) -> None:
        for subject in Subject:
            concern = concern_of([one for one in came if one.subject is subject], self._policy)
            if concern is not None and concern.treatment in (Treatment.WARN, Treatment.REFUSE):
                self._warn(replace(concern, treatment=Treatment.WARN))

    def _is_news(self, evidence: Evidence, change: str) -> bool:
        now_s = self._clock.now().mono_ns / 1e9
        key = (evidence.subject, evidence.name, f"{change} {'; '.join(signal.says for signal in evidence.signals)}")
        last = self._said.get(key)
        if last is not None and now_s - last < QUIET_S:
            return False
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[key] = now_s
        return True


def examine(parts: Mapping[Capability, Part], policy: Lockdown) -> tuple[Concern, ...]:
    """Look at everything once; return the concerns, the gravest first. What can't look is not a concern here."""
    seen = [evidence for _, survey in surveys(parts) for evidence in _evidence(survey, policy)]
    by_subject = ([evidence for evidence in seen if evidence.subject is subject] for subject in Subject)
    found = [concern for some in by_subject if (concern := concern_of(some, policy)) is not None]
    gravest = [Treatment.REFUSE, Treatment.WARN, Treatment.RECORD]
    return tuple(sorted(found, key=lambda concern: (gravest.index(concern.treatment), concern.kind, concern.says)))


def surveys(parts: Mapping[Capability, Part]) -> Iterator[tuple[Capability, Survey]]:
    """Yield the parts that can say what is there."""
    for name, part in parts.items():
        if isinstance(part, Survey):
            yield name, part


def watches(
    parts: Mapping[Capability, Part],
    policy: Lockdown,
    clock: Clock,
    *,
    tell: Callable[[Finding, Capability], None],
    warn: Callable[[Concern], None],
) -> Sequence[tuple[Capability, Watch]]:
    """Return a watch for each part that can say what is there; what is there already is told at once."""
    made: list[tuple[Capability, Watch]] = []
    for name, survey in surveys(parts):
        watch = SurveyWatch(survey, policy, clock, warn)
        try:
            for finding in watch.begin():
                tell_anyway(tell, finding, name)
        except Unsupported:
            pass  # its thread reports that it can't look
        made.append((name, watch))
    return made


def _evidence(survey: Survey, policy: Lockdown) -> Sequence[Evidence]:
    try:
        return survey.survey(policy)
    except Unsupported:
        return ()


def _finding(evidence: Evidence, change: str) -> Finding:
    facts = evidence.described()
    if change == "went":
        facts = {key: text for key, text in facts.items() if key not in ("signals", "score")}
    if evidence.subject in _PLUGGED:
        facts["change"] = change
    return Finding(kind=evidence.subject.kind, facts=facts)


def _list(devices: Sequence[Evidence]) -> Iterator[Finding]:
    said = {"keyboard": "keyboards at the start", "mouse": "mice at the start"}
    names = {
        words: ", ".join(one.name for one in devices if one.facts["device"] == kind) for kind, words in said.items()
    }
    if facts := {words: some for words, some in names.items() if some}:
        yield Finding(kind=IncidentKind.DEVICE_CHANGED, facts=facts, severity=Severity.INFO)
