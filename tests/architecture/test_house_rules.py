"""House rules that no linter knows: where the platform is asked, how processes are run, how large files grow."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.imports import ROOT, Module, inside, modules

MODULES = modules()
PLATFORM_PLACES = (
    "app.paths",
    "lockdown.select",
    "capture.screen",
    "capture.camera",
    "capture.microphone",
    "app.launch",
)
LONGEST_FILE = 500
LONGEST_FUNCTION = 60


def test_packaging_is_a_folder_of_scripts() -> None:
    """With an ``__init__.py`` it would shadow PyPI's ``packaging`` and break pip and pytest."""
    assert not (ROOT / "packaging" / "__init__.py").exists()
    spec = importlib.util.find_spec("packaging")
    assert spec is not None
    assert Path(spec.origin or "").parent != ROOT / "packaging"


def test_the_platform_is_asked_in_few_places() -> None:
    broken = [
        f"{module.at(node.lineno)}: asks sys.platform"
        for module in MODULES
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "platform"
        and isinstance(node.value, ast.Name)
        and node.value.id == "sys"
        and not any(inside(module.name, place) for place in PLATFORM_PLACES)
    ]
    assert not broken, "\n".join(broken)


def test_no_queue_but_latest_and_bounded() -> None:
    broken = [
        f"{module.at(line)}: {target} is a queue; use app.mailbox"
        for module in MODULES
        for target, line in module.imports
        if target in {"multiprocessing.Queue", "asyncio.Queue", "multiprocessing.SimpleQueue"}
        or (target == "collections.deque" and module.name != "app.mailbox" and _named_like_a_queue(module))
    ]
    assert not broken, "\n".join(broken)


def _named_like_a_queue(module: Module) -> bool:
    return any(
        isinstance(node, ast.Name) and any(word in node.id.lower() for word in ("queue", "inbox", "outbox"))
        for node in ast.walk(module.tree)
    )


def test_the_server_and_the_client_share_only_the_contract() -> None:
    broken = [
        f"{module.at(line)}: {module.name} imports {target}"
        for module in MODULES
        for target, line in module.imports
        if inside(target, "server") and not inside(module.name, "server")
    ]
    assert not broken, "\n".join(broken)


def test_every_module_says_what_it_is() -> None:
    silent = [str(m.path.relative_to(ROOT)) for m in MODULES if m.tree.body and not ast.get_docstring(m.tree)]
    assert not silent, f"without a docstring: {silent}"


def test_files_and_functions_stay_small() -> None:
    broken = [f"{m.at(1)}: {_lines(m.path)} lines" for m in MODULES if _lines(m.path) > LONGEST_FILE]
    broken += [f"{m.at(f.lineno)}: {f.name} has {size} lines" for m in MODULES for f, size in _long_functions(m)]
    assert not broken, "\n".join(broken)


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def _long_functions(module: Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > LONGEST_FUNCTION:
                yield node, size


def test_size_report() -> None:
    """Print the feel for size that the style asks for: median file 160–200 lines, median function 8–9."""
    files = sorted(_lines(m.path) for m in MODULES if _lines(m.path) > 5)
    functions = sorted(
        (n.end_lineno or n.lineno) - n.lineno + 1
        for m in MODULES
        for n in ast.walk(m.tree)
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    print(
        f"{len(files)} files, median {files[len(files) // 2]} lines, p90 {files[len(files) * 9 // 10]}; "
        f"{len(functions)} functions, median {functions[len(functions) // 2]}, "
        f"p90 {functions[len(functions) * 9 // 10]}"
    )
    assert files[len(files) // 2] < 250
    assert functions[len(functions) // 2] < 15
