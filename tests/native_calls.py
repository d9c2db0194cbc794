"""Lets a scripted machine answer the calls that a backend makes to its operating system, as strictly as ctypes would.

A call must be declared (``PROTOTYPES``), be made with as many arguments as declared and with types that ctypes accepts,
and the machine must have an answer for it; anything else fails the test. The answer is squeezed into the declared
type, so that a handle of 0 comes back as ``None`` and a SHORT with its highest bit set as a negative number.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from lockdown.prototypes import Prototype


class Answered:
    """``machine`` behind the names and types of ``prototypes``. ``calls`` lists the functions in order."""

    def __init__(self, machine: object, prototypes: Mapping[str, Prototype], types: Mapping[str, Any]) -> None:
        self._machine = machine
        self._prototypes = prototypes
        self._types = types
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the function ``name``, checked."""
        assert name in self._prototypes, f"{name} is not declared"
        prototype = self._prototypes[name]
        answer: Callable[..., Any] | None = getattr(self._machine, name, None)
        assert answer is not None, f"the machine has no answer for {name}"

        def call(*arguments: Any) -> Any:
            assert len(arguments) == len(prototype.parameters), f"{name} takes {prototype.parameters}"
            for argument, kind in zip(arguments, prototype.parameters, strict=True):
                self._types[kind].from_param(argument)  # raises as ctypes does
            self.calls.append(name)
            return _as_declared(answer(*map(_pointed_at, arguments)), self._types[prototype.result])

        return call


def _pointed_at(argument: Any) -> Any:
    """Return the object behind ``byref``; everything else as it is."""
    return getattr(argument, "_obj", argument)


def _as_declared(answer: Any, kind: Any) -> Any:
    if kind is None:
        return None
    if issubclass(kind, ctypes.Structure | ctypes._Pointer):
        return answer
    return kind(answer).value
