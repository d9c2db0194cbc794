"""JSON Schema of the contract's dataclasses, and a page of the API's documentation without scripts."""

import dataclasses
import enum
import types
import typing
from html import escape
from typing import Any

from server.web.pages import page

_SCALARS = {bool: {"type": "boolean"}, int: {"type": "integer"}, str: {"type": "string"}}


def json_schema(hint: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type of ``app.contract.schema``; byte strings are base64url."""
    if dataclasses.is_dataclass(hint):
        return _object(hint)
    if typing.get_origin(hint) is not None or isinstance(hint, types.UnionType):
        return _composed(hint)
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        return {"type": "string", "enum": [str(member.value) for member in hint]}
    return {"type": "string", "format": "base64url"} if hint is bytes else dict(_SCALARS[hint])


def _composed(hint: Any) -> dict[str, Any]:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [json_schema(option) for option in typing.get_args(hint) if option is not types.NoneType]
        return {"anyOf": [*options, {"type": "null"}]}
    if origin is typing.Literal:
        return {"type": "string", "enum": list(typing.get_args(hint))}
    if origin is tuple:
        return {"type": "array", "items": json_schema(typing.get_args(hint)[0])}
    return {"type": "object", "additionalProperties": json_schema(typing.get_args(hint)[1])}


def _object(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    properties: dict[str, Any] = {}
    required = []
    for field in dataclasses.fields(cls):
        properties[field.name] = json_schema(hints[field.name])
        if doc := field.metadata.get("doc"):
            properties[field.name]["description"] = doc
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            required.append(field.name)
    return {
        "type": "object",
        "title": cls.__name__,
        "description": (cls.__doc__ or "").strip(),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def documentation(openapi: dict[str, Any]) -> str:
    """Return the OpenAPI document as one readable page."""
    parts = [
        f"<p>Version {escape(openapi['info']['version'])}. For programs: <a href='openapi.json'>openapi.json</a></p>"
    ]
    for path, methods in openapi["paths"].items():
        for method, route in methods.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2>")
            parts.append(f"<p>{escape(route.get('description') or route.get('summary', ''))}</p>")
            body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if body:
                parts.append(f"<h3>Body: {escape(body.get('title', ''))}</h3>{_fields(body)}")
            for status, response in route.get("responses", {}).items():
                content = response.get("content", {}).get("application/json", {}).get("schema", {})
                if status != "4XX" and content.get("title"):
                    parts.append(f"<h3>{escape(status)}: {escape(content['title'])}</h3>{_fields(content)}")
    return page("Fairlock server: the API", "".join(parts))


def _fields(schema: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_type(value))}</td>"
        f"<td>{escape(value.get('description', ''))}</td></tr>"
        for name, value in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>"


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or (schema["type"] if "title" not in schema else schema["title"]))
