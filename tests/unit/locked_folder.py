"""A folder that this process may not search, for tests; also where they run as root, whom no folder keeps out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Take every right to ``folder`` away; root becomes nobody for as long. POSIX only."""
    before, is_root = folder.stat().st_mode, os.geteuid() == 0
    folder.chmod(0)
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(before & 0o7777)
