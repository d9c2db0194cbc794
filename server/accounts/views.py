"""Bodies and answers of the account calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.contract.schema import setting
from app.contract.sealing.keys import ProtectedKey

Role = Literal["admin", "examiner"]
Purpose = Literal["evidence", "policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """Sign in."""

    name: str = setting(doc="Account.", minimum=1, maximum=100)
    password: str = setting(doc="Password.", minimum=1, maximum=1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """Add an account."""

    name: str = setting(doc="Account.", minimum=1, maximum=100)
    password: str = setting(doc="Password, at least 8 characters.", minimum=8, maximum=1_000)
    role: Role = setting("examiner", doc="What the account may do.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account as others see it."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All accounts."""

    accounts: tuple[Person, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """Store a key pair whose private half is under a passphrase."""

    label: str = setting(doc="What the owner calls it.", minimum=1, maximum=200)
    key: ProtectedKey = setting(doc="The pair.")
    purpose: Purpose = setting("evidence", doc="Opens evidence, or signs policies.")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyId:
    """A key's thumbprint."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """A stored key; ``key`` only for its owner."""

    id: str
    label: str
    purpose: str
    owner: str
    created_ms: int
    public: bytes
    key: ProtectedKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyList:
    """All keys."""

    keys: tuple[KeyView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInstitutionKey:
    """Register a key that may sign policies here."""

    name: str = setting(doc="The institution's name.", minimum=1, maximum=200)
    public: bytes = setting(doc="P-256 public key, uncompressed point.", minimum=65, maximum=65)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionKeyView:
    """A registered key."""

    id: str
    name: str
    public: bytes
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionKeyList:
    """All registered keys."""

    keys: tuple[InstitutionKeyView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """One entry."""

    at_ms: int
    account: str
    action: str
    subject: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditList:
    """The newest entries first."""

    entries: tuple[AuditView, ...]
