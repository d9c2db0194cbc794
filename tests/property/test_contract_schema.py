"""Canonical JSON and the strict codec: everything comes back as it was, and everything else is refused by its path."""

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract import canonical, schema, wire
from app.contract.actions import Action
from app.contract.canonical import Json
from app.contract.errors import IntegrityError
from app.contract.incidents import Incident
from app.contract.policy import Policy
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.keys import ProtectedKey
from app.contract.sealing.records import Binding, Completion, End, Receipt, Record
from app.contract.sealing.segment import SegmentHeader
from tests.property.contract_values import TEXT, instances

TYPES: list[Any] = [
    Policy,
    Binding,
    Record,
    Receipt,
    End,
    Completion,
    Manifest,
    SegmentHeader,
    ProtectedKey,
    Incident,
    Action,
    *(t for t in vars(wire).values() if dataclasses.is_dataclass(t) and t is not wire.ExamLink),
]
VALUES = st.sampled_from(TYPES).flatmap(instances)

SCALARS = st.none() | st.booleans() | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER) | TEXT
ASCII_KEYS = st.text(st.characters(max_codepoint=127), max_size=6)
JSON_VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII_KEYS, inner, max_size=4), max_leaves=20
)

Path = tuple[str | int, ...]


def _objects(value: Any, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every JSON object inside ``value`` with its path."""
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _objects(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _objects(item, (*path, index))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _spelled(root: str, path: Path) -> str:
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _dataclass_at(instance: Any, path: Path) -> Any:
    for step in path:
        instance = (
            instance[step]
            if isinstance(step, int) or not dataclasses.is_dataclass(instance)
            else getattr(instance, step)
        )
    return instance


@given(JSON_VALUES)
def test_canonical_json_round_trips(value: Json) -> None:
    data = canonical.dumps(value)
    assert canonical.loads(data) == value
    assert canonical.dumps(canonical.loads(data)) == data


@given(st.dictionaries(ASCII_KEYS, SCALARS, min_size=2, max_size=6), st.randoms())
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: dict[str, Json], random: Any) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert canonical.dumps(dict(shuffled)) == canonical.dumps(value)


@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_canonical_json_or_refused(data: bytes) -> None:
    try:
        value = canonical.loads(data)
    except IntegrityError:
        return
    assert canonical.dumps(value) == data


@given(st.binary(max_size=40))
def test_base64url_round_trips(data: bytes) -> None:
    assert canonical.unb64(canonical.b64(data)) == data


@given(st.text(max_size=12))
def test_any_text_is_canonical_base64url_or_refused(text: str) -> None:
    try:
        data = canonical.unb64(text)
    except IntegrityError:
        return
    assert canonical.b64(data) == text


@given(VALUES)
def test_contract_types_round_trip(value: Any) -> None:
    assert schema.loads(type(value), schema.dumps(value)) == value


@given(VALUES, st.data())
def test_unknown_key_is_refused_with_its_path(value: Any, data: st.DataObject) -> None:
    json: Any = copy.deepcopy(schema.to_json(value))
    objects = [(p, o) for p, o in _objects(json) if dataclasses.is_dataclass(_dataclass_at(value, p))]
    path, target = data.draw(st.sampled_from(objects))
    target["mispelt"] = True
    with pytest.raises(IntegrityError) as caught:
        schema.from_json(type(value), json)
    assert str(caught.value).startswith(_spelled(type(value).__name__, (*path, "mispelt")) + ":")


@given(VALUES, st.data())
def test_missing_key_is_refused_with_its_path(value: Any, data: st.DataObject) -> None:
    json: Any = copy.deepcopy(schema.to_json(value))
    required = [
        (path, field.name)
        for path, _ in _objects(json)
        if dataclasses.is_dataclass(instance := _dataclass_at(value, path))
        for field in dataclasses.fields(instance)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if not required:
        return
    path, name = data.draw(st.sampled_from(required))
    del _at(json, path)[name]
    with pytest.raises(IntegrityError) as caught:
        schema.from_json(type(value), json)
    assert str(caught.value) == f"{_spelled(type(value).__name__, (*path, name))}: is missing"


@given(VALUES, st.data())
def test_mistyped_value_is_refused_with_its_path(value: Any, data: st.DataObject) -> None:
    json: Any = copy.deepcopy(schema.to_json(value))
    fields = [
        (path, field.name)
        for path, _ in _objects(json)
        if dataclasses.is_dataclass(instance := _dataclass_at(value, path))
        for field in dataclasses.fields(instance)
    ]
    if not fields:
        return
    path, name = data.draw(st.sampled_from(fields))
    # No field of the contract is a float, and a list in a list is none's type.
    _at(json, path)[name] = data.draw(st.sampled_from([1.5, [["x"]]]))
    with pytest.raises(IntegrityError) as caught:
        schema.from_json(type(value), json)
    assert str(caught.value).startswith(_spelled(type(value).__name__, (*path, name)))


@given(st.sampled_from([True, False]))
def test_truth_is_not_a_number(value: bool) -> None:
    with pytest.raises(IntegrityError, match=r"Heartbeat\.records: must be of type int"):
        schema.from_json(wire.Heartbeat, {"state": "idle", "cookie": None, "head": "A" * 43, "records": value})


@pytest.mark.parametrize("value", [float("nan"), 1.0, {"é": 1}, 2**53, -(2**53), "\ud800", {1, 2}, b"x"])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (the sentence differs; the type is the contract)
        canonical.dumps(value)
