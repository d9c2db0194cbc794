"""Folders so deep that the system takes no path to them in one piece (PATH_MAX), and programs in them. Linux only."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.programs_on_disk import SLEEP
from tests.xserver import end

NAME = "d" * 200
DEPTH = 22


@contextmanager
def deep_folder(root: Path) -> Iterator[tuple[int, str]]:
    """Yield a descriptor of the deepest of the folders made below ``root``, and its path; both end with the block."""
    path, here = str(root), os.open(root, os.O_RDONLY)
    try:
        for _ in range(DEPTH):
            os.mkdir(NAME, dir_fd=here)
            deeper = os.open(NAME, os.O_RDONLY, dir_fd=here)
            os.close(here)
            path, here = f"{path}/{NAME}", deeper
        yield here, path
    finally:
        os.close(here)
        shutil.rmtree(root / NAME)


@contextmanager
def deep_program(root: Path, name: str, *, called: str) -> "Iterator[tuple[subprocess.Popen[bytes], str]]":
    """Yield a program that sleeps in such a folder and its path; it was started by a link that is ``called`` so."""
    with deep_folder(root) as (folder, path):
        with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT, 0o755, dir_fd=folder), "wb") as file:
            file.write(SLEEP.read_bytes())
        os.symlink(name, called, dir_fd=folder)
        process = subprocess.Popen([f"./{called}", "120"], cwd=f"/proc/self/fd/{folder}", pass_fds=(folder,))
        try:
            yield process, f"{path}/{name}"
        finally:
            end(process)
