"""How long something was lost, told once for a quick succession; and which bytes are events that a program sent."""

import pytest

from app.clock import ManualClock
from app.shell.losses import LASTING_S, QUIET_S, Loss, Losses
from app.shell.sent_events import sent_input


def test_a_short_loss_is_told_when_all_is_quiet_again_with_who_it_was() -> None:
    clock, said = ManualClock(), list[Loss]()
    losses = Losses(clock, said.append)
    began = clock.now()
    losses.begin()
    assert losses.blame({"name": "xterm", "duration_ms": "9999"})
    clock.advance(0.3)
    losses.end()
    losses.tick()
    assert said == []
    clock.advance(QUIET_S)
    losses.tick()
    assert [(loss.since, loss.facts()) for loss in said] == [(began, {"name": "xterm", "duration_ms": "300"})]
    losses.tick()
    losses.close()
    assert len(said) == 1
    assert not losses.blame({"name": "later"})


def test_a_program_that_snatches_ten_times_a_second_is_one_loss_with_its_count() -> None:
    clock, said = ManualClock(), list[Loss]()
    losses = Losses(clock, said.append)
    for _ in range(50):
        losses.begin()
        clock.advance(0.1)
        losses.end()
        clock.advance(0.1)
        losses.tick()
    losses.close()
    assert [loss.facts() for loss in said] == [{"duration_ms": "5000", "times": "50"}]


def test_a_long_loss_is_told_before_its_end_and_at_its_end() -> None:
    clock, facts = ManualClock(), list[dict[str, str]]()
    losses = Losses(clock, lambda loss: facts.append(loss.facts()))
    losses.begin()
    for _ in range(5):
        clock.advance(LASTING_S)
        losses.begin()
        losses.tick()
    losses.close()
    assert facts == [{}, {"duration_ms": "5000"}]


@pytest.mark.parametrize(
    ("first_byte", "what"),
    [(0x82, "keys"), (0x83, "keys"), (0x84, "clicks"), (0x86, "movements"), (0x02, None), (0x23, None), (0xA1, None)],
)
def test_only_input_that_a_program_sent_is_dropped(first_byte: int, what: str | None) -> None:
    assert sent_input(first_byte) == what
