"""Writes ``docs/policy.md`` from the policy's own table: ``python -m app.contract.policy_docs``.

Runs by hand and in a test that compares the committed file; never in the application.
"""

import dataclasses
import enum
import sys
import types
import typing
from collections.abc import Iterator
from typing import Any

from app.contract.canonical import Json
from app.contract.policy import Policy
from app.contract.schema import to_json

_INTRODUCTION = """\
# The policy

What an exam's session must hold. The institution signs it (ES256), the application refuses it when the signature, the
pinned key or any setting is not right, and a setting that is not in these tables is refused by its name: a misspelt one
must not mean "off". Limits are of a number's value, or of the length of a text (characters), key (bytes) or list.

Written by `python -m app.contract.policy_docs` from `app/contract/policy.py`; change it there.
"""


def render() -> str:
    """Return the whole document."""
    sections = [f"{_INTRODUCTION}\n## Policy\n\n{_table(Policy)}"]
    sections += [f"## {name}\n\n{(cls.__doc__ or '').strip()}\n\n{_table(cls)}" for name, cls in _nested(Policy)]
    return "\n\n".join(sections) + "\n"


def _nested(cls: Any) -> Iterator[tuple[str, Any]]:
    for name, hint in typing.get_type_hints(cls).items():
        item = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
        if dataclasses.is_dataclass(item):
            yield f"{name}[]" if item is not hint else name, item
            yield from _nested(item)


def _table(cls: Any) -> str:
    hints = typing.get_type_hints(cls)
    rows = ["| setting | type | default | limits | meaning |", "|---|---|---|---|---|"]
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        cells = [f"`{field.name}`", _type(hint), _default(field), _limits(field), str(field.metadata["doc"])]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _type(hint: Any) -> str:
    arguments = [a for a in typing.get_args(hint) if a not in (types.NoneType, Ellipsis)]
    if typing.get_origin(hint) is tuple:
        return "list, table below" if dataclasses.is_dataclass(arguments[0]) else f"list of {_type(arguments[0])}"
    if arguments:
        return f"{' or '.join(_type(a) for a in arguments)} or none"
    if issubclass(hint, enum.Enum):
        return f"one of {', '.join(f'`{member.value}`' for member in hint)}"
    plain = {bool: "yes or no", int: "whole number", str: "text", bytes: "bytes (base64url)"}
    return plain.get(hint, "table below")


def _default(field: "dataclasses.Field[Any]") -> str:
    if field.default_factory is not dataclasses.MISSING:
        return "its defaults"
    if field.default is dataclasses.MISSING:
        return "required"
    return _value(to_json(field.default))


def _value(value: Json) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value) or "empty"
    return f"{value:,}" if isinstance(value, int) else f"`{value}`"


def _limits(field: "dataclasses.Field[Any]") -> str:
    low, high = field.metadata["minimum"], field.metadata["maximum"]
    if low is not None and low == high:
        return f"{low:,}"
    if low is not None and high is not None:
        return f"{low:,} – {high:,}"
    if high is not None:
        return f"at most {high:,}"
    return f"at least {low:,}" if low is not None else ""


if __name__ == "__main__":
    sys.stdout.write(render())
