"""Runs the shell as its own program for the end-to-end tests: ``python -m tests.e2e.shell_runner OPTIONS.json``."""

import json
import logging
import multiprocessing
import sys
from pathlib import Path

from app.contract.errors import FairlockError
from app.shell.options import ShellOptions
from app.shell.process import run


def main() -> int:
    """Return the shell's exit code, or 1 with the sentence of what kept it from starting."""
    multiprocessing.freeze_support()
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    given = json.loads(Path(sys.argv[1]).read_text())
    children = given.pop("children")
    pictures = given.pop("screenshots", None)
    options = ShellOptions(
        link="fairlock://join",
        recorder_options=children,
        guard_options=children,
        recorder_entry="tests.e2e.shell_children:recorder",
        guard_entry="tests.e2e.shell_children:guard",
        screenshots=Path(pictures) if pictures else None,
        **given,
    )
    try:
        return run(options)
    except FairlockError as error:
        print(error.code, error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
