"""The notice: what will happen, before anything does. Nothing is recorded or changed while it is shown."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout

from app.contract.policy import Policy
from app.shell import text
from app.shell.screens import parts
from app.shell.screens.base import Screen
from app.shell.theme import Theme


class NoticeScreen(Screen):
    """Six cards made from the policy, and the choice."""

    acknowledged = Signal()
    declined = Signal()

    def __init__(self, theme: Theme, policy: Policy, *, badges: Sequence[str] = ()) -> None:
        super().__init__(
            theme,
            step=1,
            title=f"{text.NOTICE_TITLE}: {policy.title}",
            subtitle=policy.institution,
            badges=badges,
            wide=True,
        )
        cards = (
            ("camera", "What is recorded", text.recorded(policy)),
            ("eye", "What is looked for", text.detected(policy)),
            ("key", "Who can open it", text.readers(policy)),
            ("clock", "How long it is kept", text.kept(policy)),
            ("lock", "What happens to this computer", text.changed(policy)),
            ("network", "If the connection fails", text.connection()),
        )
        grid = QGridLayout()
        grid.setSpacing(14)
        for index, (name, heading, words) in enumerate(cards):
            grid.addWidget(parts.fact_card(name, heading, words, theme), index // 2, index % 2)
            grid.setColumnStretch(index % 2, 1)
        self.middle.addLayout(grid)
        no = self.add_button(text.NOTICE_NO)
        yes = self.add_button(text.NOTICE_YES, "primary")
        no.clicked.connect(self.declined)
        yes.clicked.connect(self.acknowledged)
        self.yes = yes
