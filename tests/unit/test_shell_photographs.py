"""Pictures of the screens are taken where the policy calls the exam a demonstration, and nowhere else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.shell.photographs import SETTLE_MS, Photographs
from tests.unit.shell_parts import PATIENCE_MS, Site, site
from tests.unit.shell_play import Play
from tests.unit.shell_policies import policy_for


@pytest.fixture
def exam_site() -> Iterator[Site]:
    with site() as served:
        yield served


@pytest.mark.parametrize("demonstration", [True, False])
def test_a_real_exam_is_never_photographed(
    qapp: QApplication, exam_site: Site, qtbot: QtBot, tmp_path: Path, demonstration: bool
) -> None:
    folder = tmp_path / "new" / "shots"
    play = Play(policy_for(exam_site.origin, demonstration=demonstration))
    play.stage._photographs = Photographs(play.window, folder)
    play.run(qtbot)
    if demonstration:
        qtbot.waitUntil(lambda: any(folder.glob("*-exam.png")) if folder.exists() else False, timeout=PATIENCE_MS)
        assert (folder / "01-notice.png").exists()
    else:
        qtbot.wait(2 * SETTLE_MS)
        assert not folder.exists()
    play.stage.dispose()
    play.window.deleteLater()
    qapp.processEvents()
