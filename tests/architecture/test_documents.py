"""What the documents promise can be looked up: tests and files that they name are there, every attack has an answer."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
LOCKDOWN = ROOT / "docs" / "lockdown.md"
ON_LINUX, BY_SYSTEM = "## Attacks and answers on Linux", "## Known attacks, system by system"
NO_ANSWER = ("does not stop", "not lockdown's")
TEST = re.compile(r"`(test_\w+)(?:\[([^`]*)\])?`")
FILE = re.compile(r"`([\w.-]+/[\w./-]+\.(?:py|toml|yml|sh|md))`")

# What was done to clients like this one, as papers, bug reports and sellers of such tools tell it.
KNOWN = (
    "virtual machine", "second device", "splitter", "remote desktop", "overlay", "renamed", "started later",
    "virtual camera", "microphone", "still picture", "debugger", "modified client", "browser", "copy and paste",
    "clock", "network", "old segments", "altering", "killing", "another person", "exam's address", "through fairlock",
    "malicious examiner",
)  # fmt: skip


SOURCES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py"))]
TESTS = {
    node.name
    for source in SOURCES
    for node in ast.walk(ast.parse(source))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
}


def _rows(heading: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables below ``heading``, but for their heads."""
    section = LOCKDOWN.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    named = TEST.findall(document.read_text(encoding="utf-8"))
    assert not [name for name, _ in named if name not in TESTS]
    assert not [f"{name}[{given}]" for name, given in named if given not in ("", "…") and not _is_a_parameter(given)]


def _is_a_parameter(given: str) -> bool:
    """Whether ``given`` stands anywhere in the tests; several parameters are joined by a hyphen."""
    return any(part in source for part in (given, given.rpartition("-")[0] or given) for source in SOURCES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    named = FILE.findall(document.read_text(encoding="utf-8"))
    assert not [name for name in named if not any((folder / name).exists() for folder in (ROOT, document.parent))]


@pytest.mark.parametrize("heading", [ON_LINUX, BY_SYSTEM])
def test_every_attack_names_a_test_or_admits_that_nothing_stops_it(heading: str) -> None:
    rows = list(_rows(heading))
    assert len(rows) > 20
    silent = [
        cells[0] for cells in rows if not TEST.search(cells[-1]) and not any(text in cells[1] for text in NO_ANSWER)
    ]
    assert not silent


def test_every_known_attack_has_an_answer_for_every_system() -> None:
    rows = list(_rows(BY_SYSTEM))
    assert [len(cells) for cells in rows] == [5] * len(KNOWN)
    assert not [name for name in KNOWN if sum(name in cells[0].lower() for cells in rows) != 1]
    assert not [cells[0] for cells in rows if not all(cells)]
