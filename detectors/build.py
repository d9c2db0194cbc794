"""Choosing and loading one model per task that the policy wants. Runs once, before the detection threads start.

A model that is missing, altered or does not run is not replaced by a worse one in silence: it is in ``refused``
with a sentence for the person at the machine, and the caller decides whether the exam may start without it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from app.contract.errors import UserFacing
from app.contract.policy import Detection
from detectors.base import PictureDetector, SoundDetector
from detectors.catalogue import Catalogue, ModelCard, Task
from detectors.closer import Closer
from detectors.coco import LABELS
from detectors.face_reader import FaceReader
from detectors.faces import FaceFinder, load_face_finder
from detectors.likeness import Likeness
from detectors.mesh import FaceMesh, load_face_mesh
from detectors.naming import Naming
from detectors.object_watch import ObjectWatch
from detectors.objects import ObjectDetector, load_object_detector
from detectors.scene import Scene
from detectors.speech import load_speech_detector
from detectors.thresholds import floors

_NO_HEADPHONES = UserFacing(
    "No model on this machine knows headphones, so nothing looks for them.",
    advice="Switch them off in the policy, or give Fairlock a model that was trained for them (docs/models.md).",
    code="E-MODEL-CLASS",
)
_NO_VOICES = UserFacing(
    "Nothing on this machine tells a voice from noise, so loud noises are not looked for.",
    advice="Switch speech on in the policy, or loud noises off.",
    code="E-MODEL-CLASS",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectors:
    """What looks and what listens. ``names`` maps a task to the model's title, ``refused`` to why there is none.

    ``parts`` are the models that work within a detector, by task: the mesh within the one of faces, the second look's
    within the one of objects.
    """

    pictures: tuple[PictureDetector, ...] = ()
    sounds: tuple[SoundDetector, ...] = ()
    refused: Mapping[str, UserFacing] = field(default_factory=dict)
    parts: Mapping[str, ModelCard] = field(default_factory=dict)

    @property
    def cards(self) -> Mapping[str, ModelCard]:
        """The models in use by task."""
        looking = {one.name: one.card for one in self.pictures}
        return looking | dict(self.parts) | {one.name: one.card for one in self.sounds}

    @property
    def names(self) -> Mapping[str, str]:
        """The models in use as the screen and the report show them: ``yolo11n-int8 (release)``."""
        return {task: card.title for task, card in self.cards.items()}


def wanted(policy: Detection) -> tuple[Task, ...]:
    """Return the tasks that the policy asks for."""
    switches = {
        Task.OBJECTS: policy.objects,
        Task.CLOSER: policy.objects and policy.second_look,
        Task.FACES: policy.faces,
        Task.LANDMARKS: policy.faces and (policy.looking_away or policy.gaze or policy.continuity),
        Task.SPEECH: policy.speech,
    }
    return tuple(task for task, on in switches.items() if on)


def build(policy: Detection, models: Mapping[str, Path], catalogue: Catalogue) -> Detectors:
    """Load the best model at hand for each wanted task. ``models`` maps a model's name to its file."""
    cv2.setNumThreads(1)  # for the whole process: with more, a busy machine makes each look slower, not faster
    pictures: list[PictureDetector] = []
    sounds: list[SoundDetector] = []
    objects: list[ObjectDetector] = []
    closer: list[ObjectDetector] = []
    finders: list[FaceFinder] = []
    meshes: list[FaceMesh] = []
    refused: dict[str, UserFacing] = {}
    loaders: Mapping[Task, Callable[[Path, ModelCard], None]] = {
        Task.OBJECTS: lambda path, card: objects.append(load_object_detector(path, card)),
        Task.CLOSER: lambda path, card: closer.append(load_object_detector(path, card)),
        Task.FACES: lambda path, card: finders.append(
            load_face_finder(path, card, floors(policy, Task.FACES, card)["face"])
        ),
        Task.LANDMARKS: lambda path, card: meshes.append(load_face_mesh(path, card)),
        Task.SPEECH: lambda path, card: sounds.append(load_speech_detector(path, card)),
    }
    for task in wanted(policy):
        if task is Task.CLOSER and not any(card.name in models for card in catalogue.for_task(task)):
            continue  # another model looks closer then
        try:
            card = _best(task, models, catalogue)
            loaders[task](models[card.name], card)
        except UserFacing as refusal:
            refused[task] = refusal
    if policy.headphones and not any(LABELS.get(name) == "headphones" for one in objects for name in one.card.classes):
        refused["headphones"] = _NO_HEADPHONES
    if policy.loud_noise and not sounds:
        refused["loud_noise"] = _NO_VOICES
    scene = Scene()
    parts: dict[str, ModelCard] = {Task.CLOSER.value: closer[0].card} if closer else {}
    pictures += [_watch(one, next(iter(closer), one), policy, scene) for one in objects]
    for finder in finders:
        mesh = next(iter(meshes), None)
        likeness = Likeness() if policy.continuity else None
        pictures.append(FaceReader(finder, scene, mesh, hinting=policy.hints, likeness=likeness))
        parts |= {Task.LANDMARKS.value: mesh.card} if mesh is not None else {}
    return Detectors(pictures=tuple(pictures), sounds=tuple(sounds), refused=refused, parts=parts)


def _watch(objects: ObjectDetector, closer: ObjectDetector, policy: Detection, scene: Scene) -> ObjectWatch:
    """Where no model is at hand for closer looks, that of the first look makes them too."""
    second = Closer(closer) if policy.second_look else None
    return ObjectWatch(objects, second, Naming(policy, objects.card), scene)


def _best(task: Task, models: Mapping[str, Path], catalogue: Catalogue) -> ModelCard:
    for card in catalogue.for_task(task):
        if card.name in models:
            return card
    raise UserFacing(
        f"There is no model for {task} on this machine.",
        advice="Install Fairlock again with its models, or connect to the internet and start again.",
        code="E-MODEL-MISSING",
    )
