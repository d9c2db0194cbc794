"""Programs that come to run on a seat's account during the exam, although nothing of the session started them."""

from collections.abc import Sequence

from app.contract.incidents import IncidentKind
from lockdown.capabilities import Finding
from lockdown.linux_kiosk import seat
from lockdown.processes import ProcessTable


class CompanyWatch:
    """Reports each of them once; a part of ``ProcessWatch``. ``me`` is a process of the application.

    Whoever can draw over the exam or read the compositor's screen must run on its account, so that this is what a watch
    of foreign Wayland windows would be for. **Does not stop** programs of root.
    """

    def __init__(self, me: int, table: ProcessTable) -> None:
        self._me = me
        self._table = table
        self._seen = table.pids()

    def observe(self) -> Sequence[Finding]:
        """Return a finding for each stranger that has come since the last call."""
        now = self._table.pids()
        fresh, self._seen = now - self._seen, now
        return [
            Finding(
                kind=IncidentKind.PROCESS_UNKNOWN,
                facts={"name": program.name, "path": program.path, "pid": str(program.pid), "on": "the seat's account"},
            )
            for program in (seat.strangers(self._me, self._table, fresh) if fresh else ())
        ]
