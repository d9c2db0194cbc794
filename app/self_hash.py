"""What the program says of its own files, for the journal and for ``fairlock --version``. Any thread; reads only.

The hash tells builds apart: that of a release can be computed by anybody and compared. It proves nothing, because a
changed program can say any hash it likes (docs/threat-model.md, "A malicious candidate").
"""

import sys
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path

PACKAGES = ("app", "capture", "detectors", "lockdown", "resources")


@cache
def self_hash() -> str:
    """Return 64 hexadecimal digits: SHA-256 of the frozen program, or ``hash_of_sources``; raises ``OSError``.

    Takes some hundredths of a second the first time, and then none.
    """
    if getattr(sys, "frozen", False):
        return _hash_of(Path(sys.executable))
    return hash_of_sources(Path(__file__).parent.parent)


def hash_of_sources(root: Path) -> str:
    """Return the SHA-256 of what ``sha256sum`` prints for the Python files of ``PACKAGES``, run in ``root``, in order.

    The order is that of the files' names as bytes, so that this shell line gives the same everywhere::

        find app capture detectors lockdown resources -name '*.py' | LC_ALL=C sort | xargs sha256sum | sha256sum
    """
    paths = [path.relative_to(root).as_posix() for name in PACKAGES for path in (root / name).rglob("*.py")]
    lines = (f"{_hash_of(root / path)}  {path}\n" for path in sorted(paths, key=str.encode))
    return sha256("".join(lines).encode()).hexdigest()


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
