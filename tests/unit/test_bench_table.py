"""A benchmark's goal is judged by its ratio, or by its value where it has no peer, and a missed one is said."""

import pytest

from tests.bench.table import Row, format_table, missed


def _row(goal: str, value: float = 0.0, ratio: float | None = None) -> Row:
    return Row(name="x", value=value, unit="", peer=None, ratio=ratio, goal=goal)


@pytest.mark.parametrize(
    "row", [_row(""), _row("≥ 0.7", ratio=0.7), _row("≤ 1.3", value=9, ratio=1.2), _row("= 0"), _row("≤ 10", value=10)]
)
def test_a_goal_is_reached(row: Row) -> None:
    assert not missed(row)
    assert "MISSED" not in format_table([row])


@pytest.mark.parametrize("row", [_row("≥ 2", value=9, ratio=1.99), _row("≤ 1", value=1.01), _row("= 0", value=1)])
def test_a_missed_goal_is_said(row: Row) -> None:
    assert missed(row)
    assert "MISSED" in format_table([row])


def test_a_goal_in_other_words_is_refused() -> None:
    with pytest.raises(ValueError, match="is no goal"):
        missed(_row("fast"))
