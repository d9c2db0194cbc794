"""One process at a time owns a session's folder: two would overwrite each other's records.

The system drops the lock when its process dies, however it dies.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from app.contract.errors import UserFacing
from app.contract.times import Clock
from app.exclusive import lock

PATIENCE_S = 20.0
POLL_S = 0.5


@contextlib.contextmanager
def owned(folder: Path, clock: Clock, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Own ``folder`` (made if need be) inside the block.

    Waits for ``patience_s`` seconds: a recorder whose shell died is still sending. Then raises ``UserFacing``.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a+b") as handle:
        deadline = clock.now().mono_ns + round(patience_s * 1e9)
        while True:
            try:
                lock(handle.fileno())
                break
            except OSError as error:
                if clock.now().mono_ns >= deadline:
                    raise UserFacing(
                        "Another program is still working on this session.",
                        advice="Wait half a minute and open the link again.",
                        code="E-SECOND-PROGRAM",
                    ) from error
            clock.sleep(POLL_S)
        yield
