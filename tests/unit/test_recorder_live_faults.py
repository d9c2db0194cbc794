"""Live view's way up where it fails: who is asked again and when, what ends it, and that no recording notices."""

import threading

import pytest

from app.contract.errors import FairlockError, IntegrityError, Outcome, Retryable, UserFacing
from app.recorder.live_feed import LONGEST_WAIT_S, SELDOM_S
from tests.unit.live_bench import BUSY, DEADLINE_S, Bench, a_bench

REFUSED = UserFacing("no", advice="", code="E-SESSION-ENDED")

bench = pytest.fixture(a_bench)


def test_a_refusal_ends_it_and_is_told_once(bench: Bench) -> None:
    bench.begin()
    bench.server.faults = [REFUSED]
    bench.feed.start()
    bench.feed._thread.join(DEADLINE_S)
    bench.try_next()
    assert bench.told == [REFUSED]
    assert bench.server.tries == 1


@pytest.mark.parametrize("error", [REFUSED, IntegrityError(Outcome.DIGEST_MISMATCH, "another")])
def test_each_refusal_is_for_good(bench: Bench, error: FairlockError) -> None:
    bench.server.faults = [error]
    bench.try_next()
    bench.clock.advance(1_000)
    bench.try_next()
    assert bench.server.tries == 1


@pytest.mark.parametrize(
    "error", [BUSY, UserFacing("x", advice="", code="E-CERTIFICATE"), UserFacing("x", advice="", code="E-PIN")]
)
def test_waits_grow_up_to_their_longest(bench: Bench, error: FairlockError) -> None:
    for tries, wait_s in enumerate((1, 2, 4, 8, LONGEST_WAIT_S, LONGEST_WAIT_S), start=1):
        bench.server.faults = [error]
        bench.try_next()
        bench.clock.advance(wait_s - 0.1)
        bench.try_next()
        assert bench.server.tries == tries
        bench.clock.advance(0.1)
    bench.try_next()
    assert bench.files()
    assert not bench.told


def test_it_waits_as_long_as_the_server_asks(bench: Bench) -> None:
    bench.server.faults = [Retryable("busy", after_s=30)]
    bench.try_next()
    bench.clock.advance(35.9)  # and up to a fifth longer, by lot: not all come at once
    bench.try_next()
    assert bench.server.tries == 1
    bench.clock.advance(0.2)
    bench.try_next()
    assert bench.server.tries == 2


def test_a_server_that_asks_for_less_than_the_wait_is_not_asked_sooner(bench: Bench) -> None:
    for tries, wait_s in enumerate((1.2, 2, 4), start=1):
        bench.server.faults = [Retryable("busy", after_s=1)]
        bench.try_next()
        bench.clock.advance(wait_s - 0.1)
        bench.try_next()
        assert bench.server.tries == tries
        bench.clock.advance(0.2)


def test_who_answers_again_is_waited_for_as_at_first(bench: Bench) -> None:
    for faults, wait_s in (([BUSY], 1), ([BUSY], 2), ([], 0), ([BUSY], 1)):
        bench.server.faults = list(faults)
        bench.try_next()
        bench.clock.advance(wait_s)
    bench.try_next()
    assert bench.server.tries == 5


def test_not_all_applications_ask_at_once() -> None:
    bench = Bench(lot=0.25)
    assert bench.feed.rest_s() == pytest.approx(0.75)
    bench.server.faults = [BUSY]
    bench.try_next()
    for wait_s, tries in ((0.6, 1), (0.05, 2)):
        bench.clock.advance(wait_s)
        bench.try_next()
        assert bench.server.tries == tries


def test_who_knows_no_live_view_is_asked_seldom_and_with_empty_hands(bench: Bench) -> None:
    bench.server.faults = [UserFacing("status 404", advice="", code="E-ANSWER") for _ in range(10)]
    for tries in range(1, 11):
        bench.try_next()
        bench.clock.advance(min(SELDOM_S, 2.0 ** (tries - 1)) - 0.1)
        bench.try_next()
        assert bench.server.tries == tries
        bench.clock.advance(0.1)
    assert bench.waits == ["E-ANSWER"]
    place = bench.begin()
    bench.feed.send()
    assert [len(push) for push in bench.server.pushes] == [0, 2]
    assert bench.files() == {place: 100}
    assert not bench.told


def test_stopping_sends_nothing_more_and_waits_for_no_push(bench: Bench) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        assert may_answer.wait(DEADLINE_S)

    bench.server.during, bench.server.faults = hang, [REFUSED]
    bench.begin()
    bench.feed.start()
    assert asked.wait(DEADLINE_S)
    bench.feed.stop()  # returns, though the push has no answer
    bench.begin()
    may_answer.set()
    bench.feed._thread.join(DEADLINE_S)
    assert bench.server.tries == 1
    assert not bench.told


def test_its_own_faults_never_reach_the_recording(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(bench.feed._pieces, "take", broken)
    bench.begin()
    bench.write()
    bench.feed.start()
    bench.feed._thread.join(DEADLINE_S)
    (error,) = bench.told
    assert "a fault of ours" in str(error)


def test_a_fault_while_sending_is_told_as_well(bench: Bench) -> None:
    def broken() -> None:
        raise RuntimeError("a fault of ours")

    bench.server.during = broken
    bench.begin()
    bench.feed.start()
    bench.feed._thread.join(DEADLINE_S)
    assert "a fault of ours" in str(bench.told[0])
