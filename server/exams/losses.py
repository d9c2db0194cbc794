"""Writes down, once for each, that the file of a segment with a receipt is not there any more. Runs in worker threads.

Whole folders may be gone, with thousands of segments: what is known is read once, and of one session one short
transaction writes what is new, so that nobody's heartbeats wait for it.
"""

from sqlalchemy import insert, select
from sqlalchemy.orm import Session as Transaction

from app.contract.incidents import IncidentKind
from server.context import Context
from server.db.models import Incident
from server.exams import segment_files
from server.storage.base import Place
from server.verification import access, freezing

KIND = IncidentKind.SEGMENT_LOST


def report(context: Context, session: str, places: list[Place]) -> None:
    """Write an incident for each of the session's ``places`` that has none yet; at most ``freezing.OF_A_KIND``."""
    names = [f"{place.epoch}-{place.track}-{place.sequence}" for place in places]
    with context.database.read() as tx:
        if not _new(tx, session, names):
            return
    with context.database.write() as tx:
        access.find(tx, session, hold=True)
        of_all = {"session": session, "kind": KIND.value, "at_ms": context.now()}
        if rows := [of_all | {"facts": {"place": name}} for name in _new(tx, session, names)]:
            tx.execute(insert(Incident), rows)


def present(context: Context, session: str, places: list[Place]) -> dict[Place, int]:
    """Return those of the session's ``places`` whose files are there, with their bytes; report the others.

    They come in the given order and as the store knows them. Raises ``StorageFull``.
    """
    there = segment_files.located(context.store, session, places)
    lost = [place for place, found in zip(places, there, strict=True) if found is None]
    if lost:
        report(context, session, lost)
    return dict(found for found in there if found is not None)


def _new(tx: Transaction, session: str, names: list[str]) -> list[str]:
    """Return those of ``names`` that are to be written down."""
    query = select(Incident.facts).where(Incident.session == session, Incident.kind == KIND.value)
    known = {facts["place"] for facts in tx.scalars(query)}
    return [name for name in names if name not in known][: max(0, freezing.OF_A_KIND - len(known))]
