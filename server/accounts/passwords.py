"""Accounts and their passwords (argon2id, OWASP's parameters or stronger)."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.orm import Session as Transaction

from app.contract.errors import UserFacing
from server.db.models import Account

ADMIN, EXAMINER = "admin", "examiner"
MIN_PASSWORD = 8

_hasher = PasswordHasher()
# Each hash takes 64 MiB; more at a time would only make all of them slower.
_hashing = threading.Semaphore(2)
_DECOY = _hasher.hash("nobody has this password")


def hashed(password: str) -> str:
    """Return the hash to store; raises ``UserFacing`` for a password that is too short. Takes a while: hash first,
    then open the transaction.
    """
    if len(password) < MIN_PASSWORD:
        raise UserFacing(
            "The password is too short.", advice=f"Take at least {MIN_PASSWORD} characters.", code="E-PASSWORD"
        )
    with _hashing:
        return _hasher.hash(password)


def add(tx: Transaction, *, name: str, password: str, role: str, now_ms: int) -> Account:
    """Add an account; ``password`` is its hash."""
    account = Account(name=name, role=role, password=password, created_ms=now_ms)
    tx.add(account)
    return account


def matches(account: Account | None, password: str) -> bool:
    """Check a password; an unknown account takes as long as a known one."""
    with _hashing:
        try:
            _hasher.verify(account.password if account else _DECOY, password)
        except VerifyMismatchError:
            return False
    return account is not None
