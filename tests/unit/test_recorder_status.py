"""How far the recording is, told every second: a disk that can't be read once does not end the telling."""

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app import messages as m
from app.clock import ManualClock
from app.mailbox import Bounded
from app.recorder import under_way as under_way_module
from app.recorder.heartbeat import HeartbeatLoop
from app.recorder.sources import Sources
from app.recorder.under_way import UnderWay
from tests.unit.test_recorder_recording import DEADLINE_S, Bench


def test_numbers_that_can_not_be_read_once_are_told_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: Bounded[object] = Bounded(1_000)
    under_way = UnderWay(told.offer, ManualClock())
    under_way.recording = recording = Bench(tmp_path).recording(Sources())
    under_way._beats = cast(HeartbeatLoop, SimpleNamespace(online=True, frozen=False))
    troubles = [sqlite3.OperationalError("disk I/O error")]

    def progress() -> tuple[int, int]:
        if troubles:
            raise troubles.pop()
        return 3, 10

    monkeypatch.setattr(under_way_module, "STATUS_S", 0.01)
    monkeypatch.setattr(recording.uploader, "progress", progress)
    under_way.start_telling()
    status = told.take(DEADLINE_S)
    under_way.stop_telling()
    under_way.close()
    assert isinstance(status, m.Status)
    assert (status.online, status.pending_bytes) == (True, 7)
    assert "disk I/O error" in caplog.text
