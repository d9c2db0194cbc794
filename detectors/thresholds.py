"""Least scores: the policy's strictness on each model's own scale. Pure.

Scores of two models can't be compared: INT8 sinks them, YOLOv3-tiny gives half of what YOLO11 does. A card says which
score of its model stands for the policy's default; a policy half as strict, or twice, moves it by the same factor.
"""

from collections.abc import Mapping

from app.contract.policy import Detection
from detectors.base import HOLD
from detectors.catalogue import ModelCard, Task

FACE = 0.75
"""Below it BlazeFace takes raised hands for faces (26 of 136 pictures of one man at 0.6, none at 0.75; YuNet none)."""
HEAD = 0.5
"""Where MediaPipe puts the line for a face in the crop of its mesh (``min_tracking_confidence``)."""
SPEECH = 0.5
"""Where Silero's authors put the line; the policy has a setting neither for it nor for faces."""

_DEFAULT = Detection()


def thresholds(policy: Detection, task: Task, card: ModelCard | None) -> Mapping[str, float]:
    """Return the least score by label: the card's, moved by the policy; the policy's own where a card has none."""
    own = card.thresholds if card is not None else {}
    if task is Task.FACES:
        return {"face": max(FACE, own.get("face", 0.0))}
    if task is Task.CLOSER:
        return {}  # its finds are named with those of the first look
    if task is Task.LANDMARKS:
        return {"head": own.get("head", HEAD)}
    if task is Task.SPEECH:
        return {"speech": own.get("speech", SPEECH)}
    person = (policy.person_permille, _DEFAULT.person_permille)
    thing = (policy.object_permille, _DEFAULT.object_permille)
    wanted = {"person": person, "phone": thing, "book": thing, "laptop": thing}
    return {
        label: min(0.95, own.get(label, default / 1000) * permille / default)
        for label, (permille, default) in wanted.items()
    }


def floors(policy: Detection, task: Task, card: ModelCard) -> Mapping[str, float]:
    """Return the least score a detector reports by label (see ``HOLD``)."""
    return {label: HOLD * least for label, least in thresholds(policy, task, card).items()}
