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
        "gaps": [],
        "unopened": [],
        "segments": {"camera": 4},
        "bytes": 1234,
        "source": {"camera": "sample"},
        "models": {"objects": "yolo (release)"},
        "recorded_seconds": dict(whole),
        "decrypted_seconds": dict(whole),
        "incidents": [
            {"kind": "phone", "title": "Phone in view", "severity": "alert", "from": 1500, "to": 2500, "facts": {}}
        ],
        "timings": {"exec_to_notice_s": 1.5},
    }
    return {**report, **changes}


def test_a_whole_session_has_no_losses() -> None:
    assert losses(_report()) == []


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
    ],
)
def test_each_loss_is_said(changes: dict[str, Any], says: str) -> None:
    found = losses(_report(**changes))
    assert len(found) == 1
    assert says in found[0]


def test_the_table_shows_tracks_incidents_models_and_chain() -> None:
    text = table(_report())
    for part in ("camera", "Phone in view", "alert", "yolo (release)", "chain: intact", "exec_to_notice_s"):
        assert part in text
