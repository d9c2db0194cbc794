"""Hypothesis strategies for the contract's dataclasses, read from their type hints and limits."""

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from app.contract.canonical import MAX_INTEGER

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Any Unicode text that UTF-8 can carry, which leaves out lone surrogates."""


def instances(cls: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for instances of a contract dataclass, within the limits of its fields."""
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{f.name: _values(hints[f.name], f.metadata) for f in dataclasses.fields(cls)})


def _values(hint: Any, limits: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(st.none() if a is types.NoneType else _values(a, limits) for a in arguments))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        size = _size(limits, 3)
        return st.lists(_values(arguments[0], {}), min_size=size[0], max_size=size[1]).map(tuple)
    if origin is not None:
        return st.dictionaries(st.text("abcz_09", max_size=5), _values(arguments[1], {}), max_size=3)
    if dataclasses.is_dataclass(hint):
        return instances(hint)
    return _scalars(hint, limits)


def _scalars(hint: Any, limits: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    if hint is bool:
        return st.booleans()
    if hint is int:
        low, high = limits.get("minimum"), limits.get("maximum")
        return st.integers(-MAX_INTEGER if low is None else low, MAX_INTEGER if high is None else high)
    low, high = _size(limits, 40)
    if hint is bytes:
        return st.binary(min_size=low, max_size=high)
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=low, max_size=high)


def _size(limits: Mapping[str, Any], usual: int) -> tuple[int, int]:
    low = limits.get("minimum") or 0
    high = limits.get("maximum")
    return low, max(low, usual if high is None else min(high, usual))
