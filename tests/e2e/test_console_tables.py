"""The console reads the contract by tables of its own; this test keeps them equal to the Python dataclasses.

``server/console/tests/shapes.json`` is what both sides are compared with: here from Python, there (``tables.test.ts``)
from TypeScript. After a change of the contract write it anew with ``python -m tests.e2e.test_console_tables``.
"""

import dataclasses
import enum
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.contract import schema
from app.contract.agreement import Agreement
from app.contract.journal import EntryType, PictureMeta
from app.contract.policy import Policy
from app.contract.sealing.evidence import Manifest
from app.contract.sealing.grants import Grant, Grants
from app.contract.sealing.keys import ProtectedKey
from app.contract.sealing.records import Binding, Completion, End, Opening, Receipt, Record
from app.contract.sealing.segment import SegmentHeader

SHAPES = Path(__file__).parents[2] / "server" / "console" / "tests" / "shapes.json"
CLASSES = (
    Policy,
    Binding,
    Record,
    Receipt,
    End,
    Completion,
    Manifest,
    ProtectedKey,
    SegmentHeader,
    PictureMeta,
    Agreement,
    Grant,
    Grants,
    Opening,
)


def test_written_shapes_are_the_contracts() -> None:
    assert json.loads(SHAPES.read_text("utf-8")) == shapes(), "run python -m tests.e2e.test_console_tables"


def shapes() -> dict[str, Any]:
    """Return what each class accepts, as plain data."""
    return {cls.__name__: _object(cls) for cls in CLASSES} | {"EntryType": _shape(EntryType, {})}


def _object(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    fields = {}
    for field in dataclasses.fields(cls):
        limits = {
            name: field.metadata[key]
            for name, key in (("min", "minimum"), ("max", "maximum"))
            if field.metadata.get(key) is not None
        }
        fields[field.name] = {**_shape(hints[field.name], limits), **_default(field)}
    return {"type": "object", "fields": fields}


def _default(field: "dataclasses.Field[Any]") -> dict[str, Any]:
    """Return whether a field must be there, and what stands for it where it is not."""
    if field.default is not dataclasses.MISSING:
        return {"required": False, "default": schema.to_json(field.default)}
    if field.default_factory is not dataclasses.MISSING:
        return {"required": False, "default": schema.to_json(field.default_factory())}
    return {"required": True}


def _shape(hint: Any, limits: dict[str, int]) -> dict[str, Any]:
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = next(option for option in arguments if option is not types.NoneType)
        return {"type": "optional", "item": _shape(inner, limits)}
    if origin is tuple:
        return {"type": "list", "item": _shape(arguments[0], {}), "limits": limits}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "map", "item": _shape(arguments[1], {}), "limits": limits}
    if dataclasses.is_dataclass(hint):
        return _object(hint)
    if issubclass(hint, enum.StrEnum):
        return {"type": "enum", "words": [word.value for word in hint], "limits": limits}
    return {"type": hint.__name__, "limits": limits}


if __name__ == "__main__":
    SHAPES.write_text(json.dumps(shapes(), indent=1) + "\n", "utf-8")
