"""Hard negatives by name, with the real models: wallet, earphone case, hand at the ear, poster; and what is found.

Skipped where the shared models or media are not at hand. The figures over all pictures are in docs/models.md.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.contract.incidents import Incident, IncidentKind, Track
from app.contract.policy import Detection
from capture.frames import Frame
from detectors.base import Observation, PictureDetector
from detectors.build import Detectors, build
from detectors.catalogue import load_catalogue
from detectors.naming import least_scores
from detectors.temporal import Temporal
from tests.unit.detector_models import instant

SHARED = Path(__file__).parents[2].parent / "shared"
MODELS, MEDIA = SHARED / "models", SHARED / "media"
POLICY = Detection()
CASE, PHONE, WALLET = "0", "1", "2"
Image = NDArray[np.uint8]

pytestmark = pytest.mark.skipif(
    not (MODELS.is_dir() and MEDIA.is_dir()), reason="the shared models and media are not beside this checkout"
)


def _built(policy: Detection) -> Detectors:
    """Detectors that have seen nothing yet."""
    return build(policy, {card.name: MODELS / card.file for card in load_catalogue()}, load_catalogue())


def _objects() -> PictureDetector:
    return _built(Detection(faces=False, speech=False)).pictures[0]


def _frame(image: Image, index: int) -> Frame:
    return Frame(source=Track.CAMERA, seq=index, at=instant(index / 2), image=image)


def _watched(images: Sequence[Image]) -> list[set[str]]:
    """Return for each picture, half a second apart, what is told with a score that counts."""
    detector = _objects()
    least = least_scores(POLICY, detector.card)
    return [
        {one.label for one in detector.detect(_frame(image, index)) if one.score >= least.get(one.label, 0)}
        for index, image in enumerate(images)
    ]


def _webcam(held: str, every: int) -> list[Image]:
    """Each so many-th picture of one man at a webcam who holds up ``held``, in the order of the recording."""
    folder = MEDIA / "webcam_objects"
    labels = [path for path in (folder / "labels").glob("*.txt") if path.read_text().split()[:1] == [held]]
    ordered = sorted(labels, key=lambda path: (int(path.stem.split("_")[1]), path.stem))
    return [
        np.asarray(cv2.resize(_read(folder / "images" / f"{path.stem}.jpg"), (640, 480)), np.uint8)
        for path in ordered[::every]
    ]


def _read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def test_a_wallet_is_an_object_in_a_hand_and_never_called_a_phone() -> None:
    told = _watched(_webcam(WALLET, 7))
    assert len(told) == 8
    assert not any("phone" in labels for labels in told)
    assert sum("in_hand" in labels for labels in told) >= 6


@pytest.mark.parametrize("tilt", [45, 50])
def test_a_wallet_tilted_away_from_the_camera_is_never_called_a_phone(tilt: int) -> None:
    """Its box is then as long as a phone's."""
    height = round(480 * np.cos(np.radians(tilt)))
    flat = [np.asarray(cv2.resize(image, (640, height), interpolation=cv2.INTER_AREA)) for image in _webcam(WALLET, 7)]
    edge = (480 - height) // 2
    tilted = [cv2.copyMakeBorder(image, edge, 480 - height - edge, 0, 0, cv2.BORDER_REFLECT) for image in flat]
    told = _watched([np.asarray(image, np.uint8) for image in tilted])
    assert not any("phone" in labels for labels in told)
    assert sum("in_hand" in labels for labels in told) >= 5


def test_an_earphone_case_is_never_called_a_phone() -> None:
    assert not any("phone" in labels for labels in _watched(_webcam(CASE, 6)))


def test_a_hand_at_the_ear_is_never_called_a_phone() -> None:
    paths = sorted((MEDIA / "hands_no_phone").glob("*.jpg"))
    assert len(paths) == 8
    assert not any("phone" in labels for labels in _watched([_read(path) for path in paths]))


def test_a_phone_held_up_is_noticed_in_most_looks() -> None:
    told = _watched(_webcam(PHONE, 5))
    assert len(told) == 9
    assert sum(bool(labels & {"phone", "in_hand"}) for labels in told) >= 5


def _with_poster(poster: Image) -> Iterator[Image]:
    """A man at a webcam, twice a second, with ``poster`` on the wall; with a camera's noise on it."""
    film, noise = cv2.VideoCapture(str(MEDIA / "webcam_gaze" / "center_left_center.mp4")), np.random.default_rng(1)
    step = round(film.get(cv2.CAP_PROP_FPS) / 2)
    height, width = poster.shape[:2]
    for index in range(6 * step):
        image = np.array(film.read()[1], np.uint8)
        if index % step == 0:
            grainy = poster + noise.normal(0, 2, poster.shape)
            image[10 : 10 + height, 20 : 20 + width] = np.clip(grainy, 0, 255).astype(np.uint8)
            yield image


def test_a_poster_on_the_wall_is_no_second_person() -> None:
    poster = np.asarray(cv2.resize(_read(MEDIA / "images" / "portrait.jpg"), (120, 150)), np.uint8)
    built = _built(Detection(looking_away=False, speech=False))
    temporal = Temporal(POLICY, iter("abcdefgh").__next__, built.cards)
    said: list[Incident] = []
    seen: list[Observation] = []
    for index, image in enumerate(_with_poster(poster)):
        for detector in reversed(built.pictures):
            seen = detector.detect(_frame(image, index))
            said += temporal.look(instant(index / 2), detector.name, seen)
    assert {one.label for one in seen} >= {"person", "background"}
    assert IncidentKind.SECOND_PERSON not in {one.kind for one in said + temporal.finish()}


def test_the_same_pictures_are_told_the_same_way_twice() -> None:
    images = _webcam(PHONE, 15)
    one, other = _objects(), _objects()
    for index, image in enumerate(images):
        assert one.detect(_frame(image, index)) == other.detect(_frame(image, index))
