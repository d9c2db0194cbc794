"""The server's time. Anything that decides by time takes a ``Now``, so that tests can hold it still."""

import time
from collections.abc import Callable
from typing import TypeAlias

Now: TypeAlias = Callable[[], int]
"""Returns milliseconds since 1970-01-01 UTC."""


def utc_ms() -> int:
    """Return the wall clock in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000
