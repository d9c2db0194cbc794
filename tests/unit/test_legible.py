"""Texts of the system's can be sent and sealed whatever bytes they are, and stay as they came until then."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.channel import decode, encode
from app.contract import canonical
from app.contract.incidents import IncidentKind
from app.contract.legible import MOST, fact, legible, legible_json
from app.contract.policy import Treatment
from app.contract.times import Instant
from app.messages import Concern, Engaged, ProcessesFound, ProcessInfo, Report, Seen

ODD = os.fsdecode(b"/home/\xff/anydesk") if os.name == "posix" else "/home/\udcff/anydesk"
SHOWN = "/home/\\udcff/anydesk"
NOW = Instant(mono_ns=1, utc_ms=1)


@given(st.text(st.characters(codec=None)))
def test_every_text_becomes_one_that_utf_8_can_carry(text: str) -> None:
    shown = legible(text)
    assert canonical.loads(canonical.dumps(shown)) == shown
    assert legible(shown) == shown
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert shown == text


def test_a_fact_keeps_both_ends_of_a_long_text() -> None:
    assert fact("x" * MOST) == "x" * MOST
    for long in ("/first/" + "x" * (1 << 20) + "/anydesk", "/first/" + "\udcff" * 4_000 + "/anydesk"):
        short = fact(long)
        assert MOST - 1 <= len(short) <= MOST
        assert short.startswith("/first/")
        assert short.endswith("/anydesk")
        assert "…" in short


def test_all_texts_of_a_value_are_made_legible_and_the_rest_stays() -> None:
    assert legible_json({"a": [ODD, (1, None, True)], "b": {"c": ODD}}) == {
        "a": [SHOWN, [1, None, True]],
        "b": {"c": SHOWN},
    }


@pytest.mark.parametrize(
    "make",
    [
        lambda path: ProcessesFound(processes=(ProcessInfo(pid=1, name="anydesk", path=path, rule="remote-desktop"),)),
        lambda path: Seen(
            report=Report(kind=IncidentKind.FOCUS_LOST, start=NOW, end=NOW, source="guard", facts={"path": path})
        ),
        lambda path: Engaged(holding=(), missing={"process_watch": f"{path} can't be read."}),
        lambda path: Concern(
            kind=IncidentKind.PROCESS_UNKNOWN, treatment=Treatment.WARN, score=1, signals=(path,), says=path
        ),
    ],
    ids=["programs", "an incident", "a reason", "a concern"],
)
def test_a_message_carries_any_path(make: object) -> None:
    assert callable(make)
    assert decode(encode(make(ODD))) == make(SHOWN)
    assert decode(encode(make("/a\n\x1b[2J\x7f\u202e\x00/b"))) == make("/a\n\x1b[2J\x7f\u202e\x00/b")
