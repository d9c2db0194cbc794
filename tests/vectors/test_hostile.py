"""Of the kept hostile bytes Python says what is written beside them, like the console (``hostile.test.ts``)."""

import json

import pytest

from tests.vectors.hostile import KEPT, cases, difference, given, restored
from tests.vectors.readings import reading

CASES = [json.loads(line) for line in KEPT.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("reader", sorted({case["reader"] for case in CASES}))
def test_hostile_bytes_are_an_error_of_their_own_or_an_answer(reader: str) -> None:
    for number, case in enumerate(CASES, 1):
        if case["reader"] == reader:
            assert reading(given(case)) == case["says"], f"line {number}"


def test_the_same_seed_makes_the_same_cases() -> None:
    assert list(cases(3, 20)) == list(cases(3, 20))


@pytest.mark.parametrize("data", [b"", b"[]", b"\0" * 10_000, b'{"version":1}'])
def test_a_difference_gives_the_bytes_again(data: bytes) -> None:
    name = "exports/ok/manifest.json"
    assert restored(name, difference(name, data)) == data
    assert restored("none", difference("none", data)) == data
