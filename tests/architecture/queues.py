"""Finds queues in a syntax tree: those of the standard library, and deques that can grow without end."""

import ast
from collections.abc import Iterator

QUEUES = {"Queue", "SimpleQueue", "JoinableQueue", "LifoQueue", "PriorityQueue"}


def queues(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that name a queue other than ``app.mailbox``'s, as a module's attribute or imported."""
    for node in ast.walk(tree):
        names = [node.attr] if isinstance(node, ast.Attribute) else []
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        if isinstance(node, ast.Attribute | ast.ImportFrom) and QUEUES & set(names):
            yield node.lineno


def unbounded_deques(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that make a ``deque`` without ``maxlen``, or hand ``deque`` on for others to make one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        bounded = len(node.args) > 1 or any(keyword.arg == "maxlen" for keyword in node.keywords)
        if (_is_deque(node.func) and not bounded) or any(map(_is_deque, given)):
            yield node.lineno


def _is_deque(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):  # deque[int]()
        node = node.value
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name == "deque"
