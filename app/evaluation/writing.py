"""Where a measurement goes. It may take hours: every place is tried before it begins, and no fault loses the rest."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from app.contract.errors import UserFacing
from app.evaluation.accuracy_document import accuracy_document
from app.evaluation.html_report import html_report
from app.evaluation.json_report import json_report
from app.evaluation.options import command
from app.evaluation.result import Result

Reports = Mapping[Path, Callable[[Result], str]]
"""By the file that is to be written: what makes its text."""


def reports_asked(asked: argparse.Namespace) -> Reports:
    """Return what the options name."""
    reports: dict[Path, Callable[[Result], str]] = {}
    if asked.json is not None:
        reports[asked.json] = json_report
    if asked.report is not None:
        reports[asked.report / "report.html"] = html_report
        reports[asked.report / "report.json"] = json_report
    if asked.write_docs is not None:
        reports[asked.write_docs] = lambda result: accuracy_document(result, command(asked))
    return reports


def try_places(places: Iterable[Path]) -> None:
    """Open each place for writing and leave it as it was; its folder is made. Raises ``UserFacing`` (E-EVALUATE)."""
    for path in places:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            there = path.exists()
            with path.open("ab"):
                pass
            if not there:
                path.unlink()
        except OSError as error:
            raise _unwritable(path, error) from error


def write_reports(reports: Reports, result: Result, progress: Callable[[str], None]) -> bool:
    """Write each; return whether all were. What can't be written is told and ends nothing."""
    whole = True
    for path, text in reports.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(result), encoding="utf-8")
            progress(f"Written: {path}")
        except OSError as error:
            refusal = _unwritable(path, error)
            progress(f"{refusal} [{refusal.code}]")
            whole = False
    return whole


def show(text: str) -> None:
    """Print ``text``, also where the terminal's alphabet lacks a sign; who closed the pipe still gets the files."""
    alphabet = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(alphabet, "backslashreplace").decode(alphabet))
        sys.stdout.flush()
    except BrokenPipeError:
        pass


def _unwritable(path: Path, error: OSError) -> UserFacing:
    return UserFacing(f"{path} can't be written: {error.strerror}.", advice="Name another place.", code="E-EVALUATE")
