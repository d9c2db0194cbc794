"""What the institution granted this candidate: believed only with its signature, and applied to every incident.

Runs in the recorder. Nothing starts with an agreement that does not hold: to go on without it would deny the
candidate what was granted, and to go on with it would grant what nobody signed.
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import replace

from app.contract.agreement import Agreement, Allowance, not_looked_for, settle
from app.contract.errors import IntegrityError, UserFacing
from app.contract.incidents import Incident
from app.contract.sealing.agreements import open_agreement

ON_BREAK = "break"
"""``StateIs.why`` while the candidate takes a break."""


def verify_agreement(
    token: str | None, institution_key: bytes, *, exam: str, candidate: str, now_ms: int | None = None
) -> Agreement | None:
    """Return what was granted, if anything; raises ``UserFacing(E-AGREEMENT)``.

    ``now_ms`` is given when a session begins. One that began in time keeps what was granted to its end.
    """
    if token is None:
        return None
    try:
        agreement = open_agreement(token, institution_key, exam=exam, candidate=candidate)
    except IntegrityError as error:
        raise _refused(f"is not genuine ({error})") from error
    if now_ms is not None and agreement.expires_ms < now_ms:
        raise _refused("has expired, or this computer's clock is wrong")
    return agreement


def _refused(why: str) -> UserFacing:
    return UserFacing(
        f"What was agreed with you for this exam {why}.",
        advice="Check the date and time. Then ask your institution for a new link; do not start without it.",
        code="E-AGREEMENT",
    )


class Granted:
    """Applies what was granted to incidents as they come, from any thread.

    An incident is judged once, when it opens, and its later words under the same id are told in the same way. None
    lasts across the beginning or the end of a break (``break_is``): whoever left before it, or has not come back when
    it is over, is away without an agreement for that time.
    """

    def __init__(self, allowances: Collection[Allowance] = ()) -> None:
        self._lasting = frozenset(allowances) - {Allowance.BREAKS}
        self._breaks = frozenset(allowances) & {Allowance.BREAKS}
        self._left_out = not_looked_for(allowances)
        self._opened: dict[str, frozenset[Allowance]] = {}
        self._lock = threading.Lock()
        self._on_break = False

    def break_is(self, on: bool, part: Callable[[], object] | None = None) -> None:
        """A break lasts, or does not. ``part`` closes every incident that the detectors have open, before that changes.

        Those closed are told as they were judged; what opens from then on is judged by what holds now.
        """
        if on is not self._on_break and part is not None:
            part()
        self._on_break = on

    def is_looked_for(self, incident: Incident) -> bool:
        """Whether what a detector saw is to be told at all."""
        return incident.kind not in self._left_out

    def settle(self, incident: Incident) -> Incident:
        """Return ``incident`` as it is recorded."""
        if not self._lasting and not self._breaks:
            return incident
        with self._lock:
            now = self._lasting | self._breaks if self._on_break else self._lasting
            held = self._opened.setdefault(incident.id, now)
        facts, severity = settle(incident.kind, incident.facts, incident.severity, held)
        return replace(incident, facts=facts, severity=severity)
