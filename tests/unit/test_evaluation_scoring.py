"""Scores by hand-computed cases: what counts as found, as missed, as false, and how sure that is."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.evaluation.bounds import poisson, wilson
from app.evaluation.groups import Group, by_group
from app.evaluation.replay import Replay
from app.evaluation.scoring import Score, score
from app.evaluation.session import Raised
from app.evaluation.spans import common, length_s, outside_s
from app.evaluation.truth import THINGS, Event, Medium, Recording, Truth


def _raised(thing: str, start: float, end: float, opened: float | None = None) -> Raised:
    opened_s = end if opened is None else opened
    return Raised(thing=thing, opened_s=opened_s, start_s=start, end_s=end, source="objects", facts={})


def _replay(truth: Truth, *raised: Raised, seconds: float = 3600, medium: Medium = Medium.VIDEO) -> Replay:
    recording = Recording(path=Path("a.mp4"), name="a.mp4", medium=medium, truth=truth)
    return Replay(recording=recording, seconds=seconds, raised=raised)


def _score(*replays: Replay, thing: str = "phone", least: float = 2.0) -> Score:
    return score(replays, least=lambda _: least, setting=lambda _: 1.5, looked_for=THINGS)[thing]


def _truth(*events: tuple[str, float, float], complete: str = "phone", tolerance_s: float = 1.0) -> Truth:
    return Truth(
        events=tuple(Event(thing=thing, start_s=start, end_s=end) for thing, start, end in events),
        complete=frozenset(complete.split()),
        tolerance_s=tolerance_s,
    )


# (hits, trials) -> bounds as Wilson's formula gives them, computed by hand for 0/10 and from R's prop.test for others
@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"), [(0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433), (10, 10, 0.7225, 1.0)]
)
def test_bounds_of_a_share(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-4)


# Garwood's table: 0 -> (0, 3.689), 1 -> (0.0253, 5.572), 10 -> (4.795, 18.390)
@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.390)])
def test_bounds_of_a_rate(count: int, low: float, high: float) -> None:
    assert poisson(count, 1.0) == pytest.approx((low, high), abs=1e-3)
    assert poisson(count, 2.0) == pytest.approx((low / 2, high / 2), abs=1e-3)


def test_what_was_not_tried_has_no_bounds() -> None:
    assert wilson(0, 0) is None
    assert poisson(0, 0.0) is None


def test_an_event_is_found_by_its_own_thing_only() -> None:
    truth = _truth(("phone", 10, 20), ("phone", 50, 60))
    one = _score(_replay(truth, _raised("phone", 12, 18, opened=14), _raised("object_in_hand", 52, 58)))
    assert (len(one.events), one.found, one.noticed) == (2, 1, 2)
    assert one.delays == [pytest.approx(14 - 10 - 1.5)]
    assert one.false == []


def test_what_lies_a_tolerance_beside_the_truth_still_counts() -> None:
    truth = _truth(("phone", 10, 20))
    assert _score(_replay(truth, _raised("phone", 20.9, 23))).found == 1
    for start, end in ((21.1, 23), (5, 8.9)):
        beside = _score(_replay(truth, _raised("phone", start, end)))
        assert (beside.found, len(beside.false)) == (0, 1)
    assert _score(_replay(truth, _raised("phone", 5, 9.1))).found == 1


def test_one_long_incident_may_find_several_events_and_its_excess_is_counted() -> None:
    one = _score(_replay(_truth(("phone", 10, 20), ("phone", 30, 40)), _raised("phone", 8, 45)))
    assert (one.found, len(one.false)) == (2, 0)
    assert one.outside_s == pytest.approx(2 + 10 + 5)


def test_a_brief_event_is_neither_missed_nor_false() -> None:
    one = _score(_replay(_truth(("phone", 10, 11)), _raised("phone", 10, 11)))
    assert (one.brief, len(one.events), len(one.false)) == (1, 0, 0)


def test_a_phone_called_an_object_in_hand_is_not_false_but_a_wallet_called_a_phone_is() -> None:
    right = _replay(_truth(("phone", 0, 9), complete="phone object_in_hand"), _raised("object_in_hand", 1, 5))
    assert _score(right, thing="object_in_hand").false == []
    wrong = _replay(_truth(("object_in_hand", 0, 9), complete="phone object_in_hand"), _raised("phone", 1, 5))
    assert len(_score(wrong).false) == 1


def test_nothing_is_false_where_the_truth_does_not_speak_of_it() -> None:
    replay = _replay(_truth(("phone", 5, 9), complete="absent"), _raised("phone", 20, 30))
    one = _score(replay)
    assert (one.false, one.seconds, len(one.events)) == ([], 0.0, 1)


def test_honest_hours_are_those_of_recordings_without_any_event() -> None:
    honest = _replay(_truth(complete="phone absent"), _raised("phone", 20, 30))
    other = _replay(_truth(("absent", 5, 9), complete="phone absent"), _raised("phone", 20, 30), seconds=1800)
    one = _score(honest, other)
    assert (len(one.false), one.honest_false, one.seconds, one.honest_s) == (2, 1, 5400, 3600)


def test_only_annotated_stretches_are_judged() -> None:
    truth = Truth(complete=frozenset({"speech"}), regions=((0.0, 30.0),))
    replay = _replay(truth, _raised("speech", 40, 45), _raised("speech", 10, 15), seconds=60, medium=Medium.SOUND)
    one = _score(replay, thing="speech")
    assert (len(one.false), one.seconds) == (1, 30.0)


def test_a_sound_says_nothing_about_what_is_seen() -> None:
    truth = _truth(complete="phone speech")
    scores = score([_replay(truth, medium=Medium.SOUND)], least=lambda _: 1, setting=lambda _: 1, looked_for=THINGS)
    assert set(scores) == {"speech"}


def test_a_still_picture_is_never_too_short() -> None:
    one = _score(_replay(_truth(("phone", 0, 99)), seconds=1.0, medium=Medium.PICTURE))
    assert (len(one.events), one.brief) == (1, 0)


def test_groups_count_apart() -> None:
    light = [
        Event(thing="phone", start_s=at, end_s=at + 5, groups={"light": how}) for at, how in ((0, "dark"), (20, "day"))
    ]
    truth = Truth(events=tuple(light), complete=frozenset({"phone"}), groups={"glasses": "yes"})
    other = Truth(complete=frozenset({"phone"}), groups={"glasses": "no"})
    one = _score(_replay(truth, _raised("phone", 21, 24)), _replay(other, _raised("phone", 5, 9), seconds=60))
    assert list(by_group(one)) == [
        Group(column="glasses", value="no", events=0, found=0, false=1, seconds=60.0),
        Group(column="glasses", value="yes", events=2, found=1, false=0, seconds=3590.0),
        Group(column="light", value="dark", events=1, found=0, false=0, seconds=0.0),
        Group(column="light", value="day", events=1, found=1, false=0, seconds=0.0),
    ]


def test_a_rate_is_per_time_in_which_something_could_be_false() -> None:
    """Of an hour the phone is there for half, so two false incidents are four an hour; each counts once."""
    truth = _truth(("phone", 0, 900), ("phone", 1800, 2700))
    one = _score(_replay(truth, _raised("phone", 1000, 1010), _raised("phone", 3000, 3010)))
    assert (len(one.false), one.seconds) == (2, 1800.0)


def test_time_in_which_another_thing_makes_an_incident_right_counts_towards_no_rate() -> None:
    truth = _truth(("phone", 0, 600), ("book", 300, 900), complete="phone book object_in_hand")
    one = _score(_replay(truth, _raised("object_in_hand", 0, 960)), thing="object_in_hand")
    assert (one.seconds, one.outside_s) == (2700.0, 60.0)
    assert _score(_replay(truth)).seconds == 3000.0


def test_an_incident_that_never_closes_shows_as_time_beyond_the_truth() -> None:
    one = _score(_replay(_truth(("phone", 10, 20)), _raised("phone", 10, 3600)))
    assert (one.found, len(one.false)) == (1, 0)
    assert one.outside_s == pytest.approx(3580)
    assert one.seconds == pytest.approx(3590)


def test_what_lasts_beyond_the_annotated_stretch_is_not_judged_there() -> None:
    truth = Truth(complete=frozenset({"phone"}), regions=((0.0, 30.0),))
    assert _score(_replay(truth, _raised("phone", 25, 300))).outside_s == 5.0


@pytest.mark.parametrize("heard_s", [0.0, 600.0])
def test_a_video_is_heard_only_as_long_as_it_sounds(heard_s: float) -> None:
    replay = replace(_replay(_truth(complete="phone speech loud_noise")), heard_s=heard_s)
    scores = score([replay], least=lambda _: 1, setting=lambda _: 1, looked_for=THINGS)
    assert scores["phone"].seconds == 3600
    assert {thing: one.seconds for thing, one in scores.items() if thing != "phone"} == (
        {"speech": 600.0, "loud_noise": 600.0} if heard_s else {}
    )


def test_stretches_add_up() -> None:
    assert length_s([(5, 7), (0, 2), (1, 3), (9, 9), (8, 4)]) == 5
    assert common([(0, 10)], [(5, 20), (8, 30)]) == [(5, 10)]
    assert outside_s([(0, 10), (5, 12)], [(2, 3), (11, 20)]) == 10
