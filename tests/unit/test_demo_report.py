"""The demonstration's report: nothing that is wrong may read as right."""

from typing import Any

import pytest

from app.demo.report import losses, table


def _report(**changes: Any) -> dict[str, Any]:
    whole = {"camera": 20.0, "screen": 20.0, "microphone": 20.0}
    report: dict[str, Any] = {
        "exit_code": 0,
        "chain": "intact",
        "complete": True,
        "by_agreement": ["screen reader"],
        "gaps": [],
        "unopened": [],
        "segments": {"camera": 4},
        "bytes": 1234,
        "source": {"camera": "sample"},
        "models": {"objects": "yolo (release)"},
        "lockdown": {},
        "recorded_seconds": dict(whole),
        "decrypted_seconds": dict(whole),
        "incidents": [
            {"kind": "phone", "title": "Phone in view", "severity": "alert", "from": 1500, "to": 2500, "facts": {}}
        ],
        "timings": {"exec_to_notice_s": 1.5},
    }
    return {**report, **changes}


def _seconds(**changes: float) -> dict[str, Any]:
    seconds = {"camera": 20.0, "screen": 20.0, "microphone": 20.0, **changes}
    return {"recorded_seconds": seconds, "decrypted_seconds": seconds}


def _incident(kind: str, source: str) -> dict[str, Any]:
    return {"kind": kind, "title": kind, "severity": "alert", "source": source, "from": 0, "to": 0, "facts": {}}


def test_a_whole_session_has_no_losses() -> None:
    assert losses(_report()) == []


@pytest.mark.parametrize(
    "changes",
    [
        _seconds(microphone=18.5),
        {"incidents": [_incident("component_restarted", "recorder")]},
        {"incidents": [_incident("source_back", "camera")]},
    ],
    ids=["started a little later", "the recorder took up the session again", "the end of what was a loss already"],
)
def test_what_loses_nothing_is_no_loss(changes: dict[str, Any]) -> None:
    assert losses(_report(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"exit_code": 3}, "code 3"),
        ({"chain": "broken-chain"}, "broken-chain"),
        ({"complete": False}, "not confirmed"),
        ({"gaps": [{"track": "camera"}]}, "1 stretches"),
        ({"unopened": ["segments/0-camera-1.fls: changed"]}, "0-camera-1"),
        ({"decrypted_seconds": {"camera": 12.0, "screen": 20.0, "microphone": 20.0}}, "20.0 s of camera only 12.0"),
        ({"recorded_seconds": {"camera": 20.0, "screen": 20.0}}, "Nothing was recorded of the microphone"),
        (_seconds(microphone=17.5), "Only 17.5 s of microphone were recorded while another track has 20.0 s"),
        ({"incidents": [_incident("spool_full", "camera")]}, "storage for the recording was full"),
        ({"incidents": [_incident("component_restarted", "screen")]}, "recording of the screen failed"),
        ({"incidents": [_incident("source_lost", "camera")]}, "recording of the camera failed"),
    ],
)
def test_each_loss_is_said(changes: dict[str, Any], says: str) -> None:
    found = losses(_report(**changes))
    assert len(found) == 1
    assert says in found[0]


def test_the_table_shows_tracks_incidents_models_and_chain() -> None:
    text = table(_report())
    for part in ("camera", "Phone in view", "alert", "yolo (release)", "chain: intact", "agreement: screen reader"):
        assert part in text
