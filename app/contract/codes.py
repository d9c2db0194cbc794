"""Short codes that people type, kept as a salt and a slow digest. Pure.

A signed policy is public to every candidate, and a code of few digits has few values: PBKDF2 (RFC 8018) makes trying
them all take hours instead of moments. It cannot make a short code strong; the setting's text asks for a longer one.
"""

import hashlib
import hmac
import secrets

from app.contract.sealing.keys import PBKDF2_ROUNDS

SALT_BYTES = 16
DIGEST_BYTES = 32
STORED_BYTES = SALT_BYTES + DIGEST_BYTES


def stored_form(code: str, *, salt: bytes | None = None) -> bytes:
    """Return 48 bytes: a random salt and PBKDF2-HMAC-SHA-512 of the code (blanks around it do not count)."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return salt + hashlib.pbkdf2_hmac("sha512", code.strip().encode(), salt, PBKDF2_ROUNDS, DIGEST_BYTES)


def is_code(code: str, stored: bytes) -> bool:
    """Whether ``stored`` was made from ``code``. Takes a good part of a second, on purpose."""
    return hmac.compare_digest(stored_form(code, salt=stored[:SALT_BYTES]), stored)
