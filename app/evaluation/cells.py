"""Numbers as cells of a table. Pure."""

Rows = list[tuple[str, ...]]
"""A row of names, then rows of cells."""


def share(hits: int, trials: int) -> str:
    """Return a share with two digits, or nothing where nothing was tried."""
    return f"{hits / trials:.2f}" if trials else ""


def bounds(pair: tuple[float, float] | None) -> str:
    """Return bounds with two digits, one from a hundred on."""
    if pair is None:
        return ""
    digits = 2 if pair[1] < 100 else 0
    return f"{pair[0]:.{digits}f}–{pair[1]:.{digits}f}"
