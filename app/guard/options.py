"""What the shell hands to the guard when it starts it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardOptions:
    """``restore_file`` is the write-ahead file; ``own_root`` the shell's process id, 0 for the starting process."""

    restore_file: Path
    own_root: int = 0
