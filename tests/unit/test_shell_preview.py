"""What the candidate sees of camera and microphone before the exam, and how another device is picked."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QProgressBar
from pytestqt.qtbot import QtBot

from app.contract.incidents import Track
from app.messages import DevicesOf
from app.shell import text
from app.shell.screens.preview import PreviewCard
from capture.stills import jpeg

CAMERA = DevicesOf(track=Track.CAMERA, names=("Built-in", "HD Webcam"), picked="Built-in", is_sample=False)
MICROPHONE = DevicesOf(track=Track.MICROPHONE, names=("Headset",), picked="Headset", is_sample=False)


@pytest.fixture
def card(qtbot: QtBot) -> PreviewCard:
    made = PreviewCard()
    qtbot.addWidget(made)
    made.show_devices((CAMERA, MICROPHONE))
    made.show()
    return made


def boxes(card: PreviewCard) -> dict[str, QComboBox]:
    return {box.accessibleName(): box for box in card.findChildren(QComboBox)}


def test_another_camera_is_picked_by_keyboard_and_said_once(card: PreviewCard) -> None:
    said: list[tuple[Track, str]] = []
    card.picked.connect(lambda track, name: said.append((track, name)))
    box = boxes(card)["Camera"]
    assert box.focusPolicy() & Qt.FocusPolicy.TabFocus
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert said == [(Track.CAMERA, "HD Webcam")]
    card.show_devices(
        (DevicesOf(track=Track.CAMERA, names=CAMERA.names, picked="HD Webcam", is_sample=False), MICROPHONE)
    )
    assert (box.currentText(), len(said)) == ("HD Webcam", 1)


def test_a_picture_is_shown_and_forgotten_when_another_camera_is_picked(card: PreviewCard) -> None:
    assert card.picture.text() == text.PREVIEW_NO_PICTURE
    card.show_preview(jpeg(np.full((120, 160, 3), 200, np.uint8)), None)
    assert not card.picture.pixmap().isNull()
    card.show_preview(b"no picture", None)
    assert not card.picture.pixmap().isNull()
    QTest.keyClick(boxes(card)["Camera"], Qt.Key.Key_Down)
    assert card.picture.text() == text.PREVIEW_NO_PICTURE


def test_a_voice_is_confirmed_and_an_ordinary_room_is_not(card: PreviewCard) -> None:
    bar = card.findChildren(QProgressBar)[0]
    card.show_preview(b"", -60)
    assert (bar.value(), card.heard.text()) == (-60, text.PREVIEW_SPEAK)
    card.show_preview(b"", -25)
    assert (bar.value(), card.heard.text()) == (-25, text.PREVIEW_HEARD)
    card.show_preview(b"", -120)
    assert (bar.value(), card.heard.text()) == (bar.minimum(), text.PREVIEW_HEARD)
    assert bar.accessibleName()


def test_what_is_not_recorded_is_not_shown(card: PreviewCard) -> None:
    card.show_devices((MICROPHONE,))
    assert card.picture.isHidden()
    assert boxes(card)["Camera"].isHidden()
    card.show_devices(())
    assert card.isHidden()


def test_samples_are_called_so_and_can_not_be_exchanged(card: PreviewCard) -> None:
    card.show_devices((DevicesOf(track=Track.CAMERA, names=("footage",), picked="footage", is_sample=True), MICROPHONE))
    shown = {label.text() for label in card.findChildren(type(card.heard)) if not label.isHidden()}
    assert text.PREVIEW_SAMPLES[Track.CAMERA] in shown
    assert text.PREVIEW_SAMPLES[Track.MICROPHONE] not in shown
    assert not boxes(card)["Camera"].isEnabled()
