"""Canonical JSON and base64url: one byte string for one value, in Python and in a browser alike.

The rules are those of RFC 8785 (JCS) on a smaller domain, which makes both implementations trivial: keys are
ASCII and sorted, there are no floats, and integers stay within ±(2^53 - 1).
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from app.contract.errors import IntegrityError, Outcome

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 16

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
"""Made once: ``json.dumps`` makes one for each call that asks for anything unusual."""


def dumps(value: Json) -> bytes:
    """Return the canonical UTF-8 bytes of ``value``.

    Raises ``ValueError`` for a float, a key that is not ASCII, an integer out of range, a lone surrogate or
    nesting deeper than ``MAX_DEPTH``.
    """
    _check(value, 0)
    return _ENCODER.encode(value).encode("utf-8")


def loads(data: bytes) -> Json:
    """Parse canonical JSON; anything that ``dumps`` would not have written is refused.

    Raises ``IntegrityError(BAD_FORMAT)``.
    """
    try:
        value: Json = json.loads(data.decode("utf-8"))
        if dumps(value) == data:
            return value
    except (ValueError, RecursionError) as error:
        raise IntegrityError(Outcome.BAD_FORMAT, f"not JSON: {error}") from error
    raise IntegrityError(Outcome.BAD_FORMAT, "JSON is not in canonical form")


def _check(value: Json, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError(f"integer {value} does not fit in a double")
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not key.isascii():
                raise ValueError(f"key {key!r} is not ASCII")
            _check(item, depth + 1)
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
        return
    raise ValueError(f"{type(value).__name__} has no canonical form")


def b64(data: bytes) -> str:
    """Return base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    """Decode base64url without padding; stray characters, padding and non-zero spare bits are refused.

    Raises ``IntegrityError(BAD_FORMAT)``.
    """
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise IntegrityError(Outcome.BAD_FORMAT, "not base64url") from error
    if b64(data) != text:
        raise IntegrityError(Outcome.BAD_FORMAT, "base64url is not in canonical form")
    return data
