"""``fairlock upload`` says what it finds wherever that lies: the name of a folder must not end it too early."""

import os
from pathlib import Path

import pytest

from app.recorder.leftovers import main


@pytest.mark.skipif(os.name != "posix", reason="only there a name may be no text")
def test_a_folder_whose_name_is_no_utf_8_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / os.fsdecode(b"\xff")
    spool = home / "data" / "sessions" / "one" / "spool"
    spool.mkdir(parents=True)
    (spool / "1.fls").touch()
    monkeypatch.setenv("FAIRLOCK_HOME", str(home))
    assert main([]) == 0
    assert f"{tmp_path}/\\udcff/data/sessions/one holds evidence" in capsys.readouterr().out
