"""Every table. Secrets (tokens, invites, passwords) are stored as digests only; times are milliseconds UTC."""

from typing import ClassVar

from sqlalchemy import JSON, ForeignKey, Index, Integer, LargeBinary, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import BigInteger

# SQLite numbers rows by itself only where the type is INTEGER.
_COUNTED = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The declarative base; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {int: BigInteger, bytes: LargeBinary, dict[str, str]: JSON}


class Account(Base):
    """An examiner or administrator. ``password`` is an argon2id hash."""

    __tablename__ = "accounts"
    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    password: Mapped[str]
    created_ms: Mapped[int]


class Login(Base):
    """One signed-in browser; ``token`` is SHA-256 of its cookie."""

    __tablename__ = "logins"
    token: Mapped[bytes] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.name"))
    expires_ms: Mapped[int] = mapped_column(index=True)


class KeyRecord(Base):
    """A key pair made in somebody's browser: the public key, and the private one under a passphrase."""

    __tablename__ = "key_records"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("accounts.name"))
    label: Mapped[str]
    purpose: Mapped[str]
    protected: Mapped[str]
    created_ms: Mapped[int]


class InstitutionKey(Base):
    """A P-256 public key that may sign policies here."""

    __tablename__ = "institution_keys"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    public: Mapped[bytes]
    created_ms: Mapped[int]


class Exam(Base):
    """An exam is its signed policy; ``digest`` is SHA-256 of the policy's JWS.

    ``quota`` is how many bytes its sessions may take together, none for any number.
    """

    __tablename__ = "exams"
    id: Mapped[str] = mapped_column(primary_key=True)
    institution_key: Mapped[str] = mapped_column(ForeignKey("institution_keys.id"))
    title: Mapped[str]
    institution: Mapped[str]
    policy: Mapped[str]
    digest: Mapped[bytes]
    start_url: Mapped[str]
    expires_ms: Mapped[int]
    quota: Mapped[int | None]
    created_ms: Mapped[int]


class Candidate(Base):
    """A line of an exam's roster; ``invite`` is SHA-256 of the link's invite.

    ``agreement`` is what the institution granted this candidate, as it signed it; it is handed out with the join.
    """

    __tablename__ = "candidates"
    id: Mapped[str] = mapped_column(primary_key=True)
    exam: Mapped[str] = mapped_column(ForeignKey("exams.id"), index=True)
    name: Mapped[str]
    invite: Mapped[bytes] = mapped_column(unique=True)
    agreement: Mapped[str | None]
    expires_ms: Mapped[int]
    created_ms: Mapped[int]


class Session(Base):
    """One candidate's sitting.

    ``client``, ``program``, ``access`` and ``ticket`` are digests of the tokens that count now. ``alive_ms`` is the
    last word from the bound program, ``running_ms`` when its exam first ran, ``confirmed_ms`` the last confirmation of
    a cookie token (or the entry). ``breaks_ms`` and ``tries`` are what the application said was used up
    (``verification.spending``), ``break_heard_ms`` its last word that a break lasts, if one does. ``stored`` is what
    its segments take, in bytes, rows included.
    """

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(primary_key=True)
    exam: Mapped[str] = mapped_column(ForeignKey("exams.id"), index=True)
    candidate: Mapped[str] = mapped_column(ForeignKey("candidates.id"), unique=True)
    started_ms: Mapped[int]
    state: Mapped[str]
    client: Mapped[bytes]
    epoch: Mapped[int]
    program: Mapped[bytes | None]
    access: Mapped[bytes | None]
    ticket: Mapped[bytes | None]
    alive_ms: Mapped[int | None]
    running_ms: Mapped[int | None]
    confirmed_ms: Mapped[int | None]
    frozen_since_ms: Mapped[int | None]
    actions_from_ms: Mapped[int]
    breaks_ms: Mapped[int] = mapped_column(default=0, server_default="0")
    break_heard_ms: Mapped[int | None]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    head: Mapped[bytes | None]
    records: Mapped[int]
    stored: Mapped[int] = mapped_column(default=0, server_default="0")
    end: Mapped[str | None]
    ended_ms: Mapped[int | None]
    completion: Mapped[str | None]


class Binding(Base):
    """Which key speaks for a session from an epoch on; ``jws`` is the signed binding."""

    __tablename__ = "bindings"
    session: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    signing_key: Mapped[bytes]
    jws: Mapped[str]
    bound_ms: Mapped[int]


class CookieToken(Base):
    """A cookie token that still counts; ``token`` is the SHA-256 of its value, ``serial`` the order of issue."""

    __tablename__ = "cookie_tokens"
    token: Mapped[bytes] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    serial: Mapped[int]
    seen_ms: Mapped[int]
    __table_args__ = (Index("ix_cookie_tokens_session_serial", "session", "serial"),)


class Segment(Base):
    """A stored segment. Two segments can't have one place, and two records can't follow one record."""

    __tablename__ = "segments"
    session: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    track: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record: Mapped[str]
    record_digest: Mapped[bytes]
    previous: Mapped[bytes]
    digest: Mapped[bytes]
    size: Mapped[int]
    receipt: Mapped[str]
    received_ms: Mapped[int]
    __table_args__ = (UniqueConstraint("session", "previous"), UniqueConstraint("session", "record_digest"))


class DeletedSession(Base):
    """What is left of a session whose time was over: that it was deleted, signed by the server."""

    __tablename__ = "deletions"
    session: Mapped[str] = mapped_column(primary_key=True)
    exam: Mapped[str] = mapped_column(ForeignKey("exams.id"), index=True)
    deleted_ms: Mapped[int]
    jws: Mapped[str]


class Incident(Base):
    """What the server itself saw of a session."""

    __tablename__ = "incidents"
    id: Mapped[int] = mapped_column(_COUNTED, primary_key=True, autoincrement=True)
    session: Mapped[str] = mapped_column(ForeignKey("sessions.id"), index=True)
    kind: Mapped[str]
    at_ms: Mapped[int]
    facts: Mapped[dict[str, str]]


class ActionRecord(Base):
    """An examiner's action and its signed form as heartbeats carry it."""

    __tablename__ = "actions"
    id: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(ForeignKey("sessions.id"), index=True)
    kind: Mapped[str]
    arguments: Mapped[dict[str, str]]
    issuer: Mapped[str]
    issued_ms: Mapped[int]
    jws: Mapped[str]


class GrantRecord(Base):
    """Somebody whom a recipient added later: the signed statement; its wraps lie in the store (``GrantPlace``)."""

    __tablename__ = "grants"
    id: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(ForeignKey("sessions.id"), index=True)
    statement: Mapped[str]
    account: Mapped[str]
    taken_ms: Mapped[int]


class AuditEntry(Base):
    """Who looked at what, and who changed what."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(_COUNTED, primary_key=True, autoincrement=True)
    at_ms: Mapped[int]
    account: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    facts: Mapped[dict[str, str]]
    __table_args__ = (Index("ix_audit_account_subject_at_ms", "account", "subject", "at_ms"),)
