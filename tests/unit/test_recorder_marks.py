"""A session's folder that takes no mark does not keep what is in it from being sent."""

import logging
from pathlib import Path

import pytest

from app.recorder.leftovers import HANDED_IN, mark_handed_in


def test_a_folder_that_takes_no_mark_is_only_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mark_handed_in(tmp_path)
    assert (tmp_path / HANDED_IN).exists()
    with caplog.at_level(logging.WARNING):
        mark_handed_in(tmp_path / "gone")
    assert "can't be marked" in caplog.text
