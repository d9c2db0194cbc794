"""Which pictures are sealed: the best look at an incident, better ones as they come, and control pictures by lot."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.contract.incidents import Incident, IncidentKind, Severity, Track
from app.contract.journal import decode_picture
from app.recorder.control_times import EVERY_MS, ControlTimes
from app.recorder.pictures import LOOKED_AT, LOOKED_AT_BYTES, IncidentPictures
from app.recorder.timeline import Timeline
from capture.frames import Frame
from capture.spool import SpoolFull
from tests.unit.detector_models import instant

ORIGIN = instant(0)


class _Paper:
    """A segmenter that keeps what it is given, or has no room."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int, int]] = []
        self.full = False

    def push_plain(self, data: bytes, at_ms: int) -> None:
        if self.full:
            raise SpoolFull("no room")
        meta, image = decode_picture(data)
        shown = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
        assert shown is not None
        assert meta.at_ms == at_ms
        self.kept.append((meta.incident, at_ms, round(float(shown.mean()))))

    def cut(self) -> None: ...

    def close(self) -> None: ...


class _Desk:
    """Pictures whose brightness is their second."""

    def __init__(self, control: ControlTimes | None = None) -> None:
        self.paper, self.names = _Paper(), list[str]()
        self.pictures = IncidentPictures(self.paper, Timeline(ORIGIN, ORIGIN), control, self.names.append)

    def look(self, second: float, shape: tuple[int, int] = (48, 64)) -> "_Desk":
        image = np.full((*shape, 3), int(second) % 250, np.uint8)
        frame = Frame(source=Track.CAMERA, seq=0, at=instant(second), image=image)
        self.pictures.see(frame)
        self.pictures.looked_at(frame)
        return self

    def say(
        self,
        identity: str,
        best: float | None = None,
        *,
        over: bool = False,
        kind: IncidentKind = IncidentKind.OBJECT_IN_HAND,
        source: str = "objects",
    ) -> "_Desk":
        incident = Incident(
            id=identity,
            kind=kind,
            start=ORIGIN,
            end=ORIGIN,
            severity=Severity.NOTICE,
            source=source,
            best=instant(best) if best is not None else None,
            over=over,
        )
        self.pictures.keep(incident)
        return self


def _exam(desk: _Desk, minutes: int) -> Iterator[float]:
    for second in range(minutes * 60):
        desk.look(second)
        yield second


def test_the_picture_is_of_the_best_look_and_a_better_one_is_added() -> None:
    desk = _Desk()
    for second in range(10, 16):
        desk.look(second)
    desk.say("a", best=12).look(16).say("a", best=16).look(17).say("a", best=16, over=True)
    assert desk.paper.kept == [("a", 12_000, 12), ("a", 16_000, 16)]


def test_without_a_score_the_picture_is_of_the_moment_it_is_told() -> None:
    desk = _Desk().look(3).look(4).say("a", kind=IncidentKind.ABSENT).look(9)
    desk.say("a", over=True, kind=IncidentKind.ABSENT)
    assert desk.paper.kept == [("a", 4_000, 4)]


def test_a_best_look_that_is_gone_by_now_is_replaced_once_and_never_twice() -> None:
    desk = _Desk()
    for second in range(LOOKED_AT + 2):
        desk.look(second)
    desk.say("a", best=0).say("a", best=1)
    assert desk.paper.kept == [("a", (LOOKED_AT + 1) * 1000, LOOKED_AT + 1)]


def test_large_pictures_are_kept_for_a_shorter_time() -> None:
    desk, shape = _Desk(), (1080, 1920)
    for second in range(8):
        desk.look(second, shape)
    kept = LOOKED_AT_BYTES // (shape[0] * shape[1] * 3)
    assert kept == 2
    desk.say("a", best=6).say("b", best=5)
    assert [at for _, at, _ in desk.paper.kept] == [6_000, 7_000]


def test_what_the_camera_does_not_see_has_no_picture() -> None:
    assert _Desk().look(1).say("a", kind=IncidentKind.SPEECH).paper.kept == []
    assert _Desk().look(1).say("a", kind=IncidentKind.SOURCE_BLACK, source=Track.SCREEN).paper.kept == []
    assert _Desk().look(1).say("a", kind=IncidentKind.SOURCE_BLACK, source=Track.CAMERA).paper.kept


def test_after_the_end_nothing_is_sealed() -> None:
    desk = _Desk(ControlTimes("s"))
    desk.pictures.close()
    for second in _exam(desk, 6):
        desk.say(str(second))
    assert desk.paper.kept == []


def test_control_pictures_come_once_in_five_minutes_and_are_named_in_the_journal() -> None:
    desk = _Desk(ControlTimes("session/0"))
    for _ in _exam(desk, 20):
        pass
    assert [name for name, _, _ in desk.paper.kept] == desk.names
    assert [at // EVERY_MS for _, at, _ in desk.paper.kept] == [0, 1, 2, 3]
    drawn = [ControlTimes("session/0").drawn_ms(stretch) for stretch in range(4)]
    assert [at for _, at, _ in desk.paper.kept] == pytest.approx(drawn, abs=1_000)


def test_none_is_taken_while_an_incident_lasts() -> None:
    desk, drawn_s = _Desk(ControlTimes("session/0")), ControlTimes("session/0").drawn_ms(0) / 1000
    for second in _exam(desk, 5):
        if second == int(drawn_s):
            desk.say("a")
        if second == int(drawn_s) + 20:
            desk.say("a", over=True)
    assert [(name, at) for name, at, _ in desk.paper.kept if name != "a"] == [
        (desk.names[0], (int(drawn_s) + 21) * 1000),
    ]


def test_a_full_disk_costs_a_control_picture_and_not_the_detection() -> None:
    desk = _Desk(ControlTimes("session/0"))
    desk.paper.full = True
    for _ in _exam(desk, 5):
        pass
    assert desk.names == []


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(0, 200))
def test_the_lot_depends_on_the_seed_alone(seed: str, stretch: int) -> None:
    drawn = ControlTimes(seed).drawn_ms(stretch)
    assert drawn == ControlTimes(seed).drawn_ms(stretch)
    assert stretch * EVERY_MS <= drawn <= (stretch + 1) * EVERY_MS


def test_the_lot_is_spread_over_the_stretch() -> None:
    shares = [ControlTimes("a").drawn_ms(stretch) % EVERY_MS / EVERY_MS for stretch in range(400)]
    assert np.histogram(shares, bins=4, range=(0, 1))[0].min() > 70
