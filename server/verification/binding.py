"""Binds one run of the program to a session: decrypts the tokens, refuses a second program, opens the next epoch."""

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from app.contract import canonical, schema
from app.contract.errors import IntegrityError, Retryable
from app.contract.incidents import IncidentKind
from app.contract.sealing import jws
from app.contract.sealing.keys import load_ed25519
from app.contract.sealing.records import BINDING_TYPE, FORMAT_VERSION
from app.contract.sealing.records import Binding as SignedBinding
from app.contract.session import SessionState
from app.contract.wire import BIND_LABEL, CONFIRMATION_LIMIT_MS, BindAnswer, BindRequest, Spent, Tokens
from server import tokens
from server.context import Context
from server.db.models import Binding, Candidate, Exam, Incident, Session
from server.db.retries import retried
from server.refused import Refused
from server.verification import access, cookies, freezing, spending

ENTRY_PATH = "/.fairlock/enter"

MAX_EPOCHS = 200
"""Restarts that a session may see; nobody honest comes near it."""
PROGRAM_LETTERS = 8
"""Of the digest by which incidents tell programs apart; a binding has all of it (``program``)."""


@dataclass(frozen=True, slots=True)
class _Bound:
    binding: str
    access: str
    entry_url: str
    elapsed_ms: int
    spent: Spent


@retried
def bind(context: Context, session: str, request: BindRequest) -> BindAnswer:
    """Open the next epoch.

    Raises ``Refused`` (``E-TOKENS``, ``E-SECOND-PROGRAM``, ``E-SESSION-ENDED``), and ``Retryable`` after an outage.
    """
    opened = _decrypt(context, request)
    now = context.now()
    with context.database.write(durable=True) as tx:
        row = access.find(tx, session, hold=True)
        if not hmac.compare_digest(row.client, tokens.digest(opened.client)):
            raise Refused(403, "E-TOKENS", "the client token is not this session's")
        if row.completion is not None:
            raise Refused(409, "E-SESSION-ENDED", "everything of this session has arrived")
        if row.epoch + 1 >= MAX_EPOCHS:
            raise Refused(403, "E-NOT-ALLOWED", f"a session has at most {MAX_EPOCHS} epochs")
        _check_fresh(tx, row, request.signing_key)
        rival_ms = _rival_ms(row, opened.program)
        second = rival_ms is not None and context.now() - rival_ms <= CONFIRMATION_LIMIT_MS
        if second:
            _tell_of(tx, row, opened.program, at_ms=now)
        else:
            if rival_ms is not None:
                _hear_out(context)
            bound = _open_epoch(tx, context, row, opened.program, request.signing_key)
    # Refused out here, because an exception inside would undo the incident.
    if second:
        raise Refused(409, "E-SECOND-PROGRAM", "another program of this session was heard a moment ago")
    return BindAnswer(
        binding=bound.binding,
        access_token=bound.access,
        entry_url=bound.entry_url,
        server_ms=now,
        elapsed_ms=bound.elapsed_ms,
        spent=bound.spent,
    )


def _decrypt(context: Context, request: BindRequest) -> Tokens:
    try:
        padding = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=BIND_LABEL)
        opened = schema.loads(Tokens, context.keys.token.decrypt(request.tokens, padding))
        load_ed25519(request.signing_key)
    except (ValueError, IntegrityError):
        raise Refused(403, "E-TOKENS", "the tokens do not open") from None
    if not hmac.compare_digest(opened.signing_key, tokens.digest(request.signing_key)):
        raise Refused(403, "E-TOKENS", "the signing key is not the one the tokens speak of")
    return opened


def _check_fresh(tx: Transaction, row: Session, signing_key: bytes) -> None:
    """Refuse a key of an earlier epoch: a signature must say in which epoch it was made."""
    query = select(Binding.epoch).where(Binding.session == row.id, Binding.signing_key == signing_key)
    if tx.scalars(query.limit(1)).first() is not None:
        raise Refused(403, "E-TOKENS", "each epoch needs a signing key of its own")


def _rival_ms(row: Session, program: bytes) -> int | None:
    """Return when another program of this session was last heard, if there was one and it did not end."""
    if row.program is None or hmac.compare_digest(row.program, tokens.digest(program)):
        return None
    return None if row.state == SessionState.ENDED else row.alive_ms


def _tell_of(tx: Transaction, row: Session, program: bytes, *, at_ms: int) -> None:
    """Report a second program once in an epoch: one that waits for its turn asks every second, as a restart does."""
    facts = {"epoch": str(row.epoch), "program": canonical.b64(tokens.digest(program))[:PROGRAM_LETTERS]}
    of_them = Incident.session == row.id, Incident.kind == IncidentKind.SECOND_PROGRAM.value
    if facts not in tx.scalars(select(Incident.facts).where(*of_them)).all():
        freezing.report(tx, row.id, IncidentKind.SECOND_PROGRAM, at_ms=at_ms, **facts)


def _hear_out(context: Context) -> None:
    """Raise ``Retryable`` while a program that lives may not have been heard, for an outage of ours.

    That is nothing to accuse the candidate of, who mostly starts anew after a crash.
    """
    left_ms = CONFIRMATION_LIMIT_MS - (context.now() - context.uptime.since_ms)
    if left_ms >= 0:
        raise Retryable("the program before this one may still be there", after_s=left_ms // 1000 + 1)


def _succeed(tx: Transaction, context: Context, row: Session) -> None:
    """Put an end to what the program before this one held: its browser, its break, a freeze that its end brought."""
    if freezing.notice(tx, row, now_ms=context.now(), since_ms=context.uptime.since_ms):
        freezing.confirm(tx, row, now_ms=context.now(), by="new program")
    spending.succeed(row, now_ms=context.now())
    row.confirmed_ms = None
    cookies.revoke(tx, row.id)
    # The new program gets the actions that its predecessor can't have heard of.
    if row.alive_ms is not None:
        row.actions_from_ms = row.alive_ms


def _open_epoch(tx: Transaction, context: Context, row: Session, program: bytes, signing_key: bytes) -> _Bound:
    now = context.now()
    exam, candidate = tx.get_one(Exam, row.exam), tx.get_one(Candidate, row.candidate)
    signed = SignedBinding(
        version=FORMAT_VERSION,
        session=row.id,
        exam=row.exam,
        candidate=candidate.name,
        epoch=row.epoch + 1,
        signing_key=signing_key,
        program=tokens.digest(program),
        policy=exam.digest,
        bound_ms=now,
    )
    token = jws.sign(signed, context.keys.receipt, typ=BINDING_TYPE)
    tx.add(Binding(session=row.id, epoch=signed.epoch, signing_key=signing_key, jws=token, bound_ms=now))
    access_token, ticket = tokens.new_token(), tokens.new_token()
    if row.program is not None and row.program != signed.program:
        _succeed(tx, context, row)
    row.epoch, row.program, row.alive_ms = signed.epoch, signed.program, now
    row.access, row.ticket = tokens.digest(access_token), tokens.digest(ticket)
    row.state = SessionState.JOINING
    start = urlsplit(exam.start_url)
    elapsed_ms = max(0, now - row.running_ms) if row.running_ms is not None else 0
    entry_url = f"{start.scheme}://{start.netloc}{ENTRY_PATH}?ticket={ticket}"
    return _Bound(token, access_token, entry_url, elapsed_ms, spending.spent(row))
