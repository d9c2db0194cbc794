"""No entry ends the journal: what can't be sealed is sealed as it can be, and a dead journal is told at once."""

import threading
from collections.abc import Mapping
from typing import cast

import pytest

from app.clock import ManualClock
from app.contract.canonical import Json
from app.contract.incidents import Incident, IncidentKind, Severity
from app.contract.journal import EntryType
from app.contract.legible import MOST, fact
from app.contract.sealing.segment import MAX_FRAGMENT
from app.recorder import journal_lines
from app.recorder.journal import Journal
from app.recorder.timeline import Timeline
from tests.unit.test_recorder_journal import DEADLINE_S, Paper


class Sealing(Paper):
    """A segmenter that refuses what a sealer refuses."""

    def push_plain(self, data: bytes, at_ms: int) -> None:
        if len(data) > MAX_FRAGMENT - 64:
            raise ValueError("a fragment is too long")
        super().push_plain(data, at_ms)


@pytest.fixture
def journal(paper: Sealing) -> Journal:
    clock = ManualClock()
    return Journal(paper, Timeline(clock.now(), clock.now()), clock)


@pytest.fixture
def paper() -> Sealing:
    return Sealing()


def _notes(paper: Sealing) -> list[Mapping[str, Json]]:
    return [entry.body for entry in paper.entries]


def test_half_a_pair_in_a_reason_ends_nothing(journal: Journal, paper: Sealing) -> None:
    journal.start()
    journal.note(upload="E-X", reason="The server refused: \ud800.")
    journal.note(after="a phone")
    journal.stop()
    assert _notes(paper) == [{"upload": "E-X", "reason": "The server refused: \\ud800."}, {"after": "a phone"}]


def test_an_incident_with_an_odd_fact_stays_an_incident(journal: Journal, paper: Sealing) -> None:
    now = ManualClock().now()
    incident = Incident(
        id="0-1-abc",
        kind=IncidentKind.VIRTUAL_DEVICE,
        start=now,
        end=now,
        severity=Severity.ALERT,
        source="camera",
        facts={"device": "cam\udcff", "list": cast(str, ["\udcfe"])},
    )
    journal.start()
    journal.incident(incident)
    journal.stop()
    (entry,) = paper.entries
    assert entry.type is EntryType.INCIDENT
    assert entry.body["facts"] == {"device": "cam\\udcff", "list": ["\\udcfe"]}


@pytest.mark.parametrize("value", [1.5, 2**60, b"bytes", {1: "a"}, {"ä": "a"}], ids=repr)
def test_what_has_no_form_at_all_is_said_with_its_type(journal: Journal, paper: Sealing, value: object) -> None:
    journal.start()
    journal.source("camera", cast(Mapping[str, str], {"name": value}))
    journal.note(after="a phone")
    journal.stop()
    said, after = paper.entries
    assert said.type is EntryType.NOTE
    assert said.body["not_written"] == "source"
    assert said.body["why"]
    assert after.body == {"after": "a phone"}


def test_an_entry_that_is_too_long_is_cut(journal: Journal, paper: Sealing) -> None:
    journal.start()
    journal.note(reason="x" * (journal_lines.LONGEST + 1), of="us")
    journal.stop()
    assert _notes(paper) == [{"reason": fact("x" * MOST * 2), "of": "us"}]


def test_long_texts_are_kept_word_for_word_in_as_many_fragments_as_they_need(journal: Journal, paper: Sealing) -> None:
    long = "é" * (journal_lines.LONGEST // 2 - 1_000)
    for number in range(20):
        journal.note(text=long, number=str(number))
    journal.start()
    journal.stop()
    assert _notes(paper) == [{"text": long, "number": str(number)} for number in range(20)]


def test_what_remains_too_long_is_said(journal: Journal, paper: Sealing) -> None:
    journal.start()
    journal.note(**{f"f{number}": "x" * MOST for number in range(800)})
    journal.stop()
    (said,) = _notes(paper)
    assert said == {"not_written": "note", "why": "too long"}


def test_a_journal_that_dies_is_told_at_once() -> None:
    class Broken(Paper):
        def push_plain(self, data: bytes, at_ms: int) -> None:
            raise RuntimeError("out of order")

    told: list[Exception] = []
    heard = threading.Event()

    def hear(error: Exception) -> None:
        told.append(error)
        heard.set()

    clock, paper = ManualClock(), Broken()
    journal = Journal(paper, Timeline(clock.now(), clock.now()), clock, on_dead=hear)
    journal.start()
    journal.note(word="lost")
    assert heard.wait(DEADLINE_S)
    with pytest.raises(RuntimeError, match="out of order"):
        journal.stop()
    assert [str(error) for error in told] == ["out of order"]
    assert paper.closed, "what was sealed before is closed and can be sent"
