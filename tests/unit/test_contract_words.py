"""Whatever is told, an error's sentence can be shown, sealed and sent."""

import os

import pytest

from app import messages as m
from app.channel import decode, encode
from app.contract.errors import FairlockError, IntegrityError, Outcome, Retryable, UserFacing
from app.contract.words import LONGEST, words

MISNAMED = os.fsdecode(b"/home/m\xfcller")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("größer ✓ 🙂", "größer ✓ 🙂"),
        ("one line\n\tand another", "one line\n\tand another"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
        ("a\x00b\rc\x1b[31md\x85e\x7f", "a\ufffdb\ufffdc\ufffd[31md\ufffde\ufffd"),
        (MISNAMED, "/home/m\ufffdller"),
    ],
)
def test_what_is_no_text_is_replaced(said: str, kept: str) -> None:
    assert words(said) == kept


def test_what_is_too_long_is_cut() -> None:
    assert words("x" * 10, 10) == "x" * 10
    assert words("x" * 11, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    "error",
    [
        FairlockError("\ud800"),
        UserFacing("The server refused: \ud800.", advice="Ask \udfff."),
        Retryable(f"The server can't be reached: {OSError(2, 'No such file', MISNAMED)}"),
        Retryable("proxy: " + "x" * 2**20),
        IntegrityError(Outcome.BAD_FORMAT, "JoinAnswer: unknown \udcff"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_error_can_be_told_to_another_process(error: FairlockError) -> None:
    assert len(str(error)) <= LONGEST
    for message in (m.Refused.of(error), m.Flushed(complete=False, message=str(error))):
        assert decode(encode(message)) == message
