"""Where the kernel's and the system's files are, so that a test can put others in their place; and reading them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """The folders that are looked into. They are only ever read."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    run: Path = Path("/run")
    etc: Path = Path("/etc")


def text(path: Path) -> str:
    """Return what is in the small file ``path``, without white space around it; empty if it can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def naming(path: Path) -> str:
    """Return what is in ``path``, which names files, by the names that all else here has for them: maybe no UTF-8."""
    try:
        return os.fsdecode(path.read_bytes())
    except OSError:
        return ""


def entries(folder: Path) -> Sequence[Path]:
    """Return what is in ``folder``, sorted by name; nothing if it can't be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return ()


def real(path: Path) -> str:
    """Return where the link ``path`` leads, as a path; empty if nowhere."""
    try:
        return str(path.resolve(strict=True))
    except (OSError, RuntimeError):
        return ""
