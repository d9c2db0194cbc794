"""Writes down, once for each, that the file of a segment with a receipt is not there any more."""

from sqlalchemy import select

from app.contract.incidents import IncidentKind
from server.context import Context
from server.db.models import Incident
from server.exams import segment_files
from server.storage.base import Place
from server.verification import access, freezing

KIND = IncidentKind.SEGMENT_LOST


def report(context: Context, places: list[Place]) -> None:
    """Write an incident for each of ``places`` that has none yet."""
    with context.database.write() as tx:
        for session in sorted({place.session for place in places}):
            access.find(tx, session, hold=True)
        for place in places:
            query = select(Incident.facts).where(Incident.session == place.session, Incident.kind == KIND)
            name = f"{place.epoch}-{place.track}-{place.sequence}"
            if all(facts["place"] != name for facts in tx.scalars(query)):
                freezing.report(tx, place.session, KIND, at_ms=context.now(), place=name)


def present(context: Context, places: list[Place]) -> list[Place]:
    """Return those of ``places`` whose files are there, as the store knows them; report the others."""
    found = [segment_files.located(context.store, place) for place in places]
    lost = [place for place, there in zip(places, found, strict=True) if there is None]
    if lost:
        report(context, lost)
    return [there for there in found if there is not None]
