"""Fetch the official weights, where nobody named any: ``python packaging/models/fetch_weights.py build/yolo11n.pt``.

Writes beside the target and gives it its name only when the sha256 is right, so that a fetch that was cut off is never
found there by the next run. Needs the standard library alone; ``environment.sh`` runs it.
"""

import http.client
import shutil
import sys
import urllib.request
from hashlib import file_digest
from pathlib import Path

from training.refusals import REFUSED, BadData, said
from training.weights import ASSETS, OFFICIAL

WAIT_S = 30
MODEL = "yolo11n.pt"


def main() -> int:
    """Run the command; the exit code is 1 where the file can not be had."""
    ((digest, place),) = ((digest, place) for digest, place in OFFICIAL.items() if place.endswith(MODEL))
    try:
        fetch(ASSETS + place, Path(sys.argv[1]), digest)
    except REFUSED as error:
        sys.stderr.write(f"{said(error)}\n")
        return 1
    return 0


def fetch(address: str, target: Path, digest: str) -> None:
    """Have the file with this sha256 at ``target``, from ``address`` unless it is there. Raises ``BadData``.

    Another file of that name may be somebody's own: it is put aside as ``.other``.
    """
    if target.is_file() and _digest(target) == digest:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    try:
        _read(address, partial)
        if _digest(partial) != digest:
            raise BadData(
                f"What came from {address} is not the official file: it was cut off, or changed on the way. Try "
                "again, or name a file: WEIGHTS=yolo11n.pt"
            )
        if target.is_file():
            aside = target.with_name(f"{target.name}.other")
            target.replace(aside)
            sys.stderr.write(f"{target} was not the official file. It is kept as {aside}.\n")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _read(address: str, partial: Path) -> None:
    try:
        with urllib.request.urlopen(address, timeout=WAIT_S) as answer, partial.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
    except (OSError, http.client.HTTPException) as error:
        raise BadData(f"The official weights can not be fetched ({error}). Name a file: WEIGHTS=yolo11n.pt") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
