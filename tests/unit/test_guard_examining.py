"""What follows from evidence: nothing, an incident, a word to the candidate, or no exam; as the policy says."""

from collections.abc import Sequence

import pytest

from app.clock import ManualClock
from app.contract.errors import Unsupported
from app.contract.incidents import IncidentKind, Severity
from app.contract.policy import Capability, Lockdown, Treatment
from app.guard.examining import ADVICE, SurveyWatch, concern_of, examine, watches
from app.messages import Concern
from app.shell.checking import checks_of
from lockdown.capabilities import Finding, HeldByShell, Part, unsupported
from lockdown.environment.evidence import Evidence, Signal, Subject

SURE = Signal(says="the processor is called VM", weight=800)
WEAK = Signal(says="no sensors", weight=150)
MACHINE = Evidence(subject=Subject.VIRTUAL_MACHINE, signals=(SURE, WEAK))
STICK = Evidence(
    subject=Subject.STORAGE_DEVICES,
    name="stick",
    signals=(Signal(says="a stick is plugged in", weight=1000),),
    facts={"device": "storage"},
)
KEYBOARD = Evidence(subject=Subject.INPUT_DEVICES, name="keys", signals=(), facts={"device": "keyboard"}, ordinary=True)


class Scripted:
    """A part whose surveys a test writes; the last one stays."""

    def __init__(self, *surveys: Sequence[Evidence] | Unsupported) -> None:
        self.surveys = list(surveys)

    def survey(self, policy: Lockdown) -> Sequence[Evidence]:
        del policy
        now = self.surveys.pop(0) if len(self.surveys) > 1 else self.surveys[0]
        if isinstance(now, Unsupported):
            raise now
        return now


def _parts(*surveys: Sequence[Evidence] | Unsupported) -> dict[Capability, Part]:
    return {Capability.REMOTE_WATCH: Scripted(*surveys), Capability.KIOSK: HeldByShell()}


def test_every_subject_is_named_after_a_setting_and_has_advice() -> None:
    for subject in Subject:
        assert subject.treatment(Lockdown()) in Treatment
        assert ADVICE[subject].endswith(".")


@pytest.mark.parametrize("follows", Treatment)
def test_the_policy_decides_what_a_virtual_machine_means(follows: Treatment) -> None:
    concerns = examine(_parts([MACHINE]), Lockdown(virtual_machine=follows))
    if follows is Treatment.IGNORE:
        assert concerns == ()
        return
    (concern,) = concerns
    assert (concern.kind, concern.treatment, concern.score) == (IncidentKind.VIRTUAL_MACHINE, follows, 830)
    assert concern.signals == (SURE.says, WEAK.says)
    assert all(words in concern.says for words in (SURE.says, WEAK.says, "Start Fairlock on the computer itself"))
    assert ("The exam does not start like this." in concern.says) is (follows is Treatment.REFUSE)
    (check,) = checks_of(concerns)
    assert check.blocking is (follows is Treatment.REFUSE)
    assert not check.ok


def test_below_the_policys_score_nothing_follows() -> None:
    assert examine(_parts([MACHINE]), Lockdown(evidence_permille=831)) == ()
    assert len(examine(_parts([MACHINE]), Lockdown(evidence_permille=830))) == 1


def test_the_gravest_concern_comes_first_and_what_can_not_look_is_none() -> None:
    policy = Lockdown(storage_devices=Treatment.REFUSE)
    concerns = examine(_parts([MACHINE, STICK, KEYBOARD]), policy)
    assert [concern.treatment for concern in concerns] == [Treatment.REFUSE, Treatment.RECORD]
    assert examine(_parts(unsupported("It is gone.")), policy) == ()


def test_displays_of_one_concern_are_told_apart() -> None:
    sign = Signal(says="it is made by a program", weight=800)
    two = [Evidence(subject=Subject.EXTRA_DISPLAYS, name=name, signals=(sign,)) for name in ("A", "B")]
    concern = concern_of(two, Lockdown())
    assert concern is not None
    assert concern.signals == ("display A: it is made by a program", "display B: it is made by a program")


def test_concerns_of_one_name_share_a_line_and_one_refusal_blocks_it() -> None:
    policy = Lockdown(storage_devices=Treatment.REFUSE, input_devices=Treatment.WARN)
    made = Evidence(subject=Subject.INPUT_DEVICES, name="x", signals=(SURE,), facts={"device": "keyboard"})
    (check,) = checks_of(examine(_parts([STICK, made]), policy))
    assert (check.name, check.blocking) == ("Devices", True)
    assert STICK.signals[0].says in check.message.lower()
    assert SURE.says.lower() in check.message.lower()


def test_at_the_start_of_the_exam_concerns_become_incidents_and_keyboards_a_list() -> None:
    told: list[tuple[Finding, Capability]] = []
    warned: list[Concern] = []
    made = watches(
        _parts([MACHINE, STICK, KEYBOARD]),
        Lockdown(virtual_machine=Treatment.WARN),
        ManualClock(),
        tell=lambda finding, name: told.append((finding, name)),
        warn=warned.append,
    )
    assert [name for name, _ in made] == [Capability.REMOTE_WATCH]
    assert [(finding.kind, finding.severity) for finding, _ in told] == [
        (IncidentKind.VIRTUAL_MACHINE, None),
        (IncidentKind.DEVICE_CHANGED, None),
        (IncidentKind.DEVICE_CHANGED, Severity.INFO),
    ]
    assert told[0][0].facts == {"signals": f"{SURE.says}; {WEAK.says}", "score": "830"}
    assert told[1][0].facts["change"] == "was there at the start"
    assert told[2][0].facts == {"keyboards at the start": "keys"}
    assert warned == []  # the checks have said so already


def test_what_comes_later_is_told_and_a_refusal_is_a_warning_then() -> None:
    warned: list[Concern] = []
    policy = Lockdown(storage_devices=Treatment.REFUSE)
    watch = SurveyWatch(Scripted([], [STICK], [STICK], []), policy, ManualClock(), warned.append)
    assert watch.begin() == []
    assert [finding.facts["change"] for finding in watch.observe()] == ["came"]
    assert [concern.treatment for concern in warned] == [Treatment.WARN]
    assert watch.observe() == []
    assert [finding.facts for finding in watch.observe()] == [{"device": "storage", "name": "stick", "change": "went"}]


def test_what_is_recorded_only_is_not_told() -> None:
    warned: list[Concern] = []
    watch = SurveyWatch(Scripted([], [MACHINE]), Lockdown(), ManualClock(), warned.append)
    watch.begin()
    assert [finding.kind for finding in watch.observe()] == [IncidentKind.VIRTUAL_MACHINE]
    assert warned == []


def test_what_flickers_is_reported_once_a_minute() -> None:
    clock = ManualClock()
    watch = SurveyWatch(Scripted(*([[], [STICK]] * 40)), Lockdown(), clock, warn=lambda _concern: None)
    watch.begin()
    found: list[Finding] = []
    for _ in range(70):
        found += watch.observe()
        clock.advance(1)
    assert [finding.facts["change"] for finding in found] == ["came", "went", "came", "went"]


def test_ignored_devices_may_come_and_go() -> None:
    policy = Lockdown(storage_devices=Treatment.IGNORE, input_devices=Treatment.IGNORE)
    watch = SurveyWatch(Scripted([], [STICK, KEYBOARD], []), policy, ManualClock(), warn=lambda _concern: None)
    assert [watch.begin(), watch.observe(), watch.observe()] == [[], [], []]


def test_a_part_that_can_not_look_is_left_to_its_thread() -> None:
    made = watches(
        _parts(unsupported("It is gone.")),
        Lockdown(),
        ManualClock(),
        tell=lambda _finding, _name: None,
        warn=lambda _concern: None,
    )
    with pytest.raises(Unsupported):
        made[0][1].observe()
