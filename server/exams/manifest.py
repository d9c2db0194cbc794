"""Gathers everything signed about a session into its manifest."""

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from app.contract.sealing.evidence import Manifest, ServerIncident
from app.contract.sealing.records import FORMAT_VERSION, genesis
from server.context import Context
from server.db.models import Binding, Exam, Incident, InstitutionKey, Segment
from server.exams import chain, segment_files
from server.storage.base import Place
from server.verification import access, freezing


def gather(context: Context, session: str) -> tuple[Manifest, list[Place]]:
    """Return a session's manifest and where its segments lie, in the same order; raises ``Refused`` 404."""
    with context.database.write() as tx:
        row = access.find(tx, session, hold=True)
        # A freeze that nobody asked about yet belongs into the evidence too.
        freezing.notice(tx, row, now_ms=context.now(), since_ms=context.uptime.since_ms)
    with context.database.read() as tx:
        row = access.find(tx, session)
        exam = tx.get_one(Exam, row.exam)
        segments = _ordered(tx, session, exam.digest)
        bindings = tx.scalars(select(Binding.jws).where(Binding.session == session).order_by(Binding.epoch))
        manifest = Manifest(
            version=FORMAT_VERSION,
            session=session,
            institution_key=tx.get_one(InstitutionKey, exam.institution_key).public,
            policy=exam.policy,
            bindings=tuple(bindings),
            records=tuple(segment.record for segment in segments),
            receipts=tuple(segment.receipt for segment in segments),
            end=row.end,
            completion=row.completion,
            server_incidents=incidents(tx, session),
        )
    places = [segment_files.place_of(segment) for segment in segments]
    return manifest, places


def incidents(tx: Transaction, session: str) -> tuple[ServerIncident, ...]:
    """Return what the server saw of a session, in the order of time."""
    query = select(Incident).where(Incident.session == session).order_by(Incident.at_ms, Incident.id)
    return tuple(ServerIncident(kind=row.kind, at_ms=row.at_ms, facts=row.facts) for row in tx.scalars(query))


def _ordered(tx: Transaction, session: str, policy_digest: bytes) -> list[Segment]:
    query = select(Segment).where(Segment.session == session).order_by(Segment.received_ms)
    by_digest = {row.record_digest: row for row in tx.scalars(query)}
    previous = {digest: row.previous for digest, row in by_digest.items()}
    order = chain.in_order(previous, genesis=genesis(session, policy_digest))
    return [by_digest[digest] for digest in order]
