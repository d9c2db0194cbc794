"""Does a transaction again that another one overtook. Belongs to the request's own thread."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from server.db.database import Overtaken

P = ParamSpec("P")
T = TypeVar("T")

TIMES = 4


def retried(function: Callable[P, T]) -> Callable[P, T]:
    """Call ``function`` again when it raises ``Overtaken``, ``TIMES`` times at most; the last one is the caller's.

    Fit for what leaves nothing behind but its transaction.
    """

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> T:
        for _ in range(TIMES - 1):
            try:
                return function(*arguments, **named)
            except Overtaken:
                continue
        return function(*arguments, **named)

    return call
