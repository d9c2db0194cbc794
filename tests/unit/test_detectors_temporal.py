"""From looks to incidents: how long, how often, which gaps; and what holds for any sequence of looks."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract.incidents import Incident, IncidentKind, Severity
from app.contract.policy import Detection
from detectors.base import Box, Observation
from detectors.streak import EDGE_MS, MERGE_MS
from detectors.temporal import Temporal
from detectors.tracks import Tracks
from tests.unit.detector_models import followed, instant

POLICY = Detection()
CANDIDATE: Box = (200, 100, 440, 480)
VISITOR: Box = (10, 150, 150, 480)
WINDOW_S = 0.032


def _ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"i{next(numbers)}"


def _seen(label: str, score: float, box: Box | None = CANDIDATE, at: float = 0) -> Observation:
    return Observation(detector="objects", at=instant(at), label=label, score=score, box=box)


class _Exam:
    """Feeds a ``Temporal`` second by second and collects what it says."""

    def __init__(self, policy: Detection = POLICY) -> None:
        self.temporal = Temporal(policy, _ids())
        self.tracks = Tracks()
        self.said: list[Incident] = []

    def objects(self, at: float, *observations: Observation) -> "_Exam":
        self.said += self.temporal.look(instant(at), "objects", followed(self.tracks, observations))
        return self

    def faces(self, at: float, *scores: float) -> "_Exam":
        faces = [_seen("face", score, box) for score, box in zip(scores, (CANDIDATE, VISITOR), strict=False)]
        self.said += self.temporal.look(instant(at), "faces", faces)
        return self

    def voice(self, start: float, seconds: float, score: float = 0.9) -> "_Exam":
        for step in range(round(seconds / WINDOW_S)):
            at = start + step * WINDOW_S
            self.said += self.temporal.look(instant(at), "speech", [_seen("speech", score, None)])
        return self

    def end(self) -> list[tuple[IncidentKind, float, float]]:
        """Return kind, start and end of each incident by its last word."""
        self.said += self.temporal.finish()
        last = {one.id: one for one in self.said}
        return [(one.kind, one.start.mono_ns / 1e9, one.end.mono_ns / 1e9) for one in last.values()]


PERSON = _seen("person", 0.9)
OTHER = _seen("person", 0.6, VISITOR)
PHONE = _seen("phone", 0.5, (300, 300, 340, 380))


def test_a_phone_is_reported_when_it_lasted_and_again_when_it_is_gone() -> None:
    exam = _Exam()
    for second in range(5):
        exam.objects(second, PERSON, PHONE)
    assert [(one.id, one.kind, one.end) for one in exam.said] == [("i1", IncidentKind.PHONE, instant(2))]
    for second in range(5, 12):
        exam.objects(second, PERSON)
    opened, closed = exam.said
    assert (closed.id, closed.start, closed.end) == (opened.id, instant(0), instant(4))
    assert closed.severity is Severity.ALERT
    account = {"threshold": "0.25", "looks": "5", "seen": "5", "least_s": "1.5", "lasted_s": "4.0"}
    assert closed.facts == {**account, "best_score": "0.50"}
    assert closed.best == instant(0)
    assert exam.temporal.finish() == []


PLACES: tuple[Box, ...] = ((20, 300, 60, 380), (300, 300, 340, 380), (580, 20, 620, 100))


@pytest.mark.parametrize("label", ["phone", "book", "laptop", "in_hand", "bottle"])
@pytest.mark.parametrize("places", [(0, 1), (0, 2), (0, 1, 2)])
def test_what_flickers_in_different_places_never_adds_up(label: str, places: tuple[int, ...]) -> None:
    exam = _Exam()
    for look in range(40):
        exam.objects(look / 2, PERSON, _seen(label, 0.6, PLACES[places[look % len(places)]]))
    assert exam.end() == []


def test_only_a_look_at_the_same_thing_counts_with_the_first_that_is_believed() -> None:
    """Two phones one after the other at far places: the second began where it was itself seen first."""
    exam = _Exam()
    for look, place in enumerate([0, 1, 1, 1, 1]):
        exam.objects(look / 2, PERSON, _seen("phone", 0.5, PLACES[place]))
    assert exam.end() == [(IncidentKind.PHONE, 0.5, 2)]


@pytest.mark.parametrize("label", ["phone", "in_hand", "bottle"])
def test_the_look_that_showed_a_thing_first_counts_once_it_persists(label: str) -> None:
    exam = _Exam()
    for look in range(5):
        exam.objects(look / 2, PERSON, _seen(label, 0.6, PLACES[1]))
    assert [one.end for one in exam.said] == [instant(1.5)]
    assert [one[1:] for one in exam.end()] == [(0, 2)]
    assert (exam.said[-1].facts["seen"], exam.said[-1].facts["looks"]) == ("5", "5")


def test_two_looks_are_never_an_incident_even_at_the_slowest_rate() -> None:
    exam = _Exam(Detection(rate_permille=200))
    exam.objects(0, PERSON, PHONE).objects(5, PERSON, PHONE).objects(10, PERSON).objects(15, PERSON)
    assert exam.end() == []


def test_a_small_phone_seen_in_three_of_six_looks_is_reported() -> None:
    exam = _Exam()
    for second, phone in enumerate([True, False, True, False, False, True]):
        exam.objects(second, PERSON, *([PHONE] if phone else []))
    assert exam.end() == [(IncidentKind.PHONE, 0, 5)]
    assert (exam.said[0].facts["seen"], exam.said[0].facts["looks"]) == ("3", "6")


def test_now_and_then_is_not_enough() -> None:
    exam = _Exam()
    for second in range(30):
        exam.objects(second, PERSON, *([PHONE] if second % 3 == 0 else []))
    assert exam.end() == []


def test_a_weaker_score_holds_what_is_open_and_opens_nothing() -> None:
    weak = _seen("phone", 0.16, PHONE.box)  # above 0.6 × 0.25
    exam = _Exam()
    for second in range(10):
        exam.objects(second, PERSON, weak)
    assert exam.end() == []
    exam = _Exam()
    for second in range(10):
        exam.objects(second, PERSON, PHONE if second < 3 else weak)
    assert exam.end() == [(IncidentKind.PHONE, 0, 9)]


def test_a_short_gap_is_one_incident_and_a_long_one_two() -> None:
    exam = _Exam()
    for second in (0, 1, 2, 5, 6, 7, 20, 21, 22):
        exam.objects(second, PERSON, PHONE)
    assert exam.end() == [(IncidentKind.PHONE, 0, 7), (IncidentKind.PHONE, 20, 22)]


def test_what_comes_and_goes_is_one_incident_and_counted() -> None:
    exam = _Exam()
    for second in range(40):
        exam.objects(second, PERSON, *([PHONE] if second % 10 < 4 and second < 30 else []))
    assert exam.end() == [(IncidentKind.PHONE, 0, 23)]
    assert [one.facts.get("times", "1") for one in exam.said] == ["1", "1", "2", "2", "3", "3"]
    assert exam.said[-1].facts["lasted_s"] == "9.0"
    assert (exam.said[-1].facts["seen"], exam.said[-1].facts["looks"]) == ("12", "12")


def test_a_clearly_better_look_is_told_with_its_moment() -> None:
    exam = _Exam()
    for second, score in enumerate([0.3, 0.4, 0.35, 0.45, 0.9, 0.95, 0.5]):
        exam.objects(second, PERSON, _seen("phone", score))
    exam.end()
    told = [(one.facts["best_score"], one.best) for one in exam.said]
    assert told == [("0.40", instant(1)), ("0.90", instant(4)), ("0.95", instant(5))]


def test_slow_looks_are_given_more_patience() -> None:
    """At half a look per second, on a busy machine, three of six looks must still be enough."""
    exam = _Exam()
    for look in range(12):
        exam.objects(2 * look, PERSON, *([PHONE] if look in (6, 8, 11) else []))
    assert exam.end() == [(IncidentKind.PHONE, 12, 22)]


def test_book_and_laptop_are_objects_told_apart() -> None:
    exam = _Exam(Detection(books=True))
    for second in range(4):
        exam.objects(second, PERSON, _seen("book", 0.4), _seen("laptop", 0.6))
    exam.end()
    assert {one.facts["object"] for one in exam.said} == {"book", "laptop"}
    assert {one.kind for one in exam.said} == {IncidentKind.OBJECT}


def test_a_second_person_by_bodies_or_by_faces() -> None:
    exam = _Exam()
    for second in range(4):
        exam.objects(second, PERSON, OTHER)
    assert exam.end() == [(IncidentKind.SECOND_PERSON, 0, 3)]
    assert exam.said[-1].facts["best_score"] == "0.60"
    exam = _Exam()
    for second in range(4):
        exam.objects(second, PERSON).faces(second, 0.9, 0.8)
    assert [kind for kind, _, _ in exam.end()] == [IncidentKind.SECOND_PERSON]


def test_what_one_detector_saw_does_not_last_until_the_others_next_look() -> None:
    exam = _Exam()
    for second in range(4):
        exam.faces(second, 0.9, 0.9).objects(second, PERSON)
    exam.objects(4, PERSON).objects(5, PERSON)
    assert exam.end() == [(IncidentKind.SECOND_PERSON, 0, 3)]


def _two_bodies(exam: _Exam, period_s: float, seen: Sequence[bool]) -> _Exam:
    """Somebody whose face nobody sees, at these looks; the detector of faces looks four times a second and sees one."""
    for look, second in enumerate(seen):
        exam.objects(look * period_s, PERSON, *([OTHER] if second else []))
        for face in range(round(4 * period_s)):
            exam.faces(look * period_s + face / 4 + 0.01, 0.9)
    return exam


def test_two_single_looks_are_no_second_person_however_often_another_detector_looks() -> None:
    assert _two_bodies(_Exam(), 0.5, [True, False, False, True, False, False]).end() == []


def test_a_body_without_a_face_is_counted_by_the_looks_that_can_see_it() -> None:
    exam = _two_bodies(_Exam(), 0.5, [True, False] * 4)
    assert exam.end() == [(IncidentKind.SECOND_PERSON, 0, 3)]
    assert [(one.facts["seen"], one.facts["looks"]) for one in exam.said] == [("3", "5"), ("4", "7")]


def test_a_second_body_is_told_where_the_looks_for_bodies_are_slow() -> None:
    """Once every two seconds, on a busy machine, and faces more often."""
    assert _two_bodies(_Exam(), 2, [False] * 3 + [True] * 6).end() == [(IncidentKind.SECOND_PERSON, 6, 16)]


def test_one_body_within_another_is_one_person() -> None:
    torso = _seen("person", 0.5, (210, 250, 430, 470))
    exam = _Exam()
    for second in range(6):
        exam.objects(second, PERSON, torso).faces(second, 0.9)
    assert exam.end() == []


@pytest.mark.parametrize("looks_for_faces", [True, False])
def test_one_man_with_an_arm_raised_is_one_person(looks_for_faces: bool) -> None:
    """What the model made of one man at a webcam: 81 % of the smaller box lie in the larger."""
    man, arm = _seen("person", 0.88, (180, 172, 596, 480)), _seen("person", 0.50, (10, 230, 613, 480))
    exam = _Exam()
    for second in range(6):
        exam.objects(second, man, arm)
        if looks_for_faces:
            exam.faces(second, 0.9)
    assert exam.end() == []


@pytest.mark.parametrize(
    ("face", "told"), [((120.0, 110.0, 170.0, 170.0), True), ((280.0, 120.0, 360.0, 220.0), False)]
)
def test_a_body_half_behind_another_needs_a_face_of_its_own(face: Box, told: bool) -> None:
    behind = _seen("person", 0.6, (100, 90, 320, 480))  # the candidate's box starts at 200
    exam = _Exam()
    for second in range(6):
        exam.objects(second, PERSON, behind)
        exam.said += exam.temporal.look(instant(second), "faces", [_seen("face", 0.9, face)])
    assert {kind for kind, _, _ in exam.end()} == ({IncidentKind.SECOND_PERSON} if told else set())


def test_a_body_half_behind_another_counts_where_nobody_looks_for_faces() -> None:
    exam = _Exam(Detection(faces=False))
    for second in range(6):
        exam.objects(second, PERSON, _seen("person", 0.6, (100, 90, 320, 480)))
    assert [kind for kind, _, _ in exam.end()] == [IncidentKind.SECOND_PERSON]


def test_nobody_in_view_is_absent() -> None:
    exam = _Exam()
    exam.objects(0, PERSON).faces(0, 0.9)
    for second in range(1, 9):
        exam.objects(second).faces(second)
    exam.objects(9, PERSON).faces(9, 0.9)
    assert [one.end for one in exam.said] == [instant(6)]
    assert exam.end() == [(IncidentKind.ABSENT, 1, 8)]
    assert exam.said[0].source == "objects+faces"


@pytest.mark.parametrize("bodies", [True, False])
def test_a_lowered_head_or_a_face_alone_is_not_absent(bodies: bool) -> None:
    exam = _Exam()
    for second in range(30):
        exam.objects(second, *([PERSON] if bodies else []))
        exam.faces(second, *([] if bodies else [0.9]))
    assert exam.end() == ([(IncidentKind.NO_FACE, 1, 29)] if bodies else [])


def test_a_body_without_a_face_is_told_before_and_after_an_absence_and_not_across_it() -> None:
    exam = _Exam()
    for second in range(36):
        exam.objects(second, *([] if 13 <= second < 20 else [PERSON])).faces(second)
    told = sorted((start, kind, end) for kind, start, end in exam.end())
    assert told == [(1, IncidentKind.NO_FACE, 12), (13, IncidentKind.ABSENT, 19), (20, IncidentKind.NO_FACE, 35)]


def test_a_body_missed_twice_does_not_part_the_incident() -> None:
    exam = _Exam()
    for second in range(36):
        exam.objects(second, *([] if second in (13, 14) else [PERSON])).faces(second)
    assert exam.end() == [(IncidentKind.NO_FACE, 1, 35)]


def test_one_glimpse_before_it_is_reported_ends_an_absence() -> None:
    exam = _Exam()
    for second in range(20):
        exam.objects(second, *([_seen("person", 0.3)] if second % 5 == 4 else []))
    assert exam.end() == []


def test_a_glimpse_does_not_split_a_reported_absence() -> None:
    exam = _Exam()
    for second in range(20):
        exam.objects(second, *([PERSON] if second == 10 else []))
    assert exam.end() == [(IncidentKind.ABSENT, 0, 19)]


def test_a_detector_that_died_does_not_hold_a_person_in_view() -> None:
    exam = _Exam()
    exam.objects(0, PERSON)
    for second in range(20):
        exam.faces(second, *([0.9, 0.9] if second > 10 else []))
    assert exam.end() == [(IncidentKind.SECOND_PERSON, 11, 19)]
    assert exam.said[-1].source == "faces"


@pytest.mark.parametrize("objects", ["off", "left out"])
def test_a_lowered_head_is_not_absent_where_only_faces_are_looked_for(objects: str) -> None:
    exam = _Exam(Detection(objects=objects != "off"))
    if objects == "left out":
        exam.objects(0, PERSON)
    for second in range(60):
        exam.faces(second)
    assert exam.end() == []


def test_an_absence_ends_with_the_detector_of_bodies() -> None:
    exam = _Exam()
    for second in range(10):
        exam.objects(second).faces(second)
    for second in range(10, 60):
        exam.faces(second)
    ((kind, start, end),) = exam.end()
    assert (kind, start) == (IncidentKind.ABSENT, 0)
    assert end <= 12


def test_no_looks_are_no_absence() -> None:
    """The camera was lost for a minute: nothing is known about that minute."""
    exam = _Exam()
    exam.objects(0).objects(1).objects(60).objects(61)
    assert exam.end() == []


def test_talking_is_one_incident_although_it_pauses() -> None:
    exam = _Exam()
    exam.voice(0, 3).voice(3, 2, score=0.1).voice(5, 3).voice(8, 10, score=0.1)
    ((kind, start, end),) = exam.end()
    assert (kind, start) == (IncidentKind.SPEECH, 0)
    assert end == pytest.approx(8, abs=0.1)
    opened = exam.said[0]
    assert opened.end.seconds_since(opened.start) == pytest.approx(1.5, abs=WINDOW_S)


def test_coughs_do_not_add_up() -> None:
    exam = _Exam()
    for cough in range(20):
        exam.voice(cough * 1.2, 0.3).voice(cough * 1.2 + 0.3, 0.9, score=0.02)
    assert exam.end() == []


def test_short_words_close_together_add_up_and_words_far_apart_do_not() -> None:
    close, far = _Exam(), _Exam()
    for word in range(3):
        close.voice(word * 1.7, 0.9).voice(word * 1.7 + 0.9, 0.8, score=0.02)
        far.voice(word * 3.2, 1.2).voice(word * 3.2 + 1.2, 2.0, score=0.02)
    assert [kind for kind, _, _ in close.end()] == [IncidentKind.SPEECH]
    assert far.end() == []


def test_an_unknown_detector_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="gaze"):
        Temporal(POLICY, _ids()).look(instant(0), "gaze", [])


_score = st.sampled_from([0.0, 0.1, 0.16, 0.3, 0.5, 0.95])
_look = st.tuples(
    st.sampled_from([0.032, 0.4, 1.0, 1.5, 4.0, 12.0]),
    st.sampled_from(["objects", "faces", "speech"]),
    st.lists(st.tuples(st.sampled_from(["person", "phone", "book", "laptop", "face", "speech"]), _score), max_size=4),
)
_LEAST_MS = {
    IncidentKind.PHONE: POLICY.object_ms,
    IncidentKind.OBJECT: POLICY.object_ms,
    IncidentKind.SECOND_PERSON: POLICY.person_ms,
    IncidentKind.ABSENT: POLICY.absent_ms,
    IncidentKind.SPEECH: POLICY.speech_ms,
}


def _play(looks: list[tuple[float, str, list[tuple[str, float]]]]) -> list[Incident]:
    temporal, now, said = Temporal(POLICY, _ids()), 0.0, []
    boxes = [(left, 0.0, left + 100, 200.0) for left in (0.0, 90.0, 300.0, 310.0)]
    for step, detector, things in looks:
        now += step
        observations = [_seen(label, score, box) for (label, score), box in zip(things, boxes, strict=False)]
        said += temporal.look(instant(now), detector, observations)
    return said + temporal.finish()


@given(st.lists(_look, max_size=80))
def test_whatever_is_seen(looks: list[tuple[float, str, list[tuple[str, float]]]]) -> None:
    said = _play(looks)
    assert said == _play(looks), "the same looks give the same incidents"
    words: dict[str, list[Incident]] = defaultdict(list)
    for incident in said:
        words[incident.id].append(incident)
    by_thing: dict[tuple[IncidentKind, str], list[Incident]] = defaultdict(list)
    for word in words.values():
        opened, closed = word[0], word[-1]
        assert len(word) >= 2
        assert len({(one.kind, one.start) for one in word}) == 1
        assert [one.end for one in word] == sorted(one.end for one in word)
        assert [_best(one) for one in word] == sorted(_best(one) for one in word)
        assert opened.end.seconds_since(opened.start) * 1e3 >= _LEAST_MS[opened.kind] - EDGE_MS
        assert 3 <= int(opened.facts["seen"]) <= int(opened.facts["looks"]) <= 2 * int(opened.facts["seen"])
        assert all(isinstance(value, str) for value in closed.facts.values())
        by_thing[closed.kind, closed.facts.get("object", "")].append(closed)
    for incidents in by_thing.values():
        for earlier, later in itertools.pairwise(incidents):
            least_ms = 0 if later.kind is IncidentKind.NO_FACE else MERGE_MS  # an absence parts those
            assert later.start.seconds_since(earlier.end) * 1e3 > least_ms, "what is closer is one incident"


def _best(incident: Incident) -> float:
    return float(incident.facts.get("best_score", "0"))
