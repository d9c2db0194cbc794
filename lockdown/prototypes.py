"""Reads C prototypes, as the makers of an operating system print them, into names. Pure text; no call is made here.

The backends of Windows and macOS list the functions that they call in this form, because it can be compared word by
word with the system's own headers, which ``tests/unit/test_lockdown_windows_headers.py`` does with a compiler.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PROTOTYPE = re.compile(r"(?P<result>[\w ]+?(?:\*+ ?| ))(?P<name>\w+)\((?P<parameters>[^)]*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prototype:
    """One function: the library that has it, and the C names of what it returns and takes."""

    library: str
    name: str
    result: str
    parameters: tuple[str, ...]


def read(libraries: Mapping[str, str]) -> Mapping[str, Prototype]:
    """Return every prototype by its function's name; ``libraries`` maps a library to its prototypes, one a line.

    Raises ``ValueError`` for a line that is no prototype, or a function that is there twice.
    """
    found: dict[str, Prototype] = {}
    for library, text in libraries.items():
        for line in filter(None, map(str.strip, text.splitlines())):
            prototype = _read(library, line)
            if prototype.name in found:
                raise ValueError(f"{prototype.name} is there twice")
            found[prototype.name] = prototype
    return found


def _read(library: str, line: str) -> Prototype:
    parts = _PROTOTYPE.fullmatch(line)
    if parts is None:
        raise ValueError(f"{line!r} is not a prototype")
    parameters = [_plain(parameter) for parameter in parts["parameters"].split(",")]
    return Prototype(
        library=library,
        name=parts["name"],
        result=_plain(parts["result"]),
        parameters=() if parameters == ["void"] else tuple(parameters),
    )


def _plain(name: str) -> str:
    return name.replace(" *", "*").strip()
