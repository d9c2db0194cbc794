"""Broken and hostile bytes for every reader of the format, and what the Python side says of them.

``python -m tests.vectors.hostile --seed 7 --count 5000 --out FILE`` writes cases anew; ``hostile.jsonl`` are those that
are kept. The console's ``hostile.test.ts`` must say the same of the very same bytes: two verifiers that differ are a
way to show one examiner what another one is told is false. A case is one line of JSON: the reader, the files that it
is given (as differences from the vectors' own), the public key that signs such statements, and what came of it.
"""

import argparse
import base64
import json
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.vectors import forge
from tests.vectors.harming import SIGNERS, Harmed, harmed
from tests.vectors.readings import reading

FOLDER = Path(__file__).parent
KEPT = FOLDER / "hostile.jsonl"

Case = dict[str, Any]


def cases(seed: int, count: int) -> Iterator[Case]:
    """Yield ``count`` cases, the same for the same ``seed``."""
    rng = random.Random(seed)  # noqa: S311  (must be the same each time)
    for _ in range(count):
        made = harmed(rng)
        files = {name: difference(name, data) for name, data in made.files.items()}
        key = forge.b64(forge.public(SIGNERS[made.signer]))
        yield {"reader": made.reader, "folder": made.folder, "files": files, "key": key, "says": reading(made)}


def given(case: Case) -> Harmed:
    """Return what a written case gives to its reader."""
    files = {name: restored(name, delta) for name, delta in case["files"].items()}
    return Harmed(reader=case["reader"], folder=case["folder"], files=files)


def difference(name: str, data: bytes) -> list[Any]:
    """Return ``data`` as [bytes of the file ``name`` at its start, at its end, what stands between (zlib, base64)]."""
    base = _base(name)
    most = min(len(base), len(data))
    head = next((at for at in range(most) if base[at] != data[at]), most)
    tail = next((at for at in range(most - head) if base[-1 - at] != data[-1 - at]), most - head)
    between = zlib.compress(data[head : len(data) - tail], 9)
    return [head, tail, base64.b64encode(between).decode()]


def restored(name: str, delta: list[Any]) -> bytes:
    """Return the bytes of a ``difference``."""
    base, (head, tail, between) = _base(name), delta
    return base[:head] + zlib.decompress(base64.b64decode(between)) + base[len(base) - tail :]


def _base(name: str) -> bytes:
    path = FOLDER / name
    return path.read_bytes() if path.is_file() else b""


def main() -> None:
    """Write cases, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--out", type=Path, default=KEPT)
    arguments = parser.parse_args()
    with arguments.out.open("w", encoding="utf-8") as file:
        for case in cases(arguments.seed, arguments.count):
            file.write(json.dumps(case, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
