"""Random identifiers and tokens, and the form in which the database keeps them."""

import secrets
from hashlib import sha256

from app.contract import canonical


def new_token() -> str:
    """Return 32 random bytes as text, for cookies, tickets, logins and access tokens."""
    return secrets.token_urlsafe(32)


def new_id() -> str:
    """Return a random id of 22 characters."""
    return canonical.b64(secrets.token_bytes(16))


def digest(token: str | bytes) -> bytes:
    """Return what is stored of a token: its SHA-256. Tokens hold 256 random bits, so no slow hash is needed."""
    return sha256(token.encode() if isinstance(token, str) else token).digest()
