"""House rules that no linter knows: where the platform is asked, how processes are run, how large files grow."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT, Module, inside, modules
from tests.architecture.queues import queues, unbounded_deques
from tests.architecture.size import functions, lines, median, sizes

MODULES = modules()
# who may ask which system this is -> why a feature test would not do
PLATFORM_PLACES = {
    "app.paths": "each system keeps its files elsewhere",
    "lockdown.select": "chooses the backend",
    "capture.screen": "chooses the backend",
    "app.launch": "exec keeps the process id on one system and makes a child on the other",
    "app.channel": "a pipe's descriptor is a socket or not, and both kinds of connection exist everywhere",
    "app.external": "folders named /usr/bin may be anybody's where they are not the system's",
}
# who may hold a deque without maxlen -> what keeps it small
OWN_BOUND = {
    "app.mailbox": "Bounded refuses at its capacity, and counts",
    "app.supervisor": "the restart window refuses at its limit",
    "server.live.watcher": "who has too many bytes waiting is cut off; the hub bounds the beginnings",
}
ASKING = {("sys", "platform"), ("os", "name"), ("os", "uname"), ("platform", "system")}
LONGEST_FILE = 500
LONGEST_FUNCTION = 60


def test_packaging_is_a_folder_of_scripts() -> None:
    """With an ``__init__.py`` it would shadow PyPI's ``packaging`` and break pip and pytest."""
    assert not (ROOT / "packaging" / "__init__.py").exists()
    spec = importlib.util.find_spec("packaging")
    assert spec is not None
    assert spec.origin is not None, "a namespace package: our folder stands before PyPI's"
    assert {"site-packages", "dist-packages"} & set(Path(spec.origin).parts)


def test_the_platform_is_asked_in_few_places() -> None:
    asking = [(module, line) for module in MODULES for line in _asks_the_platform(module.tree)]
    broken = [
        f"{module.at(line)}: asks which system this is; ask for the feature (hasattr), or give a reason"
        for module, line in asking
        if not any(inside(module.name, place) for place in PLATFORM_PLACES)
    ]
    assert not broken, "\n".join(broken)
    unused = [place for place in PLATFORM_PLACES if not any(inside(module.name, place) for module, _ in asking)]
    assert not unused, f"allowed, but do not ask: {unused}"


def _asks_the_platform(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in ASKING:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and any((node.module, alias.name) in ASKING for alias in node.names):
            yield node.lineno


def test_no_queue_but_latest_and_bounded() -> None:
    broken = [f"{m.at(line)}: a queue; use app.mailbox" for m in MODULES for line in queues(m.tree)]
    growing = [(module, line) for module in MODULES for line in unbounded_deques(module.tree)]
    broken += [f"{m.at(line)}: a deque without maxlen" for m, line in growing if m.name not in OWN_BOUND]
    assert not broken, "\n".join(broken)
    assert {module.name for module, _ in growing} >= set(OWN_BOUND), "an allowance that nobody uses"


@pytest.mark.parametrize(
    "code",
    [
        "self._queue = deque()",
        "self._waiting = collections.deque(first)",
        "kept = field(default_factory=deque)",
        "kept = deque[int]()",
        "inbox = multiprocessing.Queue()",
        "inbox = context.SimpleQueue()",
        "from asyncio import Queue",
    ],
)
def test_a_queue_is_seen_however_it_is_written(code: str) -> None:
    tree = ast.parse(code)
    assert [*queues(tree), *unbounded_deques(tree)] == [1]


@pytest.mark.parametrize("code", ["deque(maxlen=5)", "collections.deque((), 5)", "kept: deque[int]", "Bounded(5)"])
def test_what_is_bounded_is_no_queue(code: str) -> None:
    tree = ast.parse(code)
    assert not [*queues(tree), *unbounded_deques(tree)]


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
    broken = [f"{m.at(1)}: {lines(m)} lines" for m in MODULES if lines(m) > LONGEST_FILE]
    broken += [f"{m.at(f.lineno)}: {f.name} has {size} lines" for m, f, size in _long_functions()]
    assert not broken, "\n".join(broken)


def _long_functions() -> Iterator[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for module in MODULES:
        for function, size in functions(module):
            if size > LONGEST_FUNCTION:
                yield module, function, size


def test_most_files_and_functions_are_small() -> None:
    measured = sizes(MODULES)
    assert median(measured.files) < 250, measured
    assert median(measured.functions) < 15, measured
