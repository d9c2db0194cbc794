"""Frozen dataclasses to and from canonical JSON values, strictly.

One codec serves the policy, the evidence format, the wire and the channels between processes. Unknown and
missing keys, wrong types and values outside a field's limits are refused with the path of the field, because a
misspelt lockdown setting must not mean "off".

Field types understood: ``bool``, ``int``, ``str``, ``bytes`` (base64url), string enums, ``Literal`` strings,
``T | None``, ``tuple[T, ...]``, ``Mapping[str, T]`` and dataclasses of these. There are no floats: a quantity names
its unit and uses an integer (``_ms``, ``_permille``).
"""

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from app.contract import canonical
from app.contract.canonical import Json
from app.contract.errors import IntegrityError, Outcome

T = TypeVar("T")

_SIMPLE = (int, str, bytes, bool)


def setting(
    default: Any = dataclasses.MISSING,
    *,
    doc: str,
    minimum: int | None = None,
    maximum: int | None = None,
) -> Any:
    """Declare a field with its documentation and limits (of an integer's value, or of a text's or list's length)."""
    metadata = {"doc": doc, "minimum": minimum, "maximum": maximum}
    if dataclasses.is_dataclass(default) and isinstance(default, type):
        return dataclasses.field(default_factory=default, metadata=metadata)
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def to_json(value: Any) -> Json:
    """Return ``value`` (a dataclass of the types above) as a JSON value with every field written out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: to_json(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, bytes):
        return canonical.b64(value)
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} is not part of the contract")


def from_json(cls: type[T], value: Json) -> T:
    """Build a ``cls`` from a JSON value; raises ``IntegrityError(BAD_FORMAT)`` with the path of what is wrong."""
    return typing.cast(T, _read(cls, value, cls.__name__))


def dumps(value: Any) -> bytes:
    """Return the canonical bytes of a dataclass."""
    return canonical.dumps(to_json(value))


def loads(cls: type[T], data: bytes) -> T:
    """Build a ``cls`` from canonical bytes; raises ``IntegrityError(BAD_FORMAT)``."""
    return from_json(cls, canonical.loads(data))


def _refuse(path: str, why: str) -> IntegrityError:
    return IntegrityError(Outcome.BAD_FORMAT, f"{path}: {why}")


@lru_cache(maxsize=256)
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


@lru_cache(maxsize=256)
def _fields(cls: type) -> "dict[str, dataclasses.Field[Any]]":
    return {field.name: field for field in dataclasses.fields(cls)}


def _read(hint: Any, value: Any, path: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _read_optional(hint, value, path)
    if origin is typing.Literal:
        if isinstance(value, str) and value in typing.get_args(hint):
            return value
        raise _refuse(path, f"must be one of {', '.join(typing.get_args(hint))}")
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise _refuse(path, "must be a list")
        item = typing.get_args(hint)[0]
        return tuple(_read(item, entry, f"{path}[{index}]") for index, entry in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise _refuse(path, "must be an object")
        item = typing.get_args(hint)[1]
        return {key: _read(item, entry, f"{path}.{key}") for key, entry in value.items()}
    if dataclasses.is_dataclass(hint):
        return _read_dataclass(hint, value, path)
    return _read_scalar(hint, value, path)


def _read_optional(hint: Any, value: Any, path: str) -> Any:
    options = [option for option in typing.get_args(hint) if option is not types.NoneType]
    if value is None and len(options) < len(typing.get_args(hint)):
        return None
    for option in options:
        try:
            return _read(option, value, path)
        except IntegrityError:
            if option is options[-1]:
                raise
    raise _refuse(path, "has no readable type")


def _read_scalar(hint: Any, value: Any, path: str) -> Any:
    if hint is bytes and isinstance(value, str):
        return canonical.unb64(value)
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        try:
            return hint(value)
        except ValueError:
            raise _refuse(path, f"must be one of {', '.join(hint)}") from None
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint in (str, bool) and isinstance(value, hint):
        return value
    raise _refuse(path, f"must be of type {getattr(hint, '__name__', hint)}")


def _read_dataclass(cls: Any, value: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise _refuse(path, "must be an object")
    hints = _hints(cls)
    fields = _fields(cls)
    for key in value:
        if key not in fields:
            raise _refuse(f"{path}.{key}", "is not a known setting; check its spelling")
    arguments = {}
    for name, field in fields.items():
        if name in value:
            # Most are simple, and asking what else they could be takes longer than reading them.
            read = _read_scalar if hints[name] in _SIMPLE else _read
            arguments[name] = read(hints[name], value[name], f"{path}.{name}")
            _limit(field, arguments[name], f"{path}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise _refuse(f"{path}.{name}", "is missing")
    return cls(**arguments)


def _limit(field: "dataclasses.Field[Any]", value: Any, path: str) -> None:
    minimum, maximum = field.metadata.get("minimum"), field.metadata.get("maximum")
    size = value if isinstance(value, int) else len(value) if value is not None and hasattr(value, "__len__") else None
    if size is None:
        return
    if minimum is not None and size < minimum:
        raise _refuse(path, f"must be at least {minimum}")
    if maximum is not None and size > maximum:
        raise _refuse(path, f"must be at most {maximum}")
