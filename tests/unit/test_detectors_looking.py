"""Looking away and faces that are not found, over time: made-up heads at made-up cameras."""

import itertools
from collections.abc import Iterable

import pytest

from app.contract.incidents import INCIDENTS, Incident, IncidentKind, Severity
from app.contract.policy import Detection
from detectors.base import Observation
from detectors.temporal import Temporal
from tests.unit.detector_models import instant

AWAY, NO_FACE = IncidentKind.LOOKING_AWAY, IncidentKind.NO_FACE
BOX = (200.0, 100.0, 400.0, 300.0)


class _Exam:
    """A camera; ``neutral`` is where the screen is. Faces are looked for four times a second, bodies twice or rarer."""

    def __init__(
        self, policy: Detection | None = None, neutral: tuple[float, float] = (0.0, 0.0), *, body_period: float = 0.5
    ) -> None:
        numbers = itertools.count(1)
        self._temporal = Temporal(policy or Detection(), lambda: str(next(numbers)))
        self._neutral = neutral
        self._body_period = body_period
        self._now = 0.0
        self.said: dict[str, Incident] = {}

    def _take(self, detector: str, seen: Iterable[Observation]) -> None:
        for incident in self._temporal.look(instant(self._now), detector, list(seen)):
            self.said[incident.id] = incident

    def _seen(self, label: str, score: float, **values: float) -> Observation:
        detector = "objects" if label == "person" else "faces"
        return Observation(detector=detector, at=instant(self._now), label=label, score=score, box=BOX, values=values)

    def head(self, seconds: float, yaw: float = 0, pitch: float = 0, *, eyes: float = 0, body: bool = True) -> "_Exam":
        """Somebody sits there, turned by so much from the screen."""
        for _ in range(round(4 * seconds)):
            right, up = yaw + self._neutral[0], pitch + self._neutral[1]
            face = [self._seen("face", 0.9), self._seen("head", 0.99, yaw=right, pitch=up, roll=0.0)]
            self._tick(body, [*face, self._seen("gaze", 0.99, yaw=eyes + 4)])
        return self

    def turn(self, seconds: float, start: float, end: float) -> "_Exam":
        """The head turns evenly."""
        steps = round(4 * seconds)
        for step in range(steps):
            self.head(0.25, start + (end - start) * (step + 1) / steps)
        return self

    def no_face(self, seconds: float, *, body: bool = True, face: bool = False) -> "_Exam":
        """No face is found, or (``face``) one on which no mesh fits."""
        for _ in range(round(4 * seconds)):
            self._tick(body, [self._seen("face", 0.8), self._seen("head", 0.1, yaw=0, pitch=0)] if face else [])
        return self

    def _tick(self, body: bool, faces: list[Observation]) -> None:
        if self._now % self._body_period == 0:
            self._take("objects", [self._seen("person", 0.9)] if body else [])
        self._take("faces", faces)
        self._now += 0.25

    def end(self) -> list[tuple[IncidentKind, float, float]]:
        for incident in self._temporal.finish():
            self.said[incident.id] = incident
        return [(one.kind, one.start.mono_ns / 1e9, one.end.mono_ns / 1e9) for one in self.said.values()]

    def only(self) -> Incident:
        self.end()
        (incident,) = self.said.values()
        return incident


def test_a_head_turned_for_the_policys_time_looks_away() -> None:
    exam = _Exam().head(5).head(4, yaw=45).head(5)
    (away,) = exam.end()
    assert away[0] is AWAY
    assert away[1:] == pytest.approx((5.0, 8.75), abs=0.6)
    facts = exam.only().facts
    assert (facts["seen_by"], facts["direction"]) == ("head", "to the right of the picture")
    assert (facts["largest_degrees"], facts["threshold_degrees"]) == ("45", "35")
    assert facts["straight_ahead"].startswith("yaw 0, pitch 0 degrees")


def test_looking_away_is_context_and_never_serious() -> None:
    assert _Exam().head(5).head(60, yaw=-60).only().severity is Severity.INFO
    assert INCIDENTS[NO_FACE].severity is Severity.INFO


@pytest.mark.parametrize("yaw", [30, -30])
def test_less_than_the_policys_angle_is_nothing(yaw: float) -> None:
    assert _Exam().head(5).head(20, yaw=yaw).head(5).end() == []


def test_shorter_than_the_policys_time_is_nothing() -> None:
    exam = _Exam().head(5)
    for _ in range(5):
        exam.head(2, yaw=50).head(2)
    assert exam.end() == []


def test_the_policys_angle_and_time_hold() -> None:
    policy = Detection(away_degrees=20, away_ms=1_000)
    assert [one[0] for one in _Exam(policy).head(5).head(2, yaw=25).head(5).end()] == [AWAY]


def test_a_head_that_comes_back_half_way_still_looks_away() -> None:
    """Hysteresis: it opens at 35 degrees and goes on down to 26."""
    (away,) = _Exam().head(5).head(4, yaw=40).head(6, yaw=29).head(5).end()
    assert away[2] == pytest.approx(14.75, abs=0.6)


@pytest.mark.parametrize("neutral", [(30.0, 0.0), (-40.0, 10.0), (0.0, -25.0)])
def test_a_camera_beside_or_below_the_screen_is_learned(neutral: tuple[float, float]) -> None:
    assert _Exam(neutral=neutral).head(60).end() == []
    assert [one[0] for one in _Exam(neutral=neutral).head(5).head(4, yaw=-45).head(5).end()] == [AWAY]


def test_somebody_who_moves_the_chair_does_not_look_away_for_ever() -> None:
    exam = _Exam().head(130).head(400, yaw=38).head(30, yaw=40)
    (away,) = exam.end()
    assert away[2] < 300


def test_one_wrong_measurement_is_nothing() -> None:
    exam = _Exam().head(5)
    for _ in range(30):
        exam.head(0.75).head(0.25, yaw=80)
    assert exam.end() == []


def test_a_face_lost_while_it_turned_still_looks_away() -> None:
    exam = _Exam().head(5).turn(1, 0, 40).no_face(6).head(5)
    incident = exam.only()
    assert incident.kind is AWAY
    assert incident.end.mono_ns / 1e9 == pytest.approx(11.75, abs=0.6)
    assert incident.facts["seen_by"] == "face lost while turning"


def test_a_face_on_which_no_mesh_fits_is_lost_as_well() -> None:
    assert [one[0] for one in _Exam().head(5).turn(0.75, 0, 30).no_face(6, face=True).head(5).end()] == [AWAY]


def test_who_turns_and_leaves_does_not_look_away() -> None:
    exam = _Exam().head(5).turn(1, 0, 40).no_face(20, body=False)
    assert AWAY not in [one[0] for one in exam.end()]


def test_who_turned_and_left_says_nothing_of_whoever_comes_then() -> None:
    """A body without a face after an absence: it may be somebody else."""
    exam = _Exam().head(5).turn(1, 0, 40).no_face(20, body=False).no_face(14)
    told = exam.end()
    assert [one[0] for one in told] == [IncidentKind.ABSENT, NO_FACE]
    assert exam.said["2"].facts["last_seen"] == "no face, or none whose turn was measured"
    assert told[1][1] == pytest.approx(26, abs=0.6), "nobody waits for a head that was turned before"


def test_looking_away_is_not_told_across_an_absence() -> None:
    exam = _Exam().head(5).head(5, yaw=45).no_face(6, body=False).head(5, yaw=45).head(5)
    assert [one[0] for one in exam.end()] == [AWAY, IncidentKind.ABSENT, AWAY]


@pytest.mark.parametrize("missed", [(8,), (10,), (8, 12, 16)], ids=["first", "second", "every other"])
def test_a_body_missed_by_a_slow_machine_ends_nothing(missed: tuple[int, ...]) -> None:
    """Bodies are looked for every other second, and now and then one is not found."""
    exam = _Exam(body_period=2).head(6).turn(1, 0, 40)
    for second in range(7, 19):
        exam.no_face(1, body=second not in missed)
    (away,) = exam.head(5).end()
    assert away[0] is AWAY
    assert away[1:] == pytest.approx((7, 18.75), abs=0.6)
    assert exam.only().facts["seen_by"] == "face lost while turning"


def test_who_leaves_is_gone_also_on_a_slow_machine() -> None:
    left = _Exam(body_period=2).head(6).turn(1, 0, 40).no_face(20, body=False)
    assert AWAY not in [one[0] for one in left.end()]
    away = _Exam(body_period=2).head(6).head(5, yaw=45).no_face(20, body=False).no_face(8)
    assert [one[0] for one in away.end()] == [AWAY, IncidentKind.ABSENT]


def test_a_close_face_without_a_body_that_is_lost_for_a_look_still_looks_away() -> None:
    exam = _Exam().head(5, body=False)
    for _ in range(8):
        exam.head(0.75, yaw=45, body=False).no_face(0.25, body=False)
    (away,) = exam.end()
    assert away[1:] == pytest.approx((5, 12.5), abs=0.6)


def test_a_face_lost_while_it_was_lowered_reads_or_writes() -> None:
    assert _Exam().head(5).head(1, pitch=-20).head(0.5, pitch=-33).no_face(25).head(5).end() == []
    assert _Exam().head(5).head(1, yaw=10, pitch=-15).head(0.5, yaw=22, pitch=-24).no_face(25).head(5).end() == []


def test_a_body_without_a_face_is_told_as_context() -> None:
    exam = _Exam().head(5).no_face(14).head(5)
    incident = exam.only()
    assert (incident.kind, incident.severity) == (NO_FACE, Severity.INFO)
    assert incident.facts["last_seen"] == "face towards the screen"


def test_a_face_that_comes_back_soon_is_nothing() -> None:
    assert _Exam().head(5).no_face(9).head(5).no_face(9).head(5).end() == []


def test_nobody_in_view_is_not_a_missing_face() -> None:
    assert [one[0] for one in _Exam().head(5).no_face(20, body=False).end()] == [IncidentKind.ABSENT]


def test_eyes_are_followed_only_where_the_policy_asks() -> None:
    assert _Exam().head(5).head(5, eyes=28).head(5).end() == []
    exam = _Exam(Detection(gaze=True)).head(5).head(5, eyes=-28).head(5)
    facts = exam.only().facts
    assert (facts["seen_by"], facts["direction"]) == ("eyes", "to the left of the picture")
    assert (facts["largest_degrees"], facts["threshold_degrees"]) == ("28", "20")


def test_eyes_that_stay_on_the_screen_while_the_head_turns_look_nowhere_else() -> None:
    policy = Detection(gaze=True)
    assert _Exam(policy).head(5).head(10, yaw=12, eyes=-24).head(5).end() == []


def test_without_looking_away_in_the_policy_nothing_is_said() -> None:
    assert _Exam(Detection(looking_away=False)).head(5).head(10, yaw=60).head(5).end() == []


def test_the_same_looks_give_the_same_incidents() -> None:
    def once() -> list[Incident]:
        exam = _Exam().head(5).turn(1, 0, 44).no_face(6).head(9).head(5, yaw=-50).no_face(15)
        exam.end()
        return list(exam.said.values())

    assert once() == once()
