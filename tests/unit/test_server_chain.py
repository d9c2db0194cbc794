"""The server's view of the chain."""

from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from server.exams.chain import Walk, in_order, walk

GENESIS = b"genesis"


def _chain(length: int) -> dict[bytes, bytes]:
    digests = [GENESIS, *(sha256(str(number).encode()).digest() for number in range(length))]
    return dict(zip(digests[1:], digests, strict=False))


@given(st.integers(0, 30), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(length: int, random: Random) -> None:
    whole = _chain(length)
    arrived = list(whole.items())
    random.shuffle(arrived)
    head = list(whole)[-1] if whole else GENESIS
    assert in_order(dict(arrived), genesis=GENESIS) == list(whole)
    assert walk(dict(arrived), head=head, genesis=GENESIS) == Walk(found=length, whole=True)


@given(st.integers(2, 30), st.data())
def test_gap_keeps_both_sides_in_order(length: int, data: st.DataObject) -> None:
    whole = _chain(length)
    order = list(whole)
    lost = data.draw(st.integers(0, length - 1))
    rest = {digest: before for digest, before in whole.items() if digest != order[lost]}
    assert in_order(rest, genesis=GENESIS) == order[:lost] + order[lost + 1 :]
    walked = walk(rest, head=order[-1], genesis=GENESIS)
    assert walked == Walk(found=length - 1 - lost, whole=False)


def test_circle_ends() -> None:
    circle = {b"a": b"b", b"b": b"a"}
    assert not walk(circle, head=b"a", genesis=GENESIS).whole
    assert sorted(in_order(circle, genesis=GENESIS)) == [b"a", b"b"]
