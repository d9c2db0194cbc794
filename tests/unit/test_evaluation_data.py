"""The report as data: every key that it has is explained in the document that says so."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.evaluation import cli
from app.evaluation.goals import measuring_policy
from app.evaluation.json_report import json_report
from tests.unit.drawn_recordings import colours_and_loudness, media

KIT = Path(__file__).parents[2] / "docs" / "recording-kit.md"
NAMED = {"models", "refused", "not_played", "events", "stills", "synthetic", "said", "raised", "cost", "facts"}
"""What is kept by names of things, tasks and files: these are no keys."""


def _keys(value: Any, within: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _keys(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if within not in NAMED or key == "held_s":
                yield key
            yield from _keys(one, "" if within in NAMED else key)


def test_every_key_is_explained(tmp_path: Path) -> None:
    folder = media(tmp_path / "media")
    (folder / "hands/broken.png").write_bytes(b"")
    result = cli.evaluate(folder, policy=measuring_policy(), fresh=colours_and_loudness(tmp_path))
    report = json.loads(json_report(result))
    assert report["events"]["phone"]["false_alarms"]
    assert report["events"]["phone"]["missed"]
    keys = set(_keys(report))
    assert {"held_s", "opened_s", "delays_s", "heard_s", "not_chosen", "group"} <= keys
    text = KIT.read_text("utf-8").partition("### The data")[2]
    assert sorted(keys - set(re.findall(r"`(\w+)`", text))) == []
