"""``fairlock open LINK``: reads the arguments, then hands over to the shell. Imports neither Qt nor the recorder."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app import paths
from app.contract.errors import FairlockError
from app.contract.wire import ExamLink
from app.guard.options import GuardOptions
from app.recorder.options import RecorderOptions
from app.shell.process import ShellOptions, run

EVIDENCE = """\
With --key and --out it opens no exam but exported evidence, into files that any player shows:

  fairlock open EXPORT --key KEYFILE --out DIR

  --key KEYFILE           an examiner's protected key
  --out DIR               a new folder for the opened files
  --passphrase-file FILE  file whose first line is the key's passphrase; without it, it is asked for
  --pin=PIN               id of the institution's key, or one of its exam links
"""


def main(arguments: Sequence[str]) -> int:
    """Take the exam that the link names; returns the exit code. Errors before there is a window go to the terminal."""
    options = _parse(arguments)
    try:
        ExamLink.parse(options.link)
        return run(options)
    except FairlockError as error:
        print(f"{error}  [{error.code}]", file=sys.stderr)  # noqa: T201  (there is no window yet)
        return 1


def _parse(arguments: Sequence[str]) -> ShellOptions:
    parser = argparse.ArgumentParser(
        prog="fairlock open",
        description="Take an exam.",
        epilog=EVIDENCE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("link", help="the link from your institution: fairlock://join?…")
    add_common(parser)
    given = parser.parse_args(arguments)
    return shell_options(given, given.link)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every way of taking an exam understands."""
    parser.add_argument("--theme", choices=("system", "light", "dark", "contrast"), default="system")
    demonstration = parser.add_argument_group(
        "demonstrations", "These work only where the institution's signed policy says that it is a demonstration."
    )
    demonstration.add_argument("--rehearse", action="store_true", help="press the buttons by itself")
    demonstration.add_argument("--sample-camera", type=Path, metavar="FILE", help="where there is no camera")
    demonstration.add_argument("--sample-microphone", type=Path, metavar="FILE", help="where there is no microphone")
    demonstration.add_argument("--sample-note", default="", metavar="TEXT", help="what the samples show")
    demonstration.add_argument("--prefer-samples", action="store_true", help="even where there are devices")
    demonstration.add_argument("--screenshots", type=Path, metavar="DIR", help="save a picture of every screen")


def shell_options(given: argparse.Namespace, link: str) -> ShellOptions:
    """Return the options of an exam under ``link`` (empty: it is asked for) from the arguments of ``add_common``."""
    return ShellOptions(
        link=link,
        recorder_options=RecorderOptions(
            home=paths.data_dir(),
            sample_camera=given.sample_camera,
            sample_microphone=given.sample_microphone,
            sample_note=given.sample_note,
            prefer_samples=given.prefer_samples,
        ),
        guard_options=GuardOptions(restore_file=paths.restore_file()),
        rehearse=given.rehearse,
        screenshots=given.screenshots,
        theme=given.theme,
    )
