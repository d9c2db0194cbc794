"""How large files and functions are: ``python -m tests.architecture.size`` prints it, as ``make check`` does."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.architecture.imports import Module, modules


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Lines of each file that holds code, and of each function, in ascending order."""

    files: tuple[int, ...]
    functions: tuple[int, ...]

    def __str__(self) -> str:
        return f"Size: {_spread('files', self.files)}; {_spread('functions', self.functions)}"


def sizes(tree: list[Module]) -> Sizes:
    """Measure; files of five lines or fewer hold a docstring only."""
    return Sizes(
        files=tuple(sorted(lines(module) for module in tree if lines(module) > 5)),
        functions=tuple(sorted(size for module in tree for _, size in functions(module))),
    )


def lines(module: Module) -> int:
    """Return the number of lines of a file."""
    return module.path.read_text(encoding="utf-8").count("\n")


def functions(module: Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Yield every function with its number of lines."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def median(ascending: tuple[int, ...]) -> int:
    """Return the middle one."""
    return ascending[len(ascending) // 2]


def _spread(what: str, ascending: tuple[int, ...]) -> str:
    return f"{len(ascending)} {what}, median {median(ascending)} lines, p90 {ascending[len(ascending) * 9 // 10]}"


if __name__ == "__main__":
    print(sizes(modules()))
