"""What camera and microphone yield, before anything is recorded, and which devices they are.

GUI thread. Shows what it is given and says which device was picked; knows no device itself. A screen reader hears when
the voice comes through and when it does not any more, never the level itself.
"""

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout

from app.contract.incidents import Track
from app.messages import DevicesOf
from app.shell import text
from app.shell.announcing import announce
from app.shell.screens import parts
from app.shell.screens.pictures import scale_of

QUIETEST_DBFS = -70
HEARD_DBFS = -45
"""A voice in front of a microphone is louder than this, an ordinary room is not."""

_PICTURE = QSize(208, 156)


class PreviewCard(QFrame):
    """Hidden until there is a device to show. ``picked`` carries a ``Track`` and the name of a device."""

    picked = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        across = parts.row(self, spacing=20, margin=18)
        self.picture = LivePicture()
        across.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        self._words = parts.column(spacing=8)
        across.addLayout(self._words, 1)
        self._words.addWidget(parts.label(text.PREVIEW_LINE, "muted"))
        self._choices = {track: _Choice(track, self._words) for track in (Track.CAMERA, Track.MICROPHONE)}
        for track, choice in self._choices.items():
            choice.box.activated.connect(lambda _index, track=track: self._pick(track))
        self._level = QProgressBar()
        self._level.setRange(QUIETEST_DBFS, 0)
        self._level.setTextVisible(False)
        self._level.setAccessibleName(text.PREVIEW_LEVEL)
        self._words.addWidget(self._level)
        self.heard = parts.label(text.PREVIEW_SPEAK, "muted")
        self._words.addWidget(self.heard)
        self._words.addStretch(1)
        self._is_heard = False
        self.hide()

    def restart(self) -> None:
        """Forget what was shown: the devices are looked for again."""
        self.picture.forget()
        self._hear(heard=False)
        self.hide()

    def show_devices(self, devices: tuple[DevicesOf, ...]) -> None:
        """Show what there is to pick from; tracks that are not recorded from a device are left out."""
        named = {one.track: one for one in devices}
        for track, choice in self._choices.items():
            choice.show(named.get(track))
        self.picture.setVisible(Track.CAMERA in named)
        for widget in (self._level, self.heard):
            widget.setVisible(Track.MICROPHONE in named)
        self.setVisible(bool(named))

    def show_preview(self, picture: bytes, level_dbfs: int | None) -> None:
        """Show the newest picture and level; either may be missing."""
        if picture:
            self.picture.draw(picture)
        if level_dbfs is not None:
            self._level.setValue(max(QUIETEST_DBFS, min(0, level_dbfs)))
            if level_dbfs > HEARD_DBFS and not self._is_heard:
                self._hear(heard=True)
                announce(self, text.PREVIEW_HEARD)

    def _hear(self, *, heard: bool) -> None:
        self._is_heard = heard
        self.heard.setText(text.PREVIEW_HEARD if heard else text.PREVIEW_SPEAK)
        parts.set_role(self.heard, "good" if heard else "muted")

    def _pick(self, track: Track) -> None:
        choice = self._choices[track]
        if choice.is_another():
            if track is Track.CAMERA:
                self.picture.forget()
            else:
                self._hear(heard=False)
            self.picked.emit(track, choice.box.currentText())


class LivePicture(QLabel):
    """The newest picture, as large as the text's size wants it; words while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "preview")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName(text.PREVIEW_PICTURE)
        self._newest = QPixmap()
        self.forget()
        self._fit()

    def forget(self) -> None:
        """Show no picture any more."""
        self._newest = QPixmap()
        self.setText(text.PREVIEW_NO_PICTURE)

    def draw(self, jpeg: bytes) -> None:
        """Show a picture; one that can't be read leaves the last one."""
        drawn = QPixmap()
        if drawn.loadFromData(QByteArray(jpeg)):
            self._newest = drawn
            self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802  (Qt's name)
        """Grow with the text."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._fit()

    def _fit(self) -> None:
        size = _PICTURE * scale_of(self)
        self.setFixedSize(size)
        if not self._newest.isNull():
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            self.setPixmap(self._newest.scaled(size, keep, smooth))


class _Choice:
    """The devices of one track, with a label that names the list for a screen reader too."""

    def __init__(self, track: Track, into: QVBoxLayout) -> None:
        name = text.PREVIEW_DEVICES[track]
        across: QHBoxLayout = parts.row(spacing=10)
        self._name: QLabel = parts.label(name, "name", wrap=False)
        self.box = QComboBox()
        self.box.setAccessibleName(name)
        self.box.setMinimumContentsLength(4)
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._name.setBuddy(self.box)
        across.addWidget(self._name)
        across.addWidget(self.box, 1)
        into.addLayout(across)
        self._sample = parts.label(text.PREVIEW_SAMPLES[track], "warn")
        into.addWidget(self._sample)
        self._picked = ""

    def is_another(self) -> bool:
        """Say whether something else was chosen than what is in use; from now on it is."""
        before, self._picked = self._picked, self.box.currentText()
        return self._picked != before

    def show(self, devices: DevicesOf | None) -> None:
        """Show the list, or nothing."""
        for widget in (self._name, self.box):
            widget.setVisible(devices is not None)
        self._sample.setVisible(devices is not None and devices.is_sample)
        if devices is None:
            return
        names = list(dict.fromkeys((*devices.names, *((devices.picked,) if not devices.names else ()))))
        if [self.box.itemText(index) for index in range(self.box.count())] != names:
            self.box.clear()
            self.box.addItems(names)
        self._picked = devices.picked
        self.box.setCurrentIndex(max(0, self.box.findText(devices.picked)))
        self.box.setEnabled(len(names) > 1)
