"""``fairlock restore``: undo by hand what a crash left behind, without starting anything else."""

import argparse
import sys
from collections.abc import Sequence

from app import paths
from lockdown import select
from lockdown.restore import RestoreFile


def main(argv: Sequence[str]) -> int:
    """Undo all changes on file, print a line for each; 1 if one could not be undone."""
    parser = argparse.ArgumentParser(
        prog="fairlock restore", description="Undo changes to this computer that an interrupted exam left behind."
    )
    parser.parse_args(argv)
    file = RestoreFile(paths.restore_file())
    done = file.replay(select.replayers(file.run))
    for sentence in done.undone:
        sys.stdout.write(f"{sentence}.\n")
    for sentence in done.failed:
        sys.stderr.write(f"Not undone: {sentence}\n")
    if not done.undone and not done.failed:
        sys.stdout.write("There is nothing to undo.\n")
    return 1 if done.failed else 0
