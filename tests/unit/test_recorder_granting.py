"""What was granted changes how incidents are recorded: each is judged once, when it opens."""

from dataclasses import replace

from app.contract.agreement import Allowance
from app.contract.incidents import Incident, IncidentKind, Severity
from app.contract.times import Instant
from app.recorder.granting import Granted

NOW = Instant(mono_ns=0, utc_ms=0)


def incident(kind: IncidentKind, id_: str = "1", **facts: str) -> Incident:
    return Incident(id=id_, kind=kind, start=NOW, end=NOW, severity=Severity.ALERT, source="test", facts=facts)


def test_without_an_agreement_nothing_changes() -> None:
    seen = incident(IncidentKind.ABSENT)
    assert Granted().settle(seen) is seen
    assert Granted().is_looked_for(seen)


def test_a_screen_reader_that_was_granted_is_context() -> None:
    settled = Granted((Allowance.SCREEN_READER,)).settle(incident(IncidentKind.FOCUS_LOST, name="orca"))
    assert settled.severity is Severity.INFO
    assert settled.facts == {"name": "orca", "by_agreement": "screen reader"}


def test_another_program_is_told_as_ever() -> None:
    seen = incident(IncidentKind.FOCUS_LOST, name="firefox")
    assert Granted((Allowance.SCREEN_READER,)).settle(seen) == seen


def test_what_need_not_be_looked_for_is_not_told() -> None:
    granted = Granted((Allowance.NO_CAMERA_JUDGEMENT,))
    assert not granted.is_looked_for(incident(IncidentKind.ABSENT))
    assert not granted.is_looked_for(incident(IncidentKind.LOOKING_AWAY))
    assert granted.is_looked_for(incident(IncidentKind.PHONE))
    assert granted.is_looked_for(incident(IncidentKind.SECOND_PERSON))


def test_who_is_away_in_a_break_is_away_by_agreement_and_only_then() -> None:
    granted = Granted((Allowance.BREAKS,))
    before = incident(IncidentKind.ABSENT, "before")
    assert granted.is_looked_for(before)
    assert granted.settle(before) == before
    granted.break_is(True)
    within = granted.settle(incident(IncidentKind.ABSENT, "within"))
    assert (within.severity, within.facts) == (Severity.INFO, {"by_agreement": "breaks"})
    assert granted.settle(incident(IncidentKind.PHONE, "phone")).severity is Severity.ALERT


def test_an_incident_is_judged_when_it_opens() -> None:
    granted = Granted((Allowance.BREAKS,))
    before = incident(IncidentKind.ABSENT, "before")
    granted.settle(before)
    granted.break_is(True)
    within = incident(IncidentKind.ABSENT, "within")
    granted.settle(within)
    assert granted.settle(replace(before, end=Instant(mono_ns=5, utc_ms=5))).severity is Severity.ALERT
    granted.break_is(False)
    assert granted.settle(replace(within, end=Instant(mono_ns=5, utc_ms=5))).severity is Severity.INFO
