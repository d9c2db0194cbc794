"""Scores of evidence, whatever the signs; and EDIDs, whatever the bytes."""

from hypothesis import given
from hypothesis import strategies as st

from app.contract.policy import Lockdown, Treatment
from lockdown.environment import edid
from lockdown.environment.evidence import CERTAIN, Evidence, Signal, Subject, combine, treatment
from tests.edids import make_edid

WEIGHTS = st.lists(st.integers(0, CERTAIN), max_size=12)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@given(WEIGHTS, st.integers(0, CERTAIN))
def test_one_more_sign_never_lowers_the_score(weights: list[int], another: int) -> None:
    before, after = combine(weights), combine([*weights, another])
    assert max([0, *weights]) <= before <= after <= CERTAIN
    assert after >= another


@given(WEIGHTS)
def test_only_a_certain_sign_makes_it_certain(weights: list[int]) -> None:
    assert (combine(weights) == CERTAIN) == (CERTAIN in weights)
    assert combine(weights) == combine(reversed(weights))


@given(WEIGHTS, st.integers(100, CERTAIN), st.sampled_from(Treatment), st.booleans())
def test_the_policy_is_followed_from_its_score_on(
    weights: list[int], least: int, follows: Treatment, ordinary: bool
) -> None:
    signals = tuple(Signal(says=f"sign {number}", weight=weight) for number, weight in enumerate(weights))
    evidence = Evidence(subject=Subject.DEBUGGER, signals=signals, ordinary=ordinary)
    policy = Lockdown(evidence_permille=least, debugger=follows)
    counts = bool(signals) and combine(weights) >= least and not ordinary
    assert treatment(evidence, policy) is (follows if counts else Treatment.IGNORE)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader_of_edids(data: bytes) -> None:
    assert edid.parse(data) is None


@given(
    st.text(LETTERS, min_size=3, max_size=3),
    st.integers(0, 0xFFFF),
    st.text("aZ9 -", max_size=13),
    st.binary(max_size=256),
)
def test_an_edid_says_what_was_written(maker: str, product: int, name: str, more: bytes) -> None:
    said = edid.parse(make_edid(maker, product, name) + more)
    assert said == edid.Edid(maker=maker, product=product, name=" ".join(name.split()))


@given(st.integers(0, 127), st.integers(1, 255))
def test_an_edid_with_one_wrong_byte_is_none(place: int, by: int) -> None:
    data = bytearray(make_edid("DEL", 0x41D9, "DELL U2720Q"))
    data[place] ^= by
    assert edid.parse(bytes(data)) is None


@given(st.lists(st.integers(0, 255), min_size=120, max_size=120))
def test_whatever_stands_in_a_valid_edid_its_words_can_be_shown(middle: list[int]) -> None:
    body = bytes((0, 255, 255, 255, 255, 255, 255, 0)) + bytes(middle[:-1])
    said = edid.parse(body + bytes([-sum(body) % 256]))
    assert said is None or (said.title.isprintable() and len(said.title) <= 3 + 1 + 13)
