"""Who may import whom (docs/architecture.md). Each rule says why it is there."""

import ast
import sys

import pytest

from tests.architecture.imports import PACKAGES, ROOT, Module, inside, is_import_call, modules

MODULES = modules()

# part -> what of our own it may import, beside itself
LAW: dict[str, tuple[str, ...]] = {
    "app.contract": (),
    "app.mailbox": (),
    "app.clock": ("app.contract",),
    "capture": ("app.contract", "app.mailbox"),
    "detectors": ("app.contract", "app.mailbox", "capture.frames", "resources"),
    "lockdown": ("app.contract", "app.mailbox", "app.exclusive", "app.external", "app.paths", "resources"),
    "server": ("app.contract",),
    "app.evaluation": ("app.contract", "app.models", "app.version", "capture", "detectors", "resources"),
    "app.shell": ("app", "lockdown", "resources"),
    "app.recorder": ("app", "capture", "detectors"),
    "app.guard": ("app", "lockdown"),
}
# Processes are islands: nobody imports another's insides, only the entry point to spawn it.
ISLANDS = {
    "app.shell": {"app.__main__"},
    "app.recorder": {"app.__main__"},
    "app.guard": {"app.__main__"},
}
ENTRY_POINTS = (
    "app.recorder.process",
    "app.recorder.options",
    "app.guard.process",
    "app.guard.options",
    "app.guard.restore_cli",
    "app.shell.process",
)

# third-party package -> where it may be imported, and why not elsewhere
FENCES: dict[str, tuple[tuple[str, ...], str]] = {
    "PySide6": (("app.shell",), "Qt lives in one process and one folder"),
    "shiboken6": (("app.shell",), "Qt lives in one process and one folder"),
    "av": (("capture",), "two FFmpegs in one macOS process clash"),
    "sounddevice": (("capture",), "audio devices are capture's"),
    "mss": (("capture",), "screen grabs are capture's"),
    "cv2": (("capture", "detectors"), "pictures are converted at the edge only"),
    "onnxruntime": (("detectors.model",), "one place loads and checks models"),
    "ctypes": (("lockdown.windows", "lockdown.macos"), "native calls stay behind lockdown's capability protocols"),
    "Xlib": (("lockdown.linux_x11",), "X11 stays behind the capability protocols"),
    "onnx": ((), "models are read by ONNX Runtime and written by app.models.onnx_file"),
    "subprocess": (("app.external", "app.demo"), "one place runs programs, with a clean environment"),
    "queue": ((), "Latest and Bounded are the only queues"),
    "pickle": ((), "nothing crosses a process or a file as pickle"),
}
# who may import a name that is not written out -> why
COMPUTED_IMPORTS = {
    "app.shell.children": "enters the process it was started as",
    "app.shell.selftest": "tries each of a list of Qt's modules",
}


def test_the_law_covers_what_exists() -> None:
    names = {module.name for module in MODULES}
    assert len(names) > 40
    for part in LAW:
        assert any(inside(name, part) for name in names), f"{part} is in the law but not in the tree"


@pytest.mark.parametrize("part", LAW)
def test_import_law(part: str) -> None:
    broken = [
        f"{module.at(line)}: {part} may not import {target}"
        for module in MODULES
        if inside(module.name, part)
        for target, line in module.imports
        if any(inside(target, package) for package in PACKAGES)
        and not any(inside(target, allowed) for allowed in (part, *LAW[part]))
    ]
    assert not broken, "\n".join(broken)


def test_processes_are_islands() -> None:
    broken = [
        f"{module.at(line)}: only the entry points of {island} may be imported, not {target}"
        for module in MODULES
        for target, line in module.imports
        for island, friends in ISLANDS.items()
        if inside(target, island)
        and not inside(module.name, island)
        and module.name not in friends
        and not any(inside(target, entry) for entry in ENTRY_POINTS)
    ]
    assert not broken, "\n".join(broken)


def test_contract_needs_only_the_standard_library_and_cryptography() -> None:
    broken = [
        f"{module.at(line)}: the contract may not import {target}"
        for module in MODULES
        if inside(module.name, "app.contract")
        for target, line in module.imports
        if target.partition(".")[0] not in {*sys.stdlib_module_names, "cryptography", "app"}
    ]
    assert not broken, "\n".join(broken)


def test_nothing_imports_tests_or_packaging_scripts() -> None:
    scripts = {path.stem for path in (ROOT / "packaging").rglob("*.py")}
    assert scripts
    broken = [
        f"{module.at(line)}: imports {target}"
        for module in MODULES
        for target, line in module.imports
        if target.partition(".")[0] in {"tests", "packaging", *scripts}
    ]
    assert not broken, "\n".join(broken)


def test_imports_are_absolute() -> None:
    """The law above reads whole names; a relative import would be out of its sight."""
    broken = [f"{m.at(line)}: {target}" for m in MODULES for target, line in m.imports if target.startswith(".")]
    assert not broken, "\n".join(broken)


def test_names_to_import_are_written_out() -> None:
    """A computed name is out of the law's sight as well."""
    broken = [
        f"{module.at(node.lineno)}: imports a computed name"
        for module in MODULES
        if module.name not in COMPUTED_IMPORTS
        for node in ast.walk(module.tree)
        if is_import_call(node) and not isinstance(node.args[0], ast.Constant)
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("library", FENCES)
def test_fences(library: str) -> None:
    where, why = FENCES[library]
    importing = [(module, line) for module in MODULES for target, line in module.imports if inside(target, library)]
    broken = [
        f"{module.at(line)}: {library} only in {', '.join(where) or 'no place'}: {why}"
        for module, line in importing
        if not any(inside(module.name, place) for place in where)
    ]
    assert not broken, "\n".join(broken)
    unused = [place for place in where if not any(inside(module.name, place) for module, _ in importing)]
    assert not unused, f"may import {library}, but do not: {unused}"


def test_no_package_cycles() -> None:
    """Packages (folders) form a graph without cycles, a package's own facade module aside."""
    edges: dict[str, set[str]] = {}
    for module in MODULES:
        here = _package(module)
        for target, _ in module.imports:
            there = _package_of(target)
            if there and there != here and not inside(here, there) and not inside(there, here):
                edges.setdefault(here, set()).add(there)
    cycle = _find_cycle(edges)
    assert cycle is None, " -> ".join(cycle or [])


def _package(module: Module) -> str:
    return module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]


def _package_of(target: str) -> str | None:
    known = {_package(module) for module in MODULES}
    while target and target not in known:
        target = target.rpartition(".")[0]
    return target or None


def _find_cycle(edges: dict[str, set[str]]) -> list[str] | None:
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str] | None:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return None
        for following in sorted(edges.get(node, ())):
            if found := visit(following, [*path, node]):
                return found
        done.add(node)
        return None

    for start in sorted(edges):
        if found := visit(start, []):
            return found
    return None
