"""Person continuity: compares with the start of this session only, and its template leaves the memory in no way."""

import base64
import copy
import functools
import itertools
import logging
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.contract import canonical
from app.contract.incidents import Incident, IncidentKind, Severity, Track
from app.contract.journal import Entry, EntryType, encode_entries, incident_body
from app.contract.policy import Detection
from capture.frames import Frame
from detectors.base import Observation
from detectors.build import build
from detectors.catalogue import load_catalogue
from detectors.face_reader import FaceReader
from detectors.faces import Face
from detectors.likeness import FIRST_LOOKS, Likeness
from detectors.mesh import FaceMesh, Mesh
from detectors.pipeline import DetectionPipeline, Detectors, Look
from detectors.scene import Scene
from detectors.temporal import Temporal
from tests.unit.detector_models import instant
from tests.unit.test_detectors_head_pose import turned

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
POLICY = Detection(continuity=True, objects=False, speech=False, looking_away=False)
BOX = (200.0, 120.0, 440.0, 400.0)


@functools.cache
def _face(person: int, *, light: float = 1.0, seed: int = 0) -> Picture:
    """Return a picture whose texture is that person's, in some light, with the camera's noise."""
    own = np.random.default_rng(person).integers(60, 200, (24, 32, 1), np.uint8)
    picture = cv2.resize(np.repeat(own, 3, axis=2), (640, 480), interpolation=cv2.INTER_CUBIC) * light
    noise = np.random.default_rng(seed).normal(0, 3, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


class Finder:
    """Finds the same face everywhere."""

    card = load_catalogue().named("yunet")

    def find(self, image: Picture) -> list[Face]:
        return [Face(0.9, BOX, ((260.0, 200.0), (380.0, 200.0)))]


class Points(FaceMesh):
    """Measures the same frontal mesh everywhere."""

    def __init__(self) -> None:
        self._points = turned(0, 0, 0)

    def measure(self, image: Picture, box: object, eyes: object) -> Mesh:
        return Mesh(points=self._points, score=1.0)


def _frame(second: float, image: Picture) -> Frame:
    return Frame(source=Track.CAMERA, seq=round(4 * second), at=instant(second), image=image)


class _Session:
    """A session whose frames come two a second; everything that leaves the detection is kept."""

    def __init__(self) -> None:
        self.likeness = Likeness()
        numbers = itertools.count(1)
        self.incidents: list[Incident] = []
        self.looks: list[Look] = []
        self.observations: list[Observation] = []
        reader = FaceReader(Finder(), Scene(), Points(), likeness=self.likeness)
        whole = reader.detect

        def detect(frame: Frame) -> list[Observation]:
            seen = whole(frame)
            self.observations += seen
            return seen

        reader.detect = detect  # type: ignore[method-assign]  # to hear what leaves it
        self._pipeline = DetectionPipeline(
            detectors=Detectors(pictures=(reader,)),
            policy=POLICY,
            frames=None,
            sound=None,
            new_id=lambda: str(next(numbers)),
            on_incident=self.incidents.append,
            on_look=self.looks.append,
        )
        self._now = 0.0

    def sits(self, seconds: float, person: int, *, light: float = 1.0) -> "_Session":
        for step in range(round(2 * seconds)):
            self._pipeline.look(_frame(self._now, _face(person, light=light, seed=step % 4)))
            self._now += 0.5
        return self

    def end(self) -> list[Incident]:
        self._pipeline.stop()
        return list({one.id: one for one in self.incidents}.values())


def test_the_same_face_stays_alike_also_in_other_light() -> None:
    assert _Session().sits(30, 1).sits(60, 1, light=0.6).end() == []


def test_another_face_for_a_while_is_told_as_something_to_look_at() -> None:
    session = _Session().sits(30, 1).sits(60, 2).sits(30, 1)
    (incident,) = session.end()
    assert (incident.kind, incident.severity) == (IncidentKind.OTHER_PERSON, Severity.NOTICE)
    assert 30 <= incident.start.mono_ns / 1e9 <= 36
    assert 85 <= incident.end.mono_ns / 1e9 <= 96
    assert float(incident.facts["distance"]) >= float(incident.facts["threshold"]) - 0.03


def test_a_short_change_is_nothing() -> None:
    assert _Session().sits(30, 1).sits(10, 2).sits(60, 1).end() == []


def test_nothing_is_compared_unless_the_policy_asks() -> None:
    temporal = Temporal(Detection(), lambda: "1")
    far = Observation(detector="faces", at=instant(0), label="likeness", score=1.0, values={"distance": 0.9})
    said = [one for second in range(60) for one in temporal.look(instant(second), "faces", [far])]
    assert IncidentKind.OTHER_PERSON not in {one.kind for one in said}


def test_a_likeness_cant_be_written_down() -> None:
    likeness = Likeness()
    with pytest.raises(TypeError):
        pickle.dumps(likeness)
    with pytest.raises(TypeError):
        copy.copy(likeness)


def _forms(template: Floats) -> list[bytes]:
    """Return in which forms a template, or a piece of it, could be written: numbers, bytes, Base64, text."""
    forms: list[bytes] = []
    for kind in (np.float32, np.float64, np.float16):
        # No cell of a face is without patterns: a stretch of eight numbers that are not all zero is a trace of it.
        row = next(template[i : i + 8] for i in range(len(template)) if np.count_nonzero(template[i : i + 8]) >= 6)
        raw = row.astype(kind).tobytes()
        forms += [raw, base64.b64encode(raw)[:-4], base64.urlsafe_b64encode(raw)[:-4], raw.hex().encode()]
        forms += [repr(float(number)).encode() for number in row.astype(kind) if 0 < number < 1]
    return forms


def test_no_template_and_no_picture_reaches_incidents_journal_messages_log_or_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    caplog.set_level(logging.DEBUG)
    session = _Session().sits(30, 1).sits(60, 2)
    incidents = session.end()
    assert incidents
    first = session.likeness._first
    assert len(first) == FIRST_LOOKS
    entries = [
        Entry(type=EntryType.INCIDENT, at_ms=0, utc_ms=0, body=incident_body(one, start_ms=0, end_ms=1))
        for one in session.incidents
    ]
    left = encode_entries(entries) + caplog.text.encode() + repr(session.looks).encode()
    left += repr(session.observations).encode() + canonical.dumps([dict(one.facts) for one in incidents])
    for template in [*first, np.mean(first, axis=0), *(one for _, one in session.likeness._newest)]:
        assert not [form for form in _forms(template) if form in left]
    assert all(set(one.values) <= {"yaw", "pitch", "roll", "distance"} for one in session.observations)
    assert list(tmp_path.rglob("*")) == []


SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.mark.skipif(
    not (SHARED / "models" / "face_landmarks_478.onnx").is_file() or not (SHARED / "media").is_dir(),
    reason="the shared models and media are not beside this checkout",
)
def test_real_faces_one_man_stays_alike_and_another_does_not() -> None:
    cards = load_catalogue()
    files = {card.name: SHARED / "models" / card.file for card in cards}
    (reader,) = build(POLICY, files, cards).pictures
    video = cv2.VideoCapture(str(SHARED / "media" / "webcam_gaze" / "center_left_center.mp4"))
    images = [video.read()[1] for _ in range(100)][::3]
    others = sorted((SHARED / "media" / "webcam_objects" / "images").glob("*.jpg"))[:40:2]
    images += [np.asarray(cv2.resize(np.asarray(cv2.imread(str(file))), (640, 480))) for file in others]
    distances = []
    for number, image in enumerate(images):
        seen = reader.detect(_frame(number / 4, np.asarray(image, np.uint8)))
        distances.append(next((one.values["distance"] for one in seen if one.label == "likeness"), None))
    same = [one for one in distances[:34] if one is not None]
    other = [one for one in distances[34 + 10 :] if one is not None]
    assert len(same) >= 5
    assert len(other) >= 5
    assert max(same) < 0.15
    assert min(other) > 0.30
