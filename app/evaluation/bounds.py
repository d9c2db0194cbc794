"""How sure a measured share or rate is: 95 % bounds. Pure.

Shares: Wilson, JASA 22 (1927) 209. Rates: exact for Poisson counts, Garwood, Biometrika 28 (1936) 437.
"""

import math
from collections.abc import Callable

Z95 = 1.959963984540054
_TAIL = 0.025


def wilson(hits: int, trials: int) -> tuple[float, float] | None:
    """Return the bounds of a share; ``None`` where nothing was tried."""
    if trials == 0:
        return None
    share, spread = hits / trials, Z95**2 / trials
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def poisson(count: int, exposure: float) -> tuple[float, float] | None:
    """Return the bounds of events per unit, of which ``count`` were seen in ``exposure`` units; ``None`` for none."""
    if exposure <= 0:
        return None
    low = 0.0 if count == 0 else _root(lambda mean: 1 - _at_most(count - 1, mean) - _TAIL, count)
    high = _root(lambda mean: _TAIL - _at_most(count, mean), count)
    return low / exposure, high / exposure


def _at_most(count: int, mean: float) -> float:
    """Return the probability of at most ``count`` events where ``mean`` are expected."""
    if mean == 0:
        return 1.0
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))


def _root(rising: Callable[[float], float], count: int) -> float:
    """Return where ``rising`` crosses zero, to 1e-9."""
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
