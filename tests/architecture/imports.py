"""The source tree as the architecture tests see it: modules, what they import, and what they name."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "capture", "detectors", "lockdown", "server", "resources")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One Python file: dotted ``name``, its syntax ``tree`` and every imported dotted name with its line."""

    name: str
    path: Path
    tree: ast.Module
    imports: tuple[tuple[str, int], ...]

    def at(self, line: int) -> str:
        """Return ``path:line`` for messages."""
        return f"{self.path.relative_to(ROOT)}:{line}"


def modules() -> list[Module]:
    """Return every module of the product."""
    return [_module(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if _ours(path)]


def _ours(path: Path) -> bool:
    return not {"node_modules", "dist", "__pycache__"} & set(path.parts)


def _module(path: Path) -> Module:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return Module(name=name, path=path, tree=tree, imports=tuple(_imports(tree)))


def _imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (f"{node.module}." if node.module else "")
            for alias in node.names:
                yield f"{origin}{alias.name}", node.lineno
        elif is_import_call(node) and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value), node.lineno


def is_import_call(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether ``node`` imports by a call: ``import_module(...)`` in any spelling, or ``__import__(...)``."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in {"import_module", "__import__"}


def inside(name: str, package: str) -> bool:
    """Whether dotted ``name`` is ``package`` or below it."""
    return name == package or name.startswith(package + ".")
