"""``fairlock models``: list the models the product knows, or fetch what a session needs."""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from app.contract.errors import FairlockError
from app.models.fetch import default_folder, is_genuine, obtain
from app.models.sources import local_sources
from detectors.catalogue import ModelCard, load_catalogue


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="fairlock models", description="The detection models and where they are.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--list", action="store_true", help="show all known models (the default)")
    action.add_argument("--fetch", action="store_true", help="obtain the best model for each task")
    parser.add_argument("--offline", action="store_true", help="with --fetch: do not ask the network")
    parser.add_argument("--folder", type=Path, help="where files are kept; by default the application's cache")
    options = parser.parse_args(argv)
    folder = options.folder or default_folder()
    try:
        table = _fetched(folder, offline=options.offline) if options.fetch else _known(folder)
    except FairlockError as error:
        sys.stderr.write(f"{error} [{error.code}]\n")
        return 1
    sys.stdout.write(table)
    return 0


def _known(folder: Path) -> str:
    rows = [("task", "model", "grade", "licence", "here")]
    for card in load_catalogue():
        rows.append((card.task.value, card.name, card.grade.value, card.licence, _whereabouts(card, folder)))
    measured = "".join(_measured(card) for card in load_catalogue())
    return f"{_aligned(rows)}\nWhat was measured (docs/models.md has more):\n{measured}"


def _measured(card: ModelCard) -> str:
    text = f"{card.name}: {card.measured or 'nothing.'}"
    return textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="    ") + "\n"


def _whereabouts(card: ModelCard, folder: Path) -> str:
    for source in local_sources(folder):
        data = source.read(card)
        if data is not None:
            return source.name if is_genuine(card, data) else f"{source.name}, but with a wrong sha256"
    return "no"


def _fetched(folder: Path, *, offline: bool) -> str:
    models = obtain(progress=_say, folder=folder, offline=offline, improve=True)
    rows = [("task", "model", "from", "file")]
    rows += [(task.value, model.card.title, model.origin, str(model.path)) for task, model in models.items()]
    return _aligned(rows)


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(line.rstrip() + "\n" for line in lines)
