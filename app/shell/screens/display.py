"""The three buttons by which text becomes larger or smaller and the contrast high, on every screen before and after."""

from PySide6.QtWidgets import QWidget

from app.shell import text
from app.shell.announcing import announce
from app.shell.appearance import Appearance
from app.shell.screens import parts
from app.shell.screens.pictures import Tool


class DisplayTools(QWidget):
    """Changes ``look``, which dresses the application anew. A size that is at its end stays pressable: it says so."""

    def __init__(self, look: Appearance) -> None:
        super().__init__()
        self._look = look
        self.smaller = Tool("smaller", text.SMALLER)
        self.larger = Tool("larger", text.LARGER)
        self.contrast = Tool("contrast", text.HIGH_CONTRAST)
        self.contrast.setCheckable(True)
        self.contrast.setChecked(look.has_high_contrast)
        across = parts.row(self, spacing=2)
        for made in (self.smaller, self.larger, self.contrast):
            across.addWidget(made)
        self.smaller.clicked.connect(self._shrink)
        self.larger.clicked.connect(self._grow)
        self.contrast.toggled.connect(look.set_high_contrast)

    def _grow(self) -> None:
        self._resize(1)

    def _shrink(self) -> None:
        self._resize(-1)

    def _resize(self, steps: int) -> None:
        self._look.resize(steps)
        announce(self, text.TEXT_SIZE.format(percent=round(self._look.scale * 100)))
