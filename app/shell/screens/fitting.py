"""Layouts that fit: rows that break in two, columns that become one, boxes that scroll. Nothing is ever cut off.

With text at 200 %, or on a screen that the system scales by two, there is room for a quarter of what there was. All
of it stays reachable: what does not fit beside each other goes below, and what does not fit at all scrolls, by keyboard
too.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QWidget

from app.shell.screens.pictures import scale_of


class Halves(QFrame):
    """A left and a right row beside each other, or one below the other where both don't fit."""

    def __init__(self, role: str, *, margins: tuple[int, int, int, int], spacing: int = 10) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._halves.setContentsMargins(*margins)
        self._halves.setSpacing(spacing)
        self.left, self.right = _row(spacing), _row(spacing)
        self._halves.addLayout(self.left, 1)
        self._halves.addLayout(self.right)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """The broader half is what must have room; without this the two together would push the window wider."""
        margins = self._halves.contentsMargins()
        broader = max(self.left.minimumSize().width(), self.right.minimumSize().width())
        return QSize(broader + margins.left() + margins.right(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Break the row, or join it again."""
        super().resizeEvent(event)
        self._turn()

    def event(self, event: QEvent) -> bool:
        """What is in it may have become broader without the row itself being resized."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._turn()
        return super().event(event)

    def _turn(self) -> None:
        margins = self._halves.contentsMargins()
        room = self.width() - margins.left() - margins.right() - self._halves.spacing()
        fits = self.left.sizeHint().width() + self.right.sizeHint().width() <= room
        wanted = QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom
        if self._halves.direction() != wanted:
            self._halves.setDirection(wanted)
            self.updateGeometry()


class Columns(QWidget):
    """Cards in two columns, or in one where a column would be narrower than ``least`` pixels at 100 %."""

    def __init__(self, cards: Sequence[QWidget], *, least: int = 330) -> None:
        super().__init__()
        self._cards, self._least = tuple(cards), least
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(14)
        self._count = 0
        self._place(2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """One column must have room, not two."""
        broadest = max((card.minimumSizeHint().width() for card in self._cards), default=0)
        return QSize(broadest, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Choose the number of columns."""
        super().resizeEvent(event)
        self._place(2 if self.width() >= 2 * self._least * scale_of(self) else 1)

    def _place(self, count: int) -> None:
        if count == self._count:
            return
        self._count = count
        for index, card in enumerate(self._cards):
            self._grid.removeWidget(card)
            self._grid.addWidget(card, index // count, index % count)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1 if count == 2 else 0)
        self.updateGeometry()


class ScrollBox(QScrollArea):
    """Scrolls downwards, by arrow and page keys too. It is a stop for Tab only while there is something to scroll."""

    def __init__(self, content: QWidget, *, role: str = "box", name: str = "") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(name)
        self.setWidget(content)
        self.verticalScrollBar().rangeChanged.connect(self._follow_range)

    def _follow_range(self, _least: int, most: int) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if most > 0 else Qt.FocusPolicy.NoFocus)


class GrowingBox(ScrollBox):
    """As high as its content wants to be, up to ``share`` thousandths of the window's height; then it scrolls."""

    def __init__(self, content: QWidget, *, share: int, name: str = "") -> None:
        super().__init__(content, name=name)
        self._content = content
        self._share = share
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def heightForWidth(self, width: int) -> int:  # noqa: N802  (Qt's name)
        """What the content needs, or all that it may take."""
        frame = self.width() - self.viewport().width() if self.width() > self.viewport().width() else 0
        needed = self._content.heightForWidth(width - frame)
        most = self.window().height() * self._share // 1_000
        return max(self.minimumSizeHint().height(), min(needed + frame, most))

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """As broad as it may be."""
        return QSize(super().sizeHint().width(), self.heightForWidth(max(self.width(), 100)))

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """A line of text."""
        line = self.fontMetrics().height()
        return QSize(line * 4, line + 6)


class Elided(QLabel):
    """One line that gives up its end when there is no room; the whole text is its hint and its accessible name.

    It asks for room for its whole text, but for no more than ``letters``, and takes ``least`` of them.
    """

    def __init__(self, text: str, role: str, *, letters: int, least: int = 0) -> None:
        super().__init__()
        self._letters, self._least = letters, least
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.say(text)

    def say(self, text: str, hint: str = "") -> None:
        """Show another text; ``hint`` is what more there is to know."""
        self.setText(text)
        self.setToolTip(hint or text)
        self.setAccessibleName(text)
        self.setAccessibleDescription(hint)

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Room for the text, or for ``letters``."""
        whole = super().sizeHint()
        return QSize(min(whole.width(), self.fontMetrics().averageCharWidth() * self._letters), whole.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Room for ``least`` letters."""
        return QSize(self.fontMetrics().averageCharWidth() * self._least, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Write as much as fits."""
        painter = QPainter(self)
        fitting = QFontMetrics(self.font()).elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.rect(), int(self.alignment()), fitting)
        painter.end()


def _row(spacing: int) -> QBoxLayout:
    made = QBoxLayout(QBoxLayout.Direction.LeftToRight)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(spacing)
    return made
