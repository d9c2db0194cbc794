"""No incident lasts across the beginning or the end of an agreed break: who leaves outside it is away without one."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app import messages as m
from app.contract.agreement import BY_AGREEMENT, Allowance
from app.contract.incidents import Incident, IncidentKind, Severity
from app.contract.policy import Detection
from app.contract.session import SessionState
from app.recorder.granting import ON_BREAK, Granted
from app.recorder.options import RecorderOptions
from app.recorder.recorder import Recorder
from app.recorder.recording import Recording
from capture.frames import Frame
from detectors.base import Observation
from detectors.catalogue import Form, ModelCard
from detectors.pipeline import DetectionPipeline, Detectors
from tests.unit.detector_models import picture, write

Span = tuple[float, float]


class _Seat:
    """The detector of objects of somebody who is there but in the seconds of ``away``."""

    name = "objects"

    def __init__(self, card: ModelCard, away: Iterable[Span]) -> None:
        self.card, self._away = card, tuple(away)

    def detect(self, frame: Frame) -> list[Observation]:
        now = frame.at.mono_ns / 1e9
        there = not any(start <= now < end for start, end in self._away)
        person = Observation(detector=self.name, at=frame.at, label="person", score=0.9, box=(0, 0, 3, 3))
        return [person] if there else []


def absences(folder: Path, *, away: Iterable[Span], breaks: Span) -> list[tuple[float, float, Severity, bool]]:
    """Play it; return start, end, severity and whether it was by agreement, of each absence's last word."""
    said: dict[str, Incident] = {}
    granted, numbers = Granted((Allowance.BREAKS,)), itertools.count(1)

    def take(incident: Incident) -> None:
        said[incident.id] = granted.settle(incident)

    pipeline = DetectionPipeline(
        detectors=Detectors(pictures=(_Seat(write(folder, b"", Form.YOLO_DENSE, (480, 640))[1], away),)),
        policy=Detection(),
        frames=None,
        sound=None,
        new_id=lambda: str(next(numbers)),
        on_incident=take,
    )
    for step in range(280):
        now = step / 2
        granted.break_is(breaks[0] <= now < breaks[1], pipeline.part)
        pipeline.look(picture(4, 4, (step % 2 * 200,) * 3, at=now))  # something moves, so every turn is taken
    pipeline.stop()
    assert {one.kind for one in said.values()} <= {IncidentKind.ABSENT}
    assert all(one.over for one in said.values())
    return [
        (one.start.mono_ns / 1e9, one.end.mono_ns / 1e9, one.severity, BY_AGREEMENT in one.facts)
        for one in said.values()
    ]


def test_an_absence_after_a_break_is_not_by_agreement(tmp_path: Path) -> None:
    told = absences(tmp_path, away=[(2, 30), (36, 129.5)], breaks=(1, 34))
    assert told == [(2, 29.5, Severity.INFO, True), (36, 129, Severity.NOTICE, False)]


def test_who_does_not_come_back_is_away_without_agreement_from_the_end_of_the_break(tmp_path: Path) -> None:
    told = absences(tmp_path, away=[(2, 80)], breaks=(1, 34))
    assert told == [(2, 33.5, Severity.INFO, True), (34, 79.5, Severity.NOTICE, False)]


def test_an_absence_before_a_break_keeps_its_weight_and_that_in_the_break_is_by_agreement(tmp_path: Path) -> None:
    told = absences(tmp_path, away=[(10, 60)], breaks=(30, 90))
    assert told == [(10, 29.5, Severity.NOTICE, False), (30, 59.5, Severity.INFO, True)]
    told = absences(tmp_path, away=[(10, 25), (31, 60)], breaks=(27, 90))
    assert told == [(10, 24.5, Severity.NOTICE, False), (31, 59.5, Severity.INFO, True)]


def test_who_comes_back_from_a_break_in_time_is_told_of_for_the_break_alone(tmp_path: Path) -> None:
    told = absences(tmp_path, away=[(2, 38)], breaks=(1, 34))
    assert told == [(2, 33.5, Severity.INFO, True)]


def test_the_recorder_parts_incidents_where_a_break_begins_and_where_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(lambda _message: None, RecorderOptions(home=tmp_path))
    parted: list[str] = []
    now = [""]
    detection = SimpleNamespace(part=lambda: parted.append(now[0]))
    journal = SimpleNamespace(note=lambda **_facts: None)
    monkeypatch.setattr(
        recorder._under_way, "recording", cast(Recording, SimpleNamespace(detection=detection, journal=journal))
    )
    for now[0], state, why in (
        ("running", SessionState.RUNNING, "locked"),
        ("frozen", SessionState.PAUSED, "frozen"),
        ("goes on", SessionState.RUNNING, "resume"),
        ("break", SessionState.PAUSED, ON_BREAK),
        ("the page has loaded", SessionState.PAUSED, m.EXAM_LOADED),
        ("still a break", SessionState.PAUSED, ON_BREAK),
        ("over", SessionState.PAUSED, "break_over"),
        ("back", SessionState.RUNNING, "resume"),
    ):
        recorder.handle(m.StateIs(state=state, why=why))
    assert parted == ["break", "over"]
