"""The session's timeline."""

from app.contract.times import Instant
from app.recorder.timeline import Timeline

HOUR_NS = 3_600 * 10**9


def test_counts_from_the_origin_by_the_monotonic_clock() -> None:
    origin = Instant(mono_ns=5 * HOUR_NS, utc_ms=1_000_000_000)
    timeline = Timeline(origin, Instant(mono_ns=5 * HOUR_NS + 2_000_000_000, utc_ms=1_000_002_000))
    assert timeline.at_ms(Instant(mono_ns=5 * HOUR_NS + 7_500_000_000, utc_ms=0)) == 7_500


def test_a_changed_wall_clock_does_not_move_it() -> None:
    origin = Instant(mono_ns=HOUR_NS, utc_ms=1_000_000_000)
    timeline = Timeline(origin, origin)
    later = Instant(mono_ns=HOUR_NS + 1_000_000_000, utc_ms=1_000_000_000 + 86_400_000)
    assert timeline.at_ms(later) == 1_000


def test_after_a_reboot_the_wall_clock_decides() -> None:
    origin = Instant(mono_ns=50 * HOUR_NS, utc_ms=1_000_000_000)
    now = Instant(mono_ns=60 * 10**9, utc_ms=1_000_000_000 + 300_000)
    timeline = Timeline(origin, now)
    assert timeline.at_ms(now) == 300_000


def test_never_below_zero() -> None:
    origin = Instant(mono_ns=HOUR_NS, utc_ms=1_000_000_000)
    timeline = Timeline(origin, origin)
    assert timeline.at_ms(Instant(mono_ns=0, utc_ms=0)) == 0
