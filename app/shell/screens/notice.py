"""The notice: what will happen, before anything does. Nothing is recorded or changed while it is shown."""

from collections.abc import Sequence

from PySide6.QtCore import Signal

from app.contract.agreement import Agreement
from app.contract.policy import Policy
from app.shell import text
from app.shell.appearance import Appearance
from app.shell.screens import parts
from app.shell.screens.base import Screen
from app.shell.screens.fitting import Columns


class NoticeScreen(Screen):
    """Cards made from the policy and from what was agreed with the candidate, and the choice.

    ``shown`` is all that stands on them, a line each: the journal keeps what was acknowledged.
    """

    acknowledged = Signal()
    declined = Signal()

    def __init__(
        self, look: Appearance, policy: Policy, agreement: Agreement | None = None, *, badges: Sequence[str] = ()
    ) -> None:
        super().__init__(
            look,
            step=1,
            title=f"{text.NOTICE_TITLE}: {policy.title}",
            subtitle=policy.institution,
            badges=badges,
            wide=True,
        )
        cards = [
            ("camera", "What is recorded", text.recorded(policy)),
            ("eye", "What is looked for", text.detected(policy, agreement)),
            ("key", "Who can open it", text.readers(policy)),
            ("clock", "How long it is kept", text.kept(policy)),
            ("lock", "What happens to this computer", text.changed(policy)),
            ("network", "If the connection fails", text.connection()),
        ]
        said = [card[1:] for card in cards]
        if agreement is not None:
            agreed = (text.AGREED_HEADING, text.agreed(agreement))
            said.insert(0, agreed)
            self.middle.addWidget(parts.fact_card("check", *agreed))
        title = f"{text.NOTICE_TITLE}: {policy.title}"
        self.shown = "\n".join((title, policy.institution, *(": ".join(one) for one in said), text.NOTICE_YES))
        self.middle.addWidget(Columns([parts.fact_card(*card) for card in cards]))
        no = self.add_button(text.NOTICE_NO, way_out=True)
        yes = self.add_button(text.NOTICE_YES, "primary")
        no.clicked.connect(self.declined)
        yes.clicked.connect(self.acknowledged)
        self.yes = yes
