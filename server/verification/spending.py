"""What a session used up, remembered from heartbeats: agreed breaks and tried quit codes. It outlives the computer.

Called within the transactions of heartbeats and bindings. Judges nothing: how much was granted, and what a try costs,
the application knows.
"""

from app.contract.wire import LONGEST_BREAKS_MS, Spent
from server.db.models import Session


def hear(row: Session, told: Spent, *, now_ms: int) -> None:
    """Take what the application tells; what was used up never becomes less."""
    row.breaks_ms, row.tries = max(row.breaks_ms, told.breaks_ms), max(row.tries, told.tries)
    row.break_heard_ms = now_ms if told.on_break else None


def succeed(row: Session, *, now_ms: int) -> None:
    """Another program takes over: a break in which the one before it fell silent lasted until now.

    Silence outside of a break costs nothing.
    """
    if row.break_heard_ms is not None:
        silent_ms = max(0, now_ms - row.break_heard_ms)
        row.breaks_ms, row.break_heard_ms = min(LONGEST_BREAKS_MS, row.breaks_ms + silent_ms), None


def spent(row: Session) -> Spent:
    """Return what is handed to a program that begins."""
    return Spent(breaks_ms=row.breaks_ms, on_break=row.break_heard_ms is not None, tries=row.tries)
