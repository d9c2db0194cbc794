"""An agreement is believed only whole, covers exactly what it names, and never hides what the rules prohibit."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest

from app.contract import agreement as agreements
from app.contract import assistive, canonical, schema
from app.contract.agreement import AGREEMENT_VERSION, BY_AGREEMENT, Agreement, Allowance, covers, settle
from app.contract.errors import IntegrityError, Outcome
from app.contract.incidents import INCIDENTS, IncidentKind, Severity
from app.contract.sealing import jws
from app.contract.sealing.agreements import AGREEMENT_TYPE, open_agreement
from app.contract.sealing.records import POLICY_TYPE
from tests.unit.shell_policies import POLICY
from tests.vectors import forge

INSTITUTION = forge.p256("institution")
PUBLIC = forge.public(INSTITUTION)
GRANTED = Agreement(
    version=AGREEMENT_VERSION,
    exam="algebra-1",
    candidate="Grace Example",
    allowances=(Allowance.SCREEN_READER,),
    extra_time_permille=250,
    issued_ms=1_000,
    expires_ms=2_000,
)


def opened(token: str) -> Agreement:
    return open_agreement(token, PUBLIC, exam="algebra-1", candidate="Grace Example")


def refusal(**edits: Any) -> Outcome:
    with pytest.raises(IntegrityError) as caught:
        opened(jws.sign(replace(GRANTED, **edits), INSTITUTION, typ=AGREEMENT_TYPE))
    return caught.value.outcome


def test_what_the_institution_signed_opens() -> None:
    assert opened(jws.sign(GRANTED, INSTITUTION, typ=AGREEMENT_TYPE)) == GRANTED


def test_a_strangers_signature_is_refused() -> None:
    with pytest.raises(IntegrityError) as caught:
        opened(jws.sign(GRANTED, forge.p256("stranger"), typ=AGREEMENT_TYPE))
    assert caught.value.outcome is Outcome.UNKNOWN_KEY


def test_a_changed_allowance_is_refused() -> None:
    head, _, signature = jws.sign(GRANTED, INSTITUTION, typ=AGREEMENT_TYPE).split(".")
    more = canonical.b64(schema.dumps(replace(GRANTED, allowances=tuple(Allowance), breaks_s=60)))
    with pytest.raises(IntegrityError) as caught:
        opened(f"{head}.{more}.{signature}")
    assert caught.value.outcome is Outcome.BAD_SIGNATURE


def test_something_else_that_the_institution_signed_is_no_agreement() -> None:
    with pytest.raises(IntegrityError) as caught:
        opened(jws.sign(GRANTED, INSTITUTION, typ=POLICY_TYPE))
    assert caught.value.outcome is Outcome.BAD_SIGNATURE


@pytest.mark.parametrize(
    "edits",
    [
        {"exam": "algebra-2"},
        {"candidate": "Grace Other"},
        {"expires_ms": 1_000},
        {"allowances": (Allowance.SCREEN_READER, Allowance.SCREEN_READER)},
        {"allowances": (Allowance.BREAKS,)},
        {"breaks_s": 60},
    ],
    ids=lambda edits: next(iter(edits)),
)
def test_an_agreement_that_does_not_fit_is_refused(edits: dict[str, Any]) -> None:
    assert refusal(**edits) is Outcome.WRONG_POLICY


def test_an_allowance_that_is_not_known_is_refused_not_left_out() -> None:
    body = schema.to_json(GRANTED)
    assert isinstance(body, dict)
    token = forge.token({**body, "allowances": ["telepathy"]}, INSTITUTION, AGREEMENT_TYPE)
    with pytest.raises(IntegrityError) as caught:
        opened(token)
    assert caught.value.outcome is Outcome.BAD_FORMAT


COVERED: tuple[tuple[Allowance, IncidentKind, Mapping[str, str]], ...] = (
    (Allowance.SCREEN_READER, IncidentKind.FOCUS_LOST, {"name": "orca", "path": "/usr/bin/python3.11"}),
    (Allowance.SCREEN_READER, IncidentKind.WINDOW_OVER_EXAM, {"name": "NVDA.exe", "path": r"C:\NVDA\nvda.exe"}),
    (Allowance.MAGNIFIER, IncidentKind.WINDOW_OVER_EXAM, {"name": "kmag", "path": "/usr/bin/kmag"}),
    (Allowance.MAGNIFIER, IncidentKind.WINDOW_OVER_EXAM, {"name": "Zoom Window"}),
    (Allowance.INPUT_METHOD, IncidentKind.WINDOW_OVER_EXAM, {"name": "ibus-ui-gtk3"}),
    (Allowance.ACCESSIBILITY_KEYS, IncidentKind.KEY_BLOCKED, {"keys": "Alt+Meta+S"}),
    (Allowance.ASSISTIVE_INPUT, IncidentKind.INPUT_INJECTED, {}),
    (Allowance.ASSISTIVE_INPUT, IncidentKind.WINDOW_OVER_EXAM, {"name": "onboard"}),
    (Allowance.READING_ALOUD, IncidentKind.SPEECH, {}),
    (Allowance.NO_CAMERA_JUDGEMENT, IncidentKind.ABSENT, {}),
    (Allowance.NO_CAMERA_JUDGEMENT, IncidentKind.LOOKING_AWAY, {}),
    (Allowance.BREAKS, IncidentKind.ABSENT, {}),
)


@pytest.mark.parametrize(("allowance", "kind", "facts"), COVERED, ids=lambda value: str(value)[:24])
def test_an_allowance_covers_what_it_is_for_and_only_with_it(
    allowance: Allowance, kind: IncidentKind, facts: Mapping[str, str]
) -> None:
    assert covers(kind, facts, (allowance,)) is allowance
    assert covers(kind, facts, ()) is None
    others = set(Allowance) - {allowance, Allowance.NO_CAMERA_JUDGEMENT, Allowance.BREAKS}
    assert covers(kind, facts, others) is None


@pytest.mark.parametrize("allowance", Allowance)
def test_every_allowance_covers_something_and_has_words(allowance: Allowance) -> None:
    assert any(covered is allowance for covered, _, _ in COVERED)
    assert agreements.WORDS[allowance]


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (IncidentKind.PROCESS_FOUND, {"name": "orca"}),
        (IncidentKind.PROCESS_NOT_CLOSED, {"name": "orca"}),
        (IncidentKind.FOCUS_LOST, {"name": "orcas"}),
        (IncidentKind.FOCUS_LOST, {"name": "firefox", "path": "/opt/orca/firefox"}),
        (IncidentKind.FOCUS_LOST, {"name": "unknown"}),
        (IncidentKind.FOCUS_LOST, {}),
        (IncidentKind.KEY_BLOCKED, {"keys": "Alt+Tab"}),
        (IncidentKind.CLIPBOARD, {"name": "orca"}),
        (IncidentKind.PHONE, {}),
        (IncidentKind.SECOND_PERSON, {}),
        (IncidentKind.NAVIGATION_BLOCKED, {}),
    ],
)
def test_no_allowance_covers_what_it_is_not_for(kind: IncidentKind, facts: Mapping[str, str]) -> None:
    assert covers(kind, facts, tuple(Allowance)) is None


def test_what_is_covered_stays_in_the_evidence_and_says_so() -> None:
    facts, severity = settle(
        IncidentKind.FOCUS_LOST, {"name": "orca", "pid": "7"}, Severity.ALERT, (Allowance.SCREEN_READER,)
    )
    assert facts == {"name": "orca", "pid": "7", BY_AGREEMENT: "screen reader"}
    assert severity is Severity.INFO


def test_what_is_not_covered_stays_as_it_was() -> None:
    facts = {"name": "firefox"}
    assert settle(IncidentKind.FOCUS_LOST, facts, Severity.ALERT, tuple(Allowance)) == (facts, Severity.ALERT)


def test_only_what_is_granted_for_the_whole_exam_is_not_looked_for() -> None:
    assert agreements.not_looked_for((Allowance.NO_CAMERA_JUDGEMENT,)) == {
        IncidentKind.ABSENT,
        IncidentKind.NO_FACE,
        IncidentKind.LOOKING_AWAY,
        IncidentKind.OTHER_PERSON,
    }
    assert agreements.not_looked_for((Allowance.READING_ALOUD,)) == {IncidentKind.SPEECH}
    assert agreements.not_looked_for((Allowance.BREAKS, Allowance.SCREEN_READER, Allowance.ASSISTIVE_INPUT)) == set()
    assert agreements.not_looked_for(tuple(Allowance)) <= set(INCIDENTS)


@pytest.mark.parametrize(
    ("permille", "seconds", "given"),
    [(0, 60, 60), (250, 60, 75), (333, 100, 134), (500, None, None), (4_000, 80_000, 86_400)],
)
def test_extra_time_is_rounded_in_the_candidates_favour(permille: int, seconds: int | None, given: int | None) -> None:
    granted = replace(GRANTED, extra_time_permille=permille)
    assert granted.apply(replace(POLICY, duration_s=seconds)) == replace(POLICY, duration_s=given)


def test_speech_that_is_allowed_is_not_listened_for_and_the_rest_stays() -> None:
    granted = replace(GRANTED, allowances=(Allowance.READING_ALOUD,), extra_time_permille=0)
    everything = replace(POLICY.detection, speech=True, loud_noise=True)
    silent = replace(everything, speech=False, loud_noise=False)  # without the one, a voice would be the other
    assert granted.apply(replace(POLICY, detection=everything)) == replace(POLICY, detection=silent)


def test_who_need_not_face_the_camera_is_neither_measured_nor_told_how_to_face_it_better() -> None:
    granted = replace(GRANTED, allowances=(Allowance.NO_CAMERA_JUDGEMENT,), extra_time_permille=0)
    everything = replace(POLICY.detection, looking_away=True, gaze=True, continuity=True, hints=True)
    nothing = replace(everything, looking_away=False, gaze=False, continuity=False, hints=False)
    assert granted.apply(replace(POLICY, detection=everything)) == replace(POLICY, detection=nothing)


def test_what_is_granted_is_said_in_short_words() -> None:
    granted = replace(GRANTED, allowances=(Allowance.SCREEN_READER, Allowance.BREAKS), breaks_s=901)
    assert agreements.described(granted) == ("screen reader", "breaks of 16 minutes in all", "25\u00a0% more time")


def test_every_assistive_program_that_the_rules_protect_belongs_to_an_allowance() -> None:
    table = tomllib.loads(resources.files("resources").joinpath("processes.toml").read_text(encoding="utf-8"))
    protected = {name for names in table["assistive"].values() for name in names}
    ours = assistive.SCREEN_READERS | assistive.MAGNIFIERS | assistive.INPUT_METHODS | assistive.INPUT_AIDS
    assert {name for name in protected if not assistive.names_of(name, "") <= ours} == set()
