"""HTTP routes of accounts, logins, keys and the audit log."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import select

from app.contract import canonical, schema
from app.contract.sealing.keys import ProtectedKey, key_id, load_p256
from server.accounts import audit, logins, passwords, views
from server.accounts.logins import COOKIE, Administrator, OwnPage, SignedIn
from server.accounts.turns import Turns
from server.db.models import Account, AuditEntry, InstitutionKey, KeyRecord
from server.refused import Refused
from server.web.bodies import Parts, answer, body_of, spoken

router = APIRouter(prefix="/api/v1")
_TAG = "accounts"


@router.post(
    "/login", dependencies=[OwnPage], **spoken(request=views.LoginRequest, answers={200: views.Person}, tag=_TAG)
)
async def login(
    parts: Parts, request: Request, body: Annotated[views.LoginRequest, Depends(body_of(views.LoginRequest))]
) -> Response:
    """Sign in; sets the cookie."""
    turns: Turns = request.app.state.login_turns
    examiner, cookie = await turns.take(logins.sign_in, parts, body.name, body.password)
    response = answer(_person(examiner.name, examiner.role))
    response.set_cookie(
        COOKIE, cookie, max_age=logins.LASTS_MS // 1000, httponly=True, samesite="strict", secure=parts.secure
    )
    return response


@router.post("/logout", dependencies=[OwnPage], **spoken(answers={204: None}, tag=_TAG))
def logout(parts: Parts, request: Request) -> Response:
    """Sign out."""
    logins.sign_out(parts, request.cookies.get(COOKIE, ""))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=parts.secure)
    return response


@router.get("/me", **spoken(answers={200: views.Person}, tag=_TAG))
def me(examiner: SignedIn) -> Response:
    """Say who is signed in."""
    return answer(_person(examiner.name, examiner.role))


@router.post("/accounts", **spoken(request=views.NewAccount, answers={201: views.Person}, tag=_TAG))
def add_account(
    parts: Parts, admin: Administrator, body: Annotated[views.NewAccount, Depends(body_of(views.NewAccount))]
) -> Response:
    """Add an account."""
    hashed = passwords.hashed(body.password)
    with parts.database.write(durable=True) as tx:
        if tx.get(Account, body.name) is not None:
            raise Refused(409, "E-CONFLICT", "there is an account of this name")
        passwords.add(tx, name=body.name, password=hashed, role=body.role, now_ms=parts.now())
        audit.note(tx, now_ms=parts.now(), account=admin.name, action="account.added", subject=body.name)
    return answer(_person(body.name, body.role), 201)


@router.get("/accounts", **spoken(answers={200: views.People}, tag=_TAG))
def accounts(parts: Parts, _admin: Administrator) -> Response:
    """List the accounts."""
    with parts.database.read() as tx:
        rows = tx.scalars(select(Account).order_by(Account.name))
        return answer(views.People(accounts=tuple(_person(row.name, row.role) for row in rows)))


@router.post("/keys", **spoken(request=views.NewKey, answers={201: views.KeyId, 200: views.KeyId}, tag=_TAG))
def add_key(
    parts: Parts, examiner: SignedIn, body: Annotated[views.NewKey, Depends(body_of(views.NewKey))]
) -> Response:
    """Store a key pair made in the browser; its private half is under a passphrase that stays there."""
    if key_id(load_p256(body.key.public)) != body.key.id:
        raise Refused(422, "E-FORMAT", "the id is not the thumbprint of the public key")
    text = schema.dumps(body.key).decode()
    with parts.database.write(durable=True) as tx:
        known = tx.get(KeyRecord, body.key.id)
        if known is not None:
            if known.owner != examiner.name or known.protected != text:
                raise Refused(409, "E-CONFLICT", "this key is stored already")
            return answer(views.KeyId(id=known.id))
        record = KeyRecord(
            id=body.key.id,
            owner=examiner.name,
            label=body.label,
            purpose=body.purpose,
            protected=text,
            created_ms=parts.now(),
        )
        tx.add(record)
        audit.note(tx, now_ms=parts.now(), account=examiner.name, action="key.added", subject=body.key.id)
    return answer(views.KeyId(id=body.key.id), 201)


@router.get("/keys", **spoken(answers={200: views.KeyList}, tag=_TAG))
def keys(parts: Parts, examiner: SignedIn) -> Response:
    """List everybody's public keys and one's own protected private keys."""
    with parts.database.read() as tx:
        rows = tx.scalars(select(KeyRecord).order_by(KeyRecord.created_ms, KeyRecord.id)).all()
    return answer(views.KeyList(keys=tuple(_key_view(row, examiner.name) for row in rows)))


@router.post(
    "/institution",
    **spoken(request=views.NewInstitutionKey, answers={201: views.KeyId, 200: views.KeyId}, tag=_TAG),
)
def add_institution_key(
    parts: Parts,
    admin: Administrator,
    body: Annotated[views.NewInstitutionKey, Depends(body_of(views.NewInstitutionKey))],
) -> Response:
    """Register a key that may sign policies here."""
    identity = key_id(load_p256(body.public))
    with parts.database.write(durable=True) as tx:
        if tx.get(InstitutionKey, identity) is not None:
            return answer(views.KeyId(id=identity))
        tx.add(InstitutionKey(id=identity, name=body.name, public=body.public, created_ms=parts.now()))
        audit.note(tx, now_ms=parts.now(), account=admin.name, action="institution_key.added", subject=identity)
    return answer(views.KeyId(id=identity), 201)


@router.get("/institution", **spoken(answers={200: views.InstitutionKeyList}, tag=_TAG))
def institution_keys(parts: Parts, _examiner: SignedIn) -> Response:
    """List the keys that may sign policies here."""
    with parts.database.read() as tx:
        rows = tx.scalars(select(InstitutionKey).order_by(InstitutionKey.created_ms)).all()
    found = tuple(
        views.InstitutionKeyView(id=row.id, name=row.name, public=row.public, created_ms=row.created_ms) for row in rows
    )
    return answer(views.InstitutionKeyList(keys=found))


@router.get("/audit", **spoken(answers={200: views.AuditList}, tag=_TAG))
def audit_log(parts: Parts, _examiner: SignedIn) -> Response:
    """Return the newest thousand entries of the audit log."""
    with parts.database.read() as tx:
        rows = tx.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1_000)).all()
    entries = tuple(
        views.AuditView(at_ms=row.at_ms, account=row.account, action=row.action, subject=row.subject, facts=row.facts)
        for row in rows
    )
    return answer(views.AuditList(entries=entries))


def _person(name: str, role: str) -> views.Person:
    return views.Person(name=name, role=cast(views.Role, role))


def _key_view(row: KeyRecord, reader: str) -> views.KeyView:
    key = schema.from_json(ProtectedKey, canonical.loads(row.protected.encode()))
    return views.KeyView(
        id=row.id,
        label=row.label,
        purpose=row.purpose,
        owner=row.owner,
        created_ms=row.created_ms,
        public=key.public,
        key=key if row.owner == reader else None,
    )
